//! What the simulated gateway's objects and events say. Pure; nothing where an object lacks what its status promises.

use super::{Asked, no, wire};
use crate::domain::attempt::Stage;
use crate::domain::ids::{GatewayRef, ObjectRef};
use crate::domain::moment::Moment;
use crate::domain::money_back::{Dispute, DisputeState, Refund, RefundState};
use crate::domain::outcome::{Decline, DeclineClass, NextAction, Outcome, StoredMethod};
use crate::gateway::{About, BadEvent, Event, Verified};
use crate::http::{is_code, is_path_segment};

/// What a successful answer says.
pub(super) fn outcome(body: &[u8], asked: Asked) -> Option<Outcome> {
    match asked {
        Asked::Sent(Stage::Refund) => serde_json::from_slice(body).ok().and_then(refunded),
        Asked::Sent(Stage::Remove) => {
            let answer: wire::Removed = serde_json::from_slice(body).ok()?;
            answer.removed.then_some(Outcome::Removed)
        }
        Asked::Sent(
            Stage::Customer
            | Stage::Create
            | Stage::Charge
            | Stage::Cancel
            | Stage::Capture
            | Stage::Void
            | Stage::Save,
        )
        | Asked::Read => {
            let kind: wire::Kind = serde_json::from_slice(body).ok()?;
            match kind.object.as_deref() {
                Some("method") => serde_json::from_slice(body).ok().and_then(kept),
                _ => serde_json::from_slice(body).ok().and_then(charge),
            }
        }
    }
}

/// What a charge says about a payment.
pub(super) fn charge(charge: wire::Charge) -> Option<Outcome> {
    let reference = reference(charge.id)?;
    let stored = charge.stored_method.map(stored);
    Some(match charge.status {
        wire::Status::Captured => Outcome::Captured {
            reference,
            amount: charge.captured_amount.unwrap_or(charge.amount),
            stored,
        },
        wire::Status::Authorized => Outcome::Authorized {
            reference,
            amount: charge.amount,
            stored,
            capture_before: charge.capture_before.map(Moment::from_unix_seconds),
        },
        wire::Status::Declined => Outcome::Rejected {
            reference: Some(reference),
            decline: decline(charge.decline?),
        },
        wire::Status::RequiresAction => Outcome::RequiresAction {
            reference,
            action: action(charge.action?),
        },
        wire::Status::Pending => Outcome::Pending { reference },
        wire::Status::Cancelled => Outcome::Cancelled { reference },
        wire::Status::Expired => Outcome::Lapsed {
            reference: Some(reference),
        },
    })
}

/// What a method says that was to be kept without a charge.
fn kept(method: wire::KeptMethod) -> Option<Outcome> {
    let reference = reference(method.id)?;
    Some(match method.status {
        wire::KeptStatus::Saved => Outcome::Saved {
            reference,
            stored: stored(method.stored_method?),
        },
        wire::KeptStatus::Declined => Outcome::Rejected {
            reference: Some(reference),
            decline: decline(method.decline?),
        },
        wire::KeptStatus::RequiresAction => Outcome::RequiresAction {
            reference,
            action: action(method.action?),
        },
        wire::KeptStatus::Cancelled => Outcome::Cancelled { reference },
    })
}

fn refunded(found: wire::Refund) -> Option<Outcome> {
    Some(Outcome::Refunded {
        reference: reference(found.charge.clone())?,
        refund: refund(found)?,
    })
}

pub(super) fn refund(found: wire::Refund) -> Option<Refund> {
    Some(Refund {
        reference: object(found.id)?,
        id: found.reference.and_then(|id| id.parse().ok()),
        amount: found.amount,
        state: match found.status {
            wire::RefundStatus::Succeeded => RefundState::Done,
            wire::RefundStatus::Pending => RefundState::Pending,
            wire::RefundStatus::Failed => RefundState::Failed {
                code: found
                    .failure
                    .filter(|code| is_code(code))
                    .unwrap_or_else(|| "failed".to_owned()),
            },
        },
    })
}

pub(super) fn dispute(found: wire::Dispute) -> Option<Dispute> {
    Some(Dispute {
        reference: object(found.id)?,
        amount: found.amount,
        state: match found.status {
            wire::DisputeStatus::Inquiry => DisputeState::Inquiry,
            wire::DisputeStatus::Open => DisputeState::Open,
            wire::DisputeStatus::Won => DisputeState::Won,
            wire::DisputeStatus::Lost => DisputeState::Lost,
        },
    })
}

/// Reads a webhook's body whose signature has been checked.
pub(super) fn event(raw: &[u8]) -> Result<Verified, BadEvent> {
    let event: wire::Event = serde_json::from_slice(raw).map_err(|_| BadEvent::Unreadable)?;
    let (about, object) = match event.kind.as_str() {
        "charge.updated" => (About::Payment, event.charge),
        "refund.updated" => (About::Refunds, event.charge),
        "dispute.updated" => (About::Disputes, event.charge),
        "method.updated" => (About::Saving, event.method),
        _ => return Ok(Verified::NotOurs { kind: event.kind }),
    };
    let object = object.ok_or(BadEvent::Unreadable)?;
    if !is_path_segment(&object.id) || !is_path_segment(&event.id) {
        return Err(BadEvent::Unreadable);
    }
    Ok(Verified::Event(Event {
        id: event.id,
        kind: event.kind,
        about,
        reference: GatewayRef(object.id),
        payment_id: object.reference.and_then(|id| id.parse().ok()),
    }))
}

fn reference(id: String) -> Option<GatewayRef> {
    is_path_segment(&id).then_some(GatewayRef(id))
}

fn object(id: String) -> Option<ObjectRef> {
    is_path_segment(&id).then_some(ObjectRef(id))
}

fn action(action: wire::Action) -> NextAction {
    match action {
        wire::Action::Redirect { url } => NextAction::Redirect { url },
    }
}

fn stored(method: wire::StoredMethod) -> StoredMethod {
    StoredMethod {
        token: method.token,
        variant: method.brand,
        last_four: method.last4,
        expiry: method.expiry,
        holder: None,
    }
}

/// Its classes are ours by name. One that we do not know is soft: it neither bans the method nor blames the payer.
fn decline(decline: wire::Decline) -> Decline {
    let class = [
        DeclineClass::Soft,
        DeclineClass::Technical,
        DeclineClass::NeedsCustomer,
        DeclineClass::Hard,
        DeclineClass::Fraud,
    ]
    .into_iter()
    .find(|class| class.label() == decline.class)
    .unwrap_or(DeclineClass::Soft);
    let code = Some(decline.code).filter(|code| is_code(code));
    no(class, code.as_deref().unwrap_or("unknown"))
}
