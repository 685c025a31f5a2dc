//! Stripe's webhooks: genuine, of our mode, and about an intent or what hangs on one.

use super::wire::{Event, EventObject};
use super::{Account, Misfit, external};
use crate::domain::ids::GatewayRef;
use crate::gateway::{About, BadEvent, Event as Hint, Verified};
use crate::http::is_path_segment;

/// Reads a body whose signature has been checked. With a payment method of its own, also what Stripe bills itself.
///
/// # Errors
/// `Unreadable`, or `WrongMode` for an event of test objects at a live key and the other way round.
pub(super) fn read(
    raw: &[u8],
    account: &Account,
    external_payment_method_id: Option<u64>,
) -> Result<Verified, BadEvent> {
    let event: Event<'_> = serde_json::from_slice(raw).map_err(|_| BadEvent::Unreadable)?;
    account
        .check_mode(event.livemode)
        .map_err(|misfit| match misfit {
            Misfit::WrongMode => BadEvent::WrongMode,
            Misfit::Unreadable | Misfit::Cut => BadEvent::Unreadable,
        })?;
    if let Some(method) = external_payment_method_id
        && external::is_about(&event.kind)
    {
        return external::read(raw, method);
    }
    let Some(about) = about(&event.kind) else {
        return Ok(Verified::NotOurs { kind: event.kind });
    };
    let object: EventObject =
        serde_json::from_str(event.data.object.get()).map_err(|_| BadEvent::Unreadable)?;
    let reference = if is_intent(&event.kind) {
        object.id
    } else {
        // A charge, a refund or a dispute without an intent is none of ours.
        match object.payment_intent {
            Some(intent) => intent,
            None => return Ok(Verified::NotOurs { kind: event.kind }),
        }
    };
    if !is_path_segment(&reference) || !is_path_segment(&event.id) {
        return Err(BadEvent::Unreadable);
    }
    Ok(Verified::Event(Hint {
        id: event.id,
        kind: event.kind,
        about,
        reference: GatewayRef(reference),
        // An object of another application in the same account: not our metadata, and not a fault.
        payment_id: object
            .metadata
            .and_then(|metadata| metadata.payment_id)
            .and_then(|id| id.parse().ok()),
    }))
}

/// What to read after an event of this kind; nothing when it is not about a payment.
fn about(kind: &str) -> Option<About> {
    match kind {
        "charge.expired" => Some(About::Payment),
        "charge.refunded" => Some(About::Refunds),
        _ if kind.starts_with("payment_intent.") => Some(About::Payment),
        _ if kind.starts_with("setup_intent.") => Some(About::Saving),
        // `charge.refund.updated` is the older name of `refund.updated`.
        _ if kind.starts_with("refund.") || kind.starts_with("charge.refund.") => {
            Some(About::Refunds)
        }
        _ if kind.starts_with("charge.dispute.") => Some(About::Disputes),
        _ => None,
    }
}

/// Whether the event's object is the intent itself, not something that hangs on it.
fn is_intent(kind: &str) -> bool {
    kind.starts_with("payment_intent.") || kind.starts_with("setup_intent.")
}
