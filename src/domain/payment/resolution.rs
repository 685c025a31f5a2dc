//! What an operator says about a payment that nothing else can settle.

use super::super::confirmation::Report;
use super::super::ids::GatewayRef;
use super::super::moment::Moment;
use super::super::outcome::{Outcome, StoredMethod};
use super::{Payment, Status, Transition, apply};

/// What the operator has seen at the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Resolution {
    /// The money was taken, under this id of the gateway.
    Captured {
        reference: GatewayRef,
        stored: Option<StoredMethod>,
    },
    /// No money was taken, and none can be any more.
    NotCharged,
}

/// Why an operator's word is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotResolvable {
    #[error("the payment is {}: only one that is in_doubt or failed can be resolved", .0.label())]
    Settled(Status),
    #[error("the payment's order was never read, so there is no amount that can have been taken")]
    NoOrder,
}

/// The payment as the operator says that it is, and what Cleeng has to be told.
pub(crate) fn resolve(
    payment: &Payment,
    resolution: &Resolution,
    now: Moment,
) -> Result<(Payment, Option<Report>), NotResolvable> {
    if !matches!(payment.status, Status::InDoubt | Status::Failed) {
        return Err(NotResolvable::Settled(payment.status));
    }
    match resolution {
        Resolution::Captured { reference, stored } => {
            let order = payment.order.as_ref().ok_or(NotResolvable::NoOrder)?;
            let captured = Outcome::Captured {
                reference: reference.clone(),
                amount: order.amount,
                stored: stored.clone(),
            };
            match apply(payment, &captured, now) {
                Transition::Moved { payment, report } => Ok((*payment, report)),
                Transition::Unchanged | Transition::WrongAmount { .. } => {
                    Err(NotResolvable::Settled(payment.status))
                }
            }
        }
        Resolution::NotCharged => {
            let mut moved = payment.clone();
            moved.status = Status::Cancelled;
            moved.next_action = None;
            moved.updated_at = now;
            // Cleeng is told of what exists at the gateway; of what never got there it is told nothing.
            let existed = payment.reference().is_some();
            let report = existed.then_some(Report::Cancelled);
            let report = report.and_then(|report| payment.told(report));
            Ok((moved, report))
        }
    }
}

#[cfg(test)]
mod tests;
