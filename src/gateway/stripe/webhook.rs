//! Stripe's webhooks: genuine, of our mode, and about an intent.

use super::wire::{Event, EventIntent};
use super::{Account, Misfit};
use crate::domain::ids::GatewayRef;
use crate::gateway::{BadEvent, Event as Hint, Verified};
use crate::http::is_path_segment;

/// Reads a body whose signature has been checked.
///
/// # Errors
/// `Unreadable`, or `WrongMode` for an event of test objects at a live key and the other way round.
pub(super) fn read(raw: &[u8], account: &Account) -> Result<Verified, BadEvent> {
    let event: Event<'_> = serde_json::from_slice(raw).map_err(|_| BadEvent::Unreadable)?;
    account
        .check_mode(event.livemode)
        .map_err(|misfit| match misfit {
            Misfit::WrongMode => BadEvent::WrongMode,
            Misfit::Unreadable => BadEvent::Unreadable,
        })?;
    if !event.kind.starts_with("payment_intent.") {
        return Ok(Verified::NotOurs { kind: event.kind });
    }
    let intent: EventIntent =
        serde_json::from_str(event.data.object.get()).map_err(|_| BadEvent::Unreadable)?;
    if !is_path_segment(&intent.id) || !is_path_segment(&event.id) {
        return Err(BadEvent::Unreadable);
    }
    Ok(Verified::Event(Hint {
        id: event.id,
        kind: event.kind,
        reference: GatewayRef(intent.id),
        // An intent of another application in the same account: not our metadata, and not a fault.
        payment_id: intent.metadata.payment_id.and_then(|id| id.parse().ok()),
    }))
}
