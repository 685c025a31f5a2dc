//! What was intended, sent and learned: the durable memory of every payment, in PostgreSQL or SQLite.

mod accept;
mod attempt_row;
mod change;
mod commit;
mod confirmation_row;
mod connect;
mod controls;
mod demands;
mod error;
mod events;
pub(crate) mod examine;
mod external;
mod feed;
mod fields;
mod find;
mod fresh;
mod lane;
mod lanes;
mod migrate;
mod money_back;
mod operator;
mod operator_log;
mod page;
mod payment_row;
mod pool;
mod postgres;
mod presences;
mod read;
mod reconciliation;
mod search;
mod sqlite;
mod stale_demands;
mod standing;
mod sweep;
#[cfg(test)]
pub(crate) mod tests;
mod ungrouped;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyPool};
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use crate::config::LedgerConfig;
use crate::domain::ids::{GatewayName, GatewayRef, IdempotencyKey, OrderId, PaymentId};
use crate::domain::moment::Moment;
use crate::domain::payment::{Known, Payment, Status};
use crate::telemetry::spans;
use connect::Backend;
use fresh::Fresh;
use lanes::Lanes;

pub(crate) use change::{Change, Committed};
pub(crate) use error::LedgerError;
pub(crate) use events::HistoryEntry;
pub(crate) use feed::PaymentFeed;
pub(crate) use search::SearchBy;
pub(crate) use stale_demands::StaleDemand;
#[cfg(test)]
pub(crate) use standing::StandingOf;
pub(crate) use standing::{MOST_COUNTED, Standing};
pub(crate) use sweep::Stalled;

/// A payment to be taken in, with what makes a repetition recognisable.
#[derive(Debug, Clone)]
pub(crate) struct NewPayment {
    pub(crate) payment: Payment,
    pub(crate) key: IdempotencyKey,
    /// SHA-256 of the body as canonical JSON.
    pub(crate) body_hash: [u8; 32],
}

/// What became of a [`NewPayment`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Accepted {
    Created,
    /// The key and the body are known: this is its payment.
    Replayed(Box<Known>),
    /// The key is known with another body.
    KeyReused,
    /// Another payment, under another key, holds the order.
    OrderTaken(PaymentId),
    /// Another payment holds the cycle that this renewal is for.
    CycleTaken(PaymentId),
}

/// The payments in doubt, for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Doubts {
    pub(crate) count: i64,
    /// When the oldest of them was accepted.
    pub(crate) oldest: Option<Moment>,
}

/// Which payments to list, newest first; what is `None` does not matter.
#[derive(Debug, Clone)]
pub(crate) struct PaymentFilter {
    pub(crate) status: Option<Status>,
    pub(crate) order_id: Option<OrderId>,
    /// The gateway's own id of the payment.
    pub(crate) reference: Option<String>,
    /// Held between 1 and 500.
    pub(crate) limit: i64,
}

/// The open ledger. A clone is another hand on the same connections.
#[derive(Clone)]
pub(crate) struct Ledger {
    pool: AnyPool,
    backend: Backend,
    timeout: Duration,
    lanes: Lanes,
    fresh: Fresh,
}

/// One call's connection, and when the call has to be over.
struct Session {
    conn: PoolConnection<Any>,
    deadline: Instant,
}

/// Every call ends within the configured time-out. After [`LedgerError::TimedOut`] the write may still have happened:
/// the same call again finds out, since all of them are safe to repeat.
impl Ledger {
    /// Connects and brings the tables up to date; a missing SQLite file is made. The migration alone may take longer
    /// than the time-out.
    pub(crate) async fn open(config: &LedgerConfig) -> Result<Ledger, LedgerError> {
        let (pools, backend) = connect::open(config).await?;
        Ok(Ledger {
            lanes: Lanes::start(pools.hot, &pools.any, config.timeout),
            pool: pools.any,
            backend,
            timeout: config.timeout,
            fresh: Fresh::default(),
        })
    }

    /// Takes a payment in, unless its key, its order or its cycle is taken. An order that is held by a checkout which was never
    /// queued (its ingest died) is taken over after ten seconds; what a renewal holds never is.
    pub(crate) async fn accept(&self, new: Arc<NewPayment>) -> Result<Accepted, LedgerError> {
        let span = spans::ledger("accept", new.payment.id);
        self.take_in(new).instrument(span).await
    }

    async fn take_in(&self, new: Arc<NewPayment>) -> Result<Accepted, LedgerError> {
        // The groups know no cycles, and nothing that holds no order.
        let alone = new.payment.renewal.is_some() || new.payment.details.is_some();
        if !alone && self.lanes.accept(Arc::clone(&new)).await?.is_some() {
            self.hand_over(Known {
                payment: new.payment.clone(),
                attempts: Vec::new(),
                confirmations: Vec::new(),
            });
            return Ok(Accepted::Created);
        }
        // Boxed, as all that is seldom done: whoever waits for the common case does not carry it about.
        Box::pin(self.take_in_ungrouped(&new)).await
    }

    /// Notes that the commands of these payments are in the queue. It is no new version, and nothing to those that a
    /// worker has begun.
    pub(crate) async fn mark_published(&self, ids: &[PaymentId]) -> Result<(), LedgerError> {
        let mut session = self.session().await?;
        let work = accept::mark_published(&mut session.conn, self.backend, ids);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }

    /// Cancels a payment whose command could not be queued, and frees its key and its order. `false`: it is known to
    /// be queued, or a worker has it.
    pub(crate) async fn withdraw(&self, id: PaymentId, now: Moment) -> Result<bool, LedgerError> {
        let mut session = self.session().await?;
        let work = accept::withdraw(&mut session.conn, self.backend, id, now);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }

    /// The payment with its attempts and confirmations, all as they were at one moment.
    pub(crate) async fn known(&self, id: PaymentId) -> Result<Option<Known>, LedgerError> {
        if let Some(known) = self.lanes.known(id).await? {
            return Ok(known);
        }
        Box::pin(self.known_ungrouped(id)).await
    }

    pub(crate) async fn by_reference(
        &self,
        gateway: &GatewayName,
        reference: &GatewayRef,
    ) -> Result<Option<PaymentId>, LedgerError> {
        let mut session = self.session().await?;
        let work = read::by_reference(&mut session.conn, gateway, reference);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }

    /// Writes the change when the payment still has the version that it was decided on. Forgets a final payment's
    /// single-use token, in its method and in its closed attempts.
    pub(crate) async fn commit(&self, change: Arc<Change>) -> Result<Committed, LedgerError> {
        let span = spans::ledger("commit", change.payment.id);
        self.write(change).instrument(span).await
    }

    async fn write(&self, change: Arc<Change>) -> Result<Committed, LedgerError> {
        // The groups know no money that goes back.
        let alone = !change.money_back.is_empty();
        if !alone && let Some(committed) = self.lanes.commit(Arc::clone(&change)).await? {
            return Ok(committed);
        }
        Box::pin(self.write_ungrouped(&change)).await
    }

    /// The entries after sequence `after`, at most 500.
    pub(crate) async fn history(
        &self,
        id: PaymentId,
        after: i64,
    ) -> Result<Vec<HistoryEntry>, LedgerError> {
        let mut session = self.session().await?;
        let work = events::history(&mut session.conn, id, after);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }

    pub(crate) async fn doubts(&self) -> Result<Doubts, LedgerError> {
        let mut session = self.session().await?;
        let answer = timeout_at(session.deadline, read::doubts(&mut session.conn)).await;
        session.settle(answer)
    }

    /// Whether the ledger answers.
    pub(crate) async fn ping(&self) -> Result<(), LedgerError> {
        let mut session = self.session().await?;
        let answer = timeout_at(session.deadline, read::ping(&mut session.conn)).await;
        session.settle(answer)
    }

    /// Hands the connections back; calls under way may finish within the time-out.
    pub(crate) async fn close(&self) {
        let closing = async { tokio::join!(self.lanes.close(), self.pool.close()) };
        let closed = tokio::time::timeout(self.timeout, closing).await;
        if closed.is_err() {
            tracing::warn!("the ledger's connections were not closed in time");
        }
    }

    async fn session(&self) -> Result<Session, LedgerError> {
        let deadline = Instant::now() + self.timeout;
        let conn = timeout_at(deadline, self.pool.acquire())
            .await
            .map_err(|_| LedgerError::TimedOut)??;
        Ok(Session { conn, deadline })
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ledger")
    }
}

impl Session {
    /// The call's answer. A connection that let us wait too long is not used again: its server may be gone without a
    /// word, and the pool would wait for it as long as TCP does.
    fn settle<T>(
        mut self,
        answer: Result<Result<T, LedgerError>, tokio::time::error::Elapsed>,
    ) -> Result<T, LedgerError> {
        answer.unwrap_or_else(|_| {
            self.conn.close_on_drop();
            Err(LedgerError::TimedOut)
        })
    }
}
