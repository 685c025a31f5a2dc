//! What an operator changes by hand, each with its entry in the payment's history.

use super::{Change, Committed, Ledger, LedgerError};
use crate::domain::confirmation::{Confirmation, ConfirmationId, Delivery};
use crate::domain::ids::PaymentId;
use crate::domain::moment::Moment;
use crate::domain::payment::Known;
use crate::domain::reopening::{self, Past};

/// Others may write to the payment at the same time; then it is read and decided again, this often.
const TRIES: u32 = 10;

impl Ledger {
    /// Takes a confirmation up again that was given up. `false`: it is not given up, and was left as it is.
    pub(crate) async fn replay_confirmation(
        &self,
        payment: PaymentId,
        confirmation: ConfirmationId,
        delivery: Delivery,
        detail: &str,
        now: Moment,
    ) -> Result<bool, LedgerError> {
        let decide = |known: &Known| {
            let mut all = known.confirmations.clone();
            let given_up = all
                .iter_mut()
                .find(|one| one.id == confirmation && one.delivery == Delivery::DeadLettered)?;
            given_up.delivery = delivery;
            Some(all)
        };
        self.write_entry(payment, "confirmation_replayed", detail, now, decide)
            .await
    }

    /// What earlier tries to tell Cleeng of the payment leave open, from its whole history.
    pub(crate) async fn past(&self, payment: PaymentId) -> Result<Past, LedgerError> {
        let mut history = self.history(payment, 0).await?;
        while let Some(last) = history.last().map(|entry| entry.sequence) {
            let more = self.history(payment, last).await?;
            if more.is_empty() {
                break;
            }
            history.extend(more);
        }
        let entries = history.iter();
        Ok(reopening::past(entries.map(|entry| {
            (entry.kind.as_str(), entry.detail.as_deref())
        })))
    }

    /// Keeps why a message about the payment was discarded. `false`: there is no such payment.
    pub(crate) async fn note_discard(
        &self,
        payment: PaymentId,
        detail: &str,
        now: Moment,
    ) -> Result<bool, LedgerError> {
        self.write_entry(payment, "discarded", detail, now, |known| {
            Some(known.confirmations.clone())
        })
        .await
    }

    /// Keeps who had a difference repaired, and why. `false`: there is no such payment.
    pub(crate) async fn note_repair(
        &self,
        payment: PaymentId,
        detail: &str,
        now: Moment,
    ) -> Result<bool, LedgerError> {
        self.write_entry(payment, "reconciled", detail, now, |known| {
            Some(known.confirmations.clone())
        })
        .await
    }

    /// One entry, with the confirmations as `decide` changes them; nothing when it says so or when there is no such payment.
    async fn write_entry(
        &self,
        id: PaymentId,
        kind: &'static str,
        detail: &str,
        now: Moment,
        decide: impl Fn(&Known) -> Option<Vec<Confirmation>>,
    ) -> Result<bool, LedgerError> {
        for _ in 0..TRIES {
            let Some(known) = self.known(id).await? else {
                return Ok(false);
            };
            let Some(confirmations) = decide(&known) else {
                return Ok(false);
            };
            let mut after = Known {
                confirmations,
                ..known.clone()
            };
            after.payment.updated_at = now;
            let change = Change::between(&known, &after, kind, Some(detail.to_owned()));
            match self.commit(change.into()).await? {
                Committed::Version(_) => return Ok(true),
                Committed::Conflict => {}
            }
        }
        Err(LedgerError::TimedOut)
    }
}
