//! What every payment does, in groups: taking it in, reading it, writing what changes.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{AnyPool, PgPool};
use tokio::time::timeout;

use super::connect::Hot;
use super::lane::Lane;
use super::pool::Connections;
use super::{Change, Committed, LedgerError, NewPayment, postgres, sqlite};
use crate::domain::ids::PaymentId;
use crate::domain::payment::Known;

/// How many groups of one kind may be under way at once in PostgreSQL: one is made up while another is being made durable. With
/// more of them the groups would be smaller, and each call dearer.
const HANDS: u32 = 2;

/// A clone leads to the same groups. `None` as an answer: it has to be done alone, and nothing was done of it.
#[derive(Clone)]
pub(super) struct Lanes {
    accepts: Lane<Arc<NewPayment>, ()>,
    changes: Lane<Arc<Change>, Committed>,
    reads: Lane<PaymentId, Option<Known>>,
    /// How long a call may take, waiting for its group included.
    timeout: Duration,
    /// Their own connections, where they have some.
    pool: Option<PgPool>,
}

impl Lanes {
    pub(super) fn start(hot: Hot, any: &AnyPool, timeout: Duration) -> Lanes {
        match hot {
            Hot::Postgres(pool) => {
                let connections = Connections {
                    pool: pool.clone(),
                    timeout,
                };
                Lanes {
                    accepts: Lane::start(postgres::Accepts(connections.clone()), HANDS),
                    changes: Lane::start(postgres::Changes(connections.clone()), HANDS),
                    reads: Lane::start(postgres::Reads(connections), HANDS),
                    timeout,
                    pool: Some(pool),
                }
            }
            Hot::Sqlite => {
                let connections = Connections {
                    pool: any.clone(),
                    timeout,
                };
                Lanes {
                    accepts: Lane::start(sqlite::Accepts(connections.clone()), 1),
                    changes: Lane::start(sqlite::Changes(connections.clone()), 1),
                    reads: Lane::start(sqlite::Reads(connections), 1),
                    timeout,
                    pool: None,
                }
            }
        }
    }

    /// Taken in; or something stands in its way.
    pub(super) async fn accept(&self, new: Arc<NewPayment>) -> Result<Option<()>, LedgerError> {
        self.within(self.accepts.ask(new)).await
    }

    pub(super) async fn commit(
        &self,
        change: Arc<Change>,
    ) -> Result<Option<Committed>, LedgerError> {
        self.within(self.changes.ask(change)).await
    }

    pub(super) async fn known(&self, id: PaymentId) -> Result<Option<Option<Known>>, LedgerError> {
        self.within(self.reads.ask(id)).await
    }

    /// Returns when the last group is done.
    pub(super) async fn close(&self) {
        if let Some(pool) = &self.pool {
            pool.close().await;
        }
    }

    async fn within<R>(
        &self,
        asked: impl Future<Output = Result<Option<R>, LedgerError>>,
    ) -> Result<Option<R>, LedgerError> {
        let answer = timeout(self.timeout, asked).await;
        answer.unwrap_or(Err(LedgerError::TimedOut))
    }
}
