//! What no group could do: the same calls, each on a connection of its own.

use tokio::time::timeout_at;

use super::{
    Accepted, Change, Committed, Ledger, LedgerError, NewPayment, accept, commit, fields, read,
};
use crate::domain::ids::PaymentId;
use crate::domain::payment::Known;

impl Ledger {
    pub(super) async fn take_in_ungrouped(
        &self,
        new: &NewPayment,
    ) -> Result<Accepted, LedgerError> {
        let mut session = self.session().await?;
        let work = accept::accept(&mut session.conn, self.backend, new);
        let verdict = timeout_at(session.deadline, work).await;
        match session.settle(verdict)? {
            accept::Verdict::Created => Ok(Accepted::Created),
            accept::Verdict::KeyReused => Ok(Accepted::KeyReused),
            accept::Verdict::OrderTaken(holder) => Ok(Accepted::OrderTaken(holder)),
            accept::Verdict::CycleTaken(holder) => Ok(Accepted::CycleTaken(holder)),
            accept::Verdict::Replayed(id) => {
                let known = self.known(id).await?;
                let known = fields::known(known, "payments.id")?;
                Ok(Accepted::Replayed(Box::new(known)))
            }
        }
    }

    pub(super) async fn write_ungrouped(&self, change: &Change) -> Result<Committed, LedgerError> {
        let mut session = self.session().await?;
        let work = commit::commit(&mut session.conn, self.backend, change);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }

    pub(super) async fn known_ungrouped(
        &self,
        id: PaymentId,
    ) -> Result<Option<Known>, LedgerError> {
        let mut session = self.session().await?;
        let work = read::known(&mut session.conn, self.backend, id);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }
}
