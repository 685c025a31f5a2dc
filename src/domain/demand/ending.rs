//! What to do before a subscription ends, or before a stored method is forgotten: give up what is reserved. Pure.

use super::super::ids::PaymentId;
use super::super::payment::{Known, Status};

/// One thing to do about the demand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Queue the commands that give up what these hold, then come back.
    Void(Vec<PaymentId>),
    /// Come back after a while: a payment is under way, and could still reserve something.
    Wait,
    /// Nothing is reserved any more.
    Finish,
}

/// `payments` are those that may hold something: of the subscription, or with the payment details.
pub(crate) fn next(payments: &[Known]) -> Step {
    let held: Vec<PaymentId> = payments
        .iter()
        .filter(|known| known.payment.status == Status::Authorized)
        .map(|known| known.payment.id)
        .collect();
    let under_way = |known: &Known| !known.payment.status.is_final();
    if !held.is_empty() {
        Step::Void(held)
    } else if payments.iter().any(under_way) {
        Step::Wait
    } else {
        Step::Finish
    }
}
