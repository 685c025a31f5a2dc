//! What to do next about a confirmation: a pure decision, since Cleeng has no idempotency key and every send counts.

use std::time::Duration;

use super::confirmation::{Confirmation, ConfirmationId, Delivery, Report};
use super::ids::CleengPaymentId;
use super::moment::Moment;
use super::payment::Known;

/// How long before the order's end an operator is told, at most.
const LONGEST_NOTICE: Duration = Duration::from_secs(2 * 3600);

/// One thing to do about a confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Write down that it is being sent, then send it. `earlier` is Cleeng's id of this payment's record so far.
    Send { earlier: Option<CleengPaymentId> },
    /// An answer may have been lost: read what Cleeng has.
    ReadBack,
    /// An answer may have been lost and Cleeng may still be working on it.
    Settle { left: Duration },
    /// An earlier confirmation of the payment has to be delivered first.
    AwaitEarlier,
    /// It is delivered.
    Done,
    /// It was given up before: its message belongs to the dead letters.
    GivenUp,
    /// The payment has no such confirmation.
    Unknown,
}

/// The next step for confirmation `id` of `known`, at `now`; a lost answer is read back only after `settle_time`.
pub(crate) fn next(known: &Known, id: ConfirmationId, now: Moment, settle_time: Duration) -> Step {
    let Some(confirmation) = known.confirmations.iter().find(|one| one.id == id) else {
        return Step::Unknown;
    };
    match confirmation.delivery {
        Delivery::Delivered { .. } => Step::Done,
        Delivery::DeadLettered => Step::GivenUp,
        Delivery::Queued if earlier(known, confirmation).any(|one| !one.is_settled()) => {
            Step::AwaitEarlier
        }
        Delivery::Queued => Step::Send {
            earlier: earlier_record(known, confirmation),
        },
        Delivery::Sending { since } => match settle_time.checked_sub(now.since(since)) {
            Some(left) if !left.is_zero() => Step::Settle { left },
            Some(_) | None => Step::ReadBack,
        },
    }
}

/// Cleeng's id of the record that this confirmation changes.
///
/// Only an authorisation can be changed into something else, and only once; after a rejection a capture is a record of its own.
/// What goes back changes the record of the capture, whichever report made it. For payment details it is the id of the new ones.
pub(crate) fn earlier_record(
    known: &Known,
    confirmation: &Confirmation,
) -> Option<CleengPaymentId> {
    let of_what_went_back = matches!(confirmation.report, Report::Refunded | Report::ChargedBack);
    let mut record = None;
    for one in earlier(known, confirmation) {
        let id = match one.delivery {
            Delivery::Delivered { cleeng_payment_id } => cleeng_payment_id,
            Delivery::Queued | Delivery::Sending { .. } | Delivery::DeadLettered => {
                // The old details stay while the subscription does not have the new ones.
                if one.report.is_about_details() {
                    record = None;
                }
                continue;
            }
        };
        record = match one.report {
            Report::Authorized => id,
            Report::Captured | Report::Refunded | Report::ChargedBack if of_what_went_back => {
                id.or(record)
            }
            Report::Captured | Report::Refunded | Report::ChargedBack => record,
            Report::Rejected | Report::Cancelled => None,
            Report::DetailsMade => id,
            Report::DetailsAttached | Report::DetailsReplaced => record,
        };
    }
    record
}

/// How long until an operator has to know that the news is still undelivered; nothing when the order has no end, or when the news
/// change a record that Cleeng has: a record outlives its order.
///
/// The notice is the last tenth of the time between payment and order's end, at most two hours: enough to act in.
pub(crate) fn time_until_notice(
    known: &Known,
    id: ConfirmationId,
    now: Moment,
) -> Option<Duration> {
    let payment = &known.payment;
    let confirmation = known.confirmations.iter().find(|one| one.id == id)?;
    if earlier_record(known, confirmation).is_some() {
        return None;
    }
    let end = payment.order.as_ref().and_then(|order| order.expires_at)?;
    let lifetime = end.since(payment.created_at);
    let notice = lifetime
        .checked_div(10)
        .unwrap_or_default()
        .min(LONGEST_NOTICE);
    Some(end.since(now.plus(notice)))
}

fn earlier<'a>(
    known: &'a Known,
    confirmation: &'a Confirmation,
) -> impl Iterator<Item = &'a Confirmation> {
    known
        .confirmations
        .iter()
        .filter(|one| one.sequence < confirmation.sequence)
}

#[cfg(test)]
mod tests;
