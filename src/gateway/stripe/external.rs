//! Stripe's webhooks about subscriptions that it bills itself, as far as Cleeng has to be told of them.
//!
//! They carry Cleeng's ids in the subscription's metadata (`customerId`, `offerId`); those without are another application's. A
//! payment is named by its invoice: since invoices may be paid in parts, they name no single payment.

mod wire;

use serde::Deserialize;

use self::wire::{Before, Event, Invoice, Metadata, Subscription};
use super::amount::from_stripe;
use crate::domain::external::{Bill, Cause, ExternalEvent, Happened, Turn};
use crate::domain::ids::GatewayRef;
use crate::domain::moment::Moment;
use crate::gateway::{BadEvent, Verified};
use crate::http::is_path_segment;

/// Stripe says why a payment failed at the payment, not at its invoice.
const FAILED: &str = "payment_failed";

/// Which subscription an event is about, and what happened to it.
struct News {
    subscription: String,
    metadata: Option<Metadata>,
    happened: Happened,
}

/// Whether an event of this kind is about such a subscription.
pub(super) fn is_about(kind: &str) -> bool {
    matches!(
        kind,
        "invoice.paid"
            | "invoice.payment_failed"
            | "customer.subscription.updated"
            | "customer.subscription.deleted"
    )
}

/// Reads a body whose signature and mode have been checked.
///
/// # Errors
/// `Unreadable` when something is missing that Cleeng has to be told.
pub(super) fn read(raw: &[u8], payment_method_id: u64) -> Result<Verified, BadEvent> {
    let event: Event<'_> = serde_json::from_slice(raw).map_err(|_| BadEvent::Unreadable)?;
    let news = match event.kind.as_str() {
        "invoice.paid" | "invoice.payment_failed" => invoice(&event)?,
        _ => subscription(&event)?,
    };
    let kind = event.kind;
    let Some(news) = news else {
        return Ok(Verified::NotOurs { kind });
    };
    let Some((customer_id, offer_id)) = news.metadata.and_then(names) else {
        return Ok(Verified::NotOurs { kind });
    };
    if !is_path_segment(&news.subscription) || !is_path_segment(&event.id) {
        return Err(BadEvent::Unreadable);
    }
    let told = ExternalEvent {
        subscription: news.subscription,
        customer_id,
        offer_id,
        payment_method_id,
        happened_at: Moment::from_unix_seconds(event.created),
        happened: news.happened,
    };
    Ok(Verified::External {
        id: event.id,
        event: Box::new(told),
    })
}

fn names(metadata: Metadata) -> Option<(u64, String)> {
    Some((metadata.customer_id?.parse().ok()?, metadata.offer_id?))
}

/// None: an invoice without a subscription.
fn invoice(event: &Event<'_>) -> Result<Option<News>, BadEvent> {
    let invoice: Invoice = object(event)?;
    let Some(of) = invoice
        .parent
        .and_then(|parent| parent.subscription_details)
    else {
        return Ok(None);
    };
    let net = invoice.total_excluding_tax.unwrap_or(invoice.total);
    let money = |number: i64| {
        from_stripe(number, &invoice.currency)
            .ok()
            .filter(|money| money.minor >= 0)
            .ok_or(BadEvent::Unreadable)
    };
    if !is_path_segment(&invoice.id) {
        return Err(BadEvent::Unreadable);
    }
    let bill = Bill {
        payment: GatewayRef(invoice.id),
        turn: match invoice.billing_reason.as_deref() {
            Some("subscription_create") => Turn::First,
            Some(_) | None => Turn::Later,
        },
        net: money(net)?,
        tax: match invoice.total_excluding_tax {
            Some(net) => Some(money(invoice.total.saturating_sub(net))?),
            None => None,
        },
        country: invoice.customer_address.and_then(|address| address.country),
    };
    let lines = invoice.lines.map(|lines| lines.data).unwrap_or_default();
    let ends = lines.into_iter().filter_map(|line| line.period);
    let happened = match event.kind.as_str() {
        "invoice.paid" => Happened::Paid {
            bill,
            paid_until: ends
                .map(|period| Moment::from_unix_seconds(period.end))
                .max(),
        },
        _ => Happened::Unpaid {
            bill,
            reason: FAILED.to_owned(),
        },
    };
    Ok(Some(News {
        subscription: of.subscription,
        metadata: of.metadata,
        happened,
    }))
}

/// None: a change that Cleeng need not know.
fn subscription(event: &Event<'_>) -> Result<Option<News>, BadEvent> {
    let subscription: Subscription = object(event)?;
    let happened = match (event.kind.as_str(), &event.data.previous_attributes) {
        ("customer.subscription.deleted", _) => {
            let details = subscription.cancellation_details;
            let reason = details.and_then(|details| details.reason);
            Happened::Ended(match reason.as_deref() {
                Some("payment_failed" | "payment_disputed") => Cause::Unpaid,
                Some(_) | None => Cause::Asked,
            })
        }
        (_, Some(before)) if has_new_owner(before) => Happened::Transferred,
        (_, Some(before)) if before.cancel_at || before.cancel_at_period_end => {
            match subscription.cancel_at_period_end || subscription.cancel_at.is_some() {
                true => Happened::Cancelled,
                // The cancellation was taken back: Cleeng is not told of that yet.
                false => return Ok(None),
            }
        }
        (_, Some(_) | None) => return Ok(None),
    };
    Ok(Some(News {
        subscription: subscription.id,
        metadata: subscription.metadata,
        happened,
    }))
}

fn has_new_owner(before: &Before) -> bool {
    before
        .metadata
        .as_ref()
        .is_some_and(|metadata| metadata.contains_key("customerId"))
}

fn object<'a, T: Deserialize<'a>>(event: &Event<'a>) -> Result<T, BadEvent> {
    serde_json::from_str(event.data.object.get()).map_err(|_| BadEvent::Unreadable)
}

#[cfg(test)]
mod tests;
