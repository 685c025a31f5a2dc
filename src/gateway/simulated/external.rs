//! The simulated gateway's webhooks about subscriptions that it bills itself.

mod wire;

use wire::{EndReason, Event, Kind, Payment, Reason};

use crate::domain::external::{Bill, Cause, ExternalEvent, Happened, Turn};
use crate::domain::ids::GatewayRef;
use crate::domain::moment::Moment;
use crate::gateway::{BadEvent, Verified};
use crate::http::{is_code, is_path_segment};

/// Cleeng's `externalId` takes no more.
const LONGEST_ID: usize = 120;

/// Whether a body is about such a subscription.
pub(super) fn is_about(raw: &[u8]) -> bool {
    serde_json::from_slice::<Kind>(raw).is_ok_and(|said| said.kind.starts_with("subscription."))
}

/// Reads a webhook's body whose signature has been checked.
///
/// # Errors
/// `Unreadable` when something is missing that Cleeng has to be told.
pub(super) fn event(raw: &[u8], payment_method_id: u64) -> Result<Verified, BadEvent> {
    let event: Event = serde_json::from_slice(raw).map_err(|_| BadEvent::Unreadable)?;
    let subscription = event.subscription;
    let is_named = is_path_segment(&subscription.id) && subscription.id.len() <= LONGEST_ID;
    if !is_named || !is_path_segment(&event.id) {
        return Err(BadEvent::Unreadable);
    }
    let happened = match event.kind.as_str() {
        "subscription.paid" => Happened::Paid {
            bill: bill(event.payment)?.0,
            paid_until: subscription.period_end.map(Moment::from_unix_seconds),
        },
        "subscription.payment_failed" => {
            let (bill, failure) = bill(event.payment)?;
            let reason = failure.filter(|code| is_code(code));
            Happened::Unpaid {
                bill,
                reason: reason.unwrap_or_else(|| "declined".to_owned()),
            }
        }
        "subscription.cancelled" => Happened::Cancelled,
        "subscription.ended" => Happened::Ended(match subscription.end_reason {
            Some(EndReason::Unpaid) => Cause::Unpaid,
            Some(EndReason::Asked) | None => Cause::Asked,
        }),
        "subscription.transferred" => Happened::Transferred,
        _ => return Ok(Verified::NotOurs { kind: event.kind }),
    };
    let told = ExternalEvent {
        subscription: subscription.id,
        customer_id: subscription.metadata.customer_id,
        offer_id: subscription.metadata.offer_id,
        payment_method_id,
        happened_at: Moment(event.created),
        happened,
    };
    Ok(Verified::External {
        id: event.id,
        event: Box::new(told),
    })
}

fn bill(payment: Option<Payment>) -> Result<(Bill, Option<String>), BadEvent> {
    let payment = payment
        .filter(|payment| is_path_segment(&payment.id))
        .ok_or(BadEvent::Unreadable)?;
    let in_one_currency = payment
        .tax
        .is_none_or(|tax| tax.currency == payment.amount.currency && tax.minor >= 0);
    if !in_one_currency || payment.amount.minor < 0 {
        return Err(BadEvent::Unreadable);
    }
    let bill = Bill {
        payment: GatewayRef(payment.id),
        turn: match payment.reason {
            Reason::Begin => Turn::First,
            Reason::Renewal => Turn::Later,
        },
        net: payment.amount,
        tax: payment.tax,
        country: payment.country,
    };
    Ok((bill, payment.failure))
}
