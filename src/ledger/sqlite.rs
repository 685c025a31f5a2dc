//! The hot path on SQLite: one transaction, hence one durable commit, for a whole group of calls.

use std::sync::Arc;

use sqlx::Any;

use super::connect::Backend;
use super::lane::Work;
use super::pool::Connections;
use super::{Change, Committed, LedgerError, NewPayment, accept, commit, read};
use crate::domain::ids::PaymentId;
use crate::domain::payment::Known;

pub(super) struct Accepts(pub(super) Connections<Any>);
pub(super) struct Changes(pub(super) Connections<Any>);
pub(super) struct Reads(pub(super) Connections<Any>);

impl Work for Accepts {
    type Ask = Arc<NewPayment>;
    /// Created; otherwise it has to be looked into alone.
    type Answer = ();

    fn clashes(_: &[Arc<NewPayment>], _: &Arc<NewPayment>) -> bool {
        false
    }

    async fn run(&self, group: &[Arc<NewPayment>]) -> Result<Vec<Option<()>>, LedgerError> {
        self.0
            .run(async |conn| {
                let mut transaction = Backend::Sqlite.begin_write(conn).await?;
                let mut created = Vec::with_capacity(group.len());
                for new in group {
                    let inserted = accept::insert(&mut transaction, new).await?;
                    created.push(inserted.then_some(()));
                }
                transaction.commit().await?;
                Ok(created)
            })
            .await
    }
}

impl Work for Changes {
    type Ask = Arc<Change>;
    type Answer = Committed;

    /// One after the other, the second sees what the first has written.
    fn clashes(_: &[Arc<Change>], _: &Arc<Change>) -> bool {
        false
    }

    async fn run(&self, group: &[Arc<Change>]) -> Result<Vec<Option<Committed>>, LedgerError> {
        self.0
            .run(async |conn| {
                let mut transaction = Backend::Sqlite.begin_write(conn).await?;
                let mut written = Vec::with_capacity(group.len());
                for change in group {
                    let version = commit::write(&mut transaction, change).await?;
                    written.push(Some(
                        version.map_or(Committed::Conflict, Committed::Version),
                    ));
                }
                transaction.commit().await?;
                Ok(written)
            })
            .await
    }
}

impl Work for Reads {
    type Ask = PaymentId;
    /// `None`: there is no such payment.
    type Answer = Option<Known>;

    fn clashes(_: &[PaymentId], _: &PaymentId) -> bool {
        false
    }

    async fn run(&self, ids: &[PaymentId]) -> Result<Vec<Option<Option<Known>>>, LedgerError> {
        self.0
            .run(async |conn| {
                let mut moment = Backend::Sqlite.begin_read(conn).await?;
                let mut found = Vec::with_capacity(ids.len());
                for id in ids {
                    found.push(Some(read::parts(&mut moment, *id).await?));
                }
                moment.commit().await?;
                Ok(found)
            })
            .await
    }
}
