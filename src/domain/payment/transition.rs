//! How a gateway's answer moves a payment: one pure function, so that any order and repetition of answers ends the same.

use super::super::confirmation::Report;
use super::super::moment::Moment;
use super::super::money::Money;
use super::super::outcome::{Decline, DeclineClass, Outcome, Progress};
use super::{Payment, Status};

/// What an outcome does to a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Transition {
    /// Nothing new: a repetition, or an answer older than what is known.
    Unchanged,
    /// The payment as it is now, and what Cleeng has to be told of it.
    Moved {
        payment: Box<Payment>,
        report: Option<Report>,
    },
    /// The gateway took an amount that is not the order's: an operator has to look.
    WrongAmount { taken: Money },
}

/// The payment after `outcome`.
///
/// Facts about money win over everything: a capture that shows up after a decline or an expiry is recorded all the same.
/// Otherwise a payment only goes forward.
pub(crate) fn apply(payment: &Payment, outcome: &Outcome, now: Moment) -> Transition {
    if let Some(taken) = wrong_amount(payment, outcome) {
        return Transition::WrongAmount { taken };
    }
    if let (Outcome::Lapsed { .. }, Status::Authorized) = (outcome, payment.status) {
        return lapse(payment, now);
    }
    let mut moved = payment.clone();
    moved.updated_at = now;
    if let Some(reference) = outcome.reference() {
        moved.progress.reference = Some(reference.clone());
    }
    let report = match outcome {
        Outcome::Opened { progress } => {
            if payment.status.is_final() {
                return Transition::Unchanged;
            }
            if let Some(customer) = &progress.customer {
                moved.progress.customer = Some(customer.clone());
            }
            moved.status = Status::Processing;
            None
        }
        Outcome::RequiresAction { action, .. } => {
            moved.next_action = Some(action.clone());
            moved.status = Status::RequiresAction;
            None
        }
        Outcome::Pending { .. } => {
            moved.status = Status::Pending;
            None
        }
        Outcome::Rejected { decline, .. } => {
            moved.decline = Some(decline.clone());
            moved.status = Status::Rejected;
            Some(Report::Rejected)
        }
        Outcome::Cancelled { .. } | Outcome::Lapsed { .. } => {
            moved.status = Status::Cancelled;
            Some(Report::Cancelled)
        }
        // Nothing was to be charged: that the method is kept is all there is.
        Outcome::Saved { stored, .. } if payment.is_free() => {
            moved.stored = Some(stored.clone());
            moved.status = Status::Captured;
            Some(Report::Captured)
        }
        // What was given back, and what was kept, is not the state of a charge: another command's business.
        Outcome::Refunded { .. } | Outcome::Saved { .. } | Outcome::Removed => {
            return Transition::Unchanged;
        }
        Outcome::Authorized { stored, .. } => {
            moved.stored = stored.clone().or(moved.stored);
            moved.status = Status::Authorized;
            Some(Report::Authorized)
        }
        Outcome::Captured { stored, .. } => {
            moved.stored = stored.clone().or(moved.stored);
            moved.status = Status::Captured;
            Some(Report::Captured)
        }
    };
    if !goes_forward(payment.status, moved.status) && moved.progress == payment.progress {
        return Transition::Unchanged;
    }
    if !goes_forward(payment.status, moved.status) {
        // Only the reference is new: keep it, and leave the state alone.
        return keep_reference(payment, moved.progress, now);
    }
    moved.next_action = moved
        .next_action
        .filter(|_| moved.status == Status::RequiresAction);
    if moved.status.holds_order() {
        moved.decline = None;
    }
    let report = report.and_then(|report| moved.told(report));
    Transition::Moved {
        payment: Box::new(moved),
        report,
    }
}

/// The payment whose hold ran out: to Cleeng that is a decline, after which its dunning goes on. It is not charged anew by itself.
fn lapse(payment: &Payment, now: Moment) -> Transition {
    let mut moved = payment.clone();
    moved.status = Status::Rejected;
    moved.decline = Some(Decline {
        class: DeclineClass::Soft,
        code: "authorization_expired".to_owned(),
    });
    moved.updated_at = now;
    Transition::Moved {
        payment: Box::new(moved),
        report: Some(Report::Rejected),
    }
}

fn keep_reference(payment: &Payment, progress: Progress, now: Moment) -> Transition {
    let mut kept = payment.clone();
    kept.progress = progress;
    kept.updated_at = now;
    Transition::Moved {
        payment: Box::new(kept),
        report: None,
    }
}

/// The amount that was taken, when it is not the one that was asked for.
fn wrong_amount(payment: &Payment, outcome: &Outcome) -> Option<Money> {
    let taken = match outcome {
        Outcome::Authorized { amount, .. } | Outcome::Captured { amount, .. } => *amount,
        Outcome::Opened { .. }
        | Outcome::RequiresAction { .. }
        | Outcome::Pending { .. }
        | Outcome::Rejected { .. }
        | Outcome::Cancelled { .. }
        | Outcome::Lapsed { .. }
        | Outcome::Refunded { .. }
        | Outcome::Saved { .. }
        | Outcome::Removed => return None,
    };
    let asked = payment.order.as_ref().map(|order| order.amount);
    (asked != Some(taken)).then_some(taken)
}

/// Whether a payment may go from `from` to `to`.
fn goes_forward(from: Status, to: Status) -> bool {
    match to {
        Status::Captured => rank(from) < rank(Status::Captured),
        Status::Authorized => rank(from) < rank(Status::Authorized),
        // An authorisation can be cancelled at the gateway; money that was captured cannot.
        Status::Cancelled => !from.is_final() || from == Status::Authorized,
        Status::Rejected | Status::Expired | Status::Failed => !from.is_final(),
        Status::RequiresAction | Status::Pending => !from.is_final() && rank(from) < rank(to),
        Status::Processing => from == Status::Accepted || from == Status::InDoubt,
        Status::InDoubt => !from.is_final() && from != Status::InDoubt,
        Status::Accepted | Status::PartiallyRefunded | Status::Refunded | Status::ChargedBack => {
            false
        }
    }
}

fn rank(status: Status) -> u8 {
    match status {
        Status::Accepted | Status::Processing | Status::InDoubt => 0,
        Status::RequiresAction => 1,
        Status::Pending => 2,
        Status::Rejected | Status::Cancelled | Status::Expired | Status::Failed => 3,
        Status::Authorized => 4,
        Status::Captured => 5,
        Status::PartiallyRefunded => 6,
        Status::Refunded => 7,
        Status::ChargedBack => 8,
    }
}

/// The payment after its deadline, once nothing can happen at the gateway any more.
///
/// Of a checkout Cleeng is told only when something had happened there: a charge was tried and has been ended. Of a renewal
/// always: it waits for an answer, and asks for the next try when it has one.
pub(crate) fn expire(payment: &Payment, charge_was_tried: bool, now: Moment) -> Transition {
    if !goes_forward(payment.status, Status::Expired) {
        return Transition::Unchanged;
    }
    let mut moved = payment.clone();
    moved.status = Status::Expired;
    moved.next_action = None;
    moved.updated_at = now;
    let report = match payment.renewal {
        Some(_) => {
            moved.decline = Some(Decline {
                class: DeclineClass::Technical,
                code: "not_charged_in_time".to_owned(),
            });
            Some(Report::Rejected)
        }
        None => charge_was_tried.then_some(Report::Cancelled),
    };
    Transition::Moved {
        payment: Box::new(moved),
        report: report.and_then(|report| payment.told(report)),
    }
}

/// The payment in a state that no gateway answer gives: refused by us, in doubt, or failed.
pub(crate) fn set(
    payment: &Payment,
    status: Status,
    decline: Option<Decline>,
    now: Moment,
) -> Transition {
    if !goes_forward(payment.status, status) {
        return Transition::Unchanged;
    }
    let mut moved = payment.clone();
    moved.status = status;
    moved.decline = decline;
    moved.next_action = None;
    moved.updated_at = now;
    Transition::Moved {
        payment: Box::new(moved),
        report: None,
    }
}

#[cfg(test)]
mod tests;
