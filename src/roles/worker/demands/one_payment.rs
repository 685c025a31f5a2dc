//! A demand about one payment that Cleeng names: which of ours it is, and its capture.

use super::super::{Interrupted, Worker};
use super::Turn;
use crate::broker::Verdict;
use crate::domain::demand::OnePayment;
use crate::domain::ids::PaymentId;
use crate::domain::payment::{Known, Status};
use crate::ledger::LedgerError;

pub(super) const NOT_NOW: &str = "the payment could not be found in time";

/// Which of our payments Cleeng means.
pub(super) enum Named {
    Known(Box<Known>),
    Unknown,
    /// The search takes too long just now.
    NotNow,
}

impl Worker {
    /// `capturePayment`: this one, and no other.
    pub(super) async fn capture_one(
        &self,
        turn: &Turn<'_>,
        one: &OnePayment,
    ) -> Result<Verdict, Interrupted> {
        let known = match self.payment_named(turn, one).await? {
            Named::Known(known) => known,
            Named::Unknown => return self.keep(turn, "unknown_payment").await,
            Named::NotNow => return Ok(self.wait(turn, None, NOT_NOW)),
        };
        let id = known.payment.id;
        match known.payment.status {
            Status::Authorized => {
                self.capture_payment(turn, id).await?;
                self.settle_demand(turn, "capturing", Some(id)).await
            }
            Status::Captured
            | Status::PartiallyRefunded
            | Status::Refunded
            | Status::ChargedBack => self.settle_demand(turn, "captured_already", Some(id)).await,
            Status::Accepted
            | Status::Processing
            | Status::RequiresAction
            | Status::Pending
            | Status::InDoubt => Ok(self.wait(turn, None, "the authorisation is under way")),
            Status::Rejected | Status::Cancelled | Status::Expired | Status::Failed => {
                self.keep(turn, "nothing_is_reserved").await
            }
        }
    }

    /// The payment that Cleeng names: by the gateway's id, by its order, by Cleeng's own id of the record. One that contradicts
    /// the order that Cleeng names with it is not the one that is meant.
    pub(super) async fn payment_named(
        &self,
        turn: &Turn<'_>,
        one: &OnePayment,
    ) -> Result<Named, Interrupted> {
        if let Some(reference) = &one.reference {
            let found = self.ledger.by_reference(turn.gateway, reference).await;
            if let Some(id) = found.map_err(Interrupted::Ledger)? {
                return self.one_of_order(id, one).await;
            }
        }
        if let Some(order) = one.order_id {
            let payments = self.ledger.payments_of_order(order).await;
            let mut payments = payments.map_err(Interrupted::Ledger)?.into_iter();
            let holds = |known: &Known| known.payment.status.holds_order();
            if let Some(known) = payments.find(holds) {
                return Ok(Named::Known(Box::new(known)));
            }
        }
        match self.ledger.by_cleeng_payment(one.cleeng_payment_id).await {
            Ok(Some(id)) => self.one_of_order(id, one).await,
            Ok(None) => Ok(Named::Unknown),
            // A slow search: it must not hold up everything that waits behind it.
            Err(LedgerError::TimedOut) => Ok(Named::NotNow),
            Err(cause) => Err(Interrupted::Ledger(cause)),
        }
    }

    async fn one_of_order(&self, id: PaymentId, one: &OnePayment) -> Result<Named, Interrupted> {
        let known = self.ledger.known(id).await.map_err(Interrupted::Ledger)?;
        let is_meant = |known: &Known| {
            one.order_id
                .is_none_or(|order| order == known.payment.order_id)
        };
        Ok(match known.filter(is_meant) {
            Some(known) => Named::Known(Box::new(known)),
            None => Named::Unknown,
        })
    }
}
