//! A demand about one payment that Cleeng names: which of ours it is, and its capture.

use super::super::{Interrupted, Worker};
use super::Turn;
use crate::broker::Verdict;
use crate::domain::demand::OnePayment;
use crate::domain::payment::{Known, Status};

impl Worker {
    /// `capturePayment`: this one, and no other.
    pub(super) async fn capture_one(
        &self,
        turn: &Turn<'_>,
        one: &OnePayment,
    ) -> Result<Verdict, Interrupted> {
        let Some(known) = self.payment_named(turn, one).await? else {
            return self.keep(turn, "unknown_payment").await;
        };
        let id = known.payment.id;
        match known.payment.status {
            Status::Authorized => {
                self.capture_payment(turn, id).await?;
                self.settle_demand(turn, "capturing", Some(id)).await
            }
            status if !status.is_final() => {
                Ok(self.wait(turn, None, "the authorisation is under way"))
            }
            Status::Captured
            | Status::PartiallyRefunded
            | Status::Refunded
            | Status::ChargedBack => self.settle_demand(turn, "captured_already", Some(id)).await,
            _ => self.keep(turn, "nothing_is_reserved").await,
        }
    }

    /// The payment that Cleeng names: by the gateway's id, by its order, by Cleeng's own id of the record.
    pub(super) async fn payment_named(
        &self,
        turn: &Turn<'_>,
        one: &OnePayment,
    ) -> Result<Option<Known>, Interrupted> {
        let mut id = None;
        if let Some(reference) = &one.reference {
            let found = self.ledger.by_reference(turn.gateway, reference).await;
            id = found.map_err(Interrupted::Ledger)?;
        }
        if id.is_none() {
            let found = self.ledger.by_cleeng_payment(one.cleeng_payment_id).await;
            id = found.map_err(Interrupted::Ledger)?;
        }
        match id {
            Some(id) => self.ledger.known(id).await.map_err(Interrupted::Ledger),
            None => Ok(None),
        }
    }
}
