//! What to do when Cleeng asks for a refund: a pure decision over the payment and what went back of it before.

use super::super::ids::RefundId;
use super::super::money::Money;
use super::super::money_back::{MoneyBack, left};
use super::super::payment::{Payment, Status};
use super::RefundAsked;

/// One thing to do about the demand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Write down that this much is to be given back, then queue the command that does it.
    Want(Money),
    /// It is written down: queue the command, in case an earlier run was killed before it did.
    Queue,
    /// Come back after a while: the money is not taken yet.
    Wait,
    /// An operator has to look: the refund cannot be made.
    Keep(&'static str),
}

/// `id` is the refund's own, the same in every run of the demand.
pub(crate) fn next(
    asked: &RefundAsked,
    id: RefundId,
    payment: &Payment,
    earlier: &[MoneyBack],
) -> Step {
    if earlier.iter().any(|one| one.id == id) {
        return Step::Queue;
    }
    match payment.status {
        Status::Captured | Status::PartiallyRefunded => {}
        Status::Accepted
        | Status::Processing
        | Status::RequiresAction
        | Status::Pending
        | Status::InDoubt => return Step::Wait,
        Status::Authorized => return Step::Keep("not_captured"),
        Status::Refunded | Status::ChargedBack => return Step::Keep("nothing_is_left"),
        Status::Rejected | Status::Cancelled | Status::Expired | Status::Failed => {
            return Step::Keep("nothing_was_captured");
        }
    }
    let Some(left) = left(payment, earlier) else {
        return Step::Keep("no_amount_is_known");
    };
    match asked.amount {
        None if left.minor <= 0 => Step::Keep("nothing_is_left"),
        None => Step::Want(left),
        Some(amount) if amount.currency != left.currency => Step::Keep("other_currency"),
        Some(amount) if amount.minor <= 0 => Step::Keep("no_amount"),
        Some(amount) if amount.minor > left.minor => Step::Keep("more_than_is_left"),
        Some(amount) => Step::Want(amount),
    }
}
