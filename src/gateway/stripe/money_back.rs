//! What Stripe's refunds and disputes say. Pure.

use super::amount::from_stripe;
use super::wire;
use super::{Account, Misfit};
use crate::domain::ids::{GatewayRef, ObjectRef};
use crate::domain::money::Money;
use crate::domain::money_back::{Dispute, DisputeState, Refund, RefundState};
use crate::domain::outcome::Outcome;
use crate::http::{is_code, is_path_segment};

/// The answer to a refund that we asked for.
///
/// # Errors
/// `Unreadable` when it does not say of which payment, how much, or how it stands.
pub(super) fn refunded(found: wire::Refund) -> Result<Outcome, Misfit> {
    let of = found.payment_intent.clone().ok_or(Misfit::Unreadable)?;
    if !is_path_segment(&of) {
        return Err(Misfit::Unreadable);
    }
    Ok(Outcome::Refunded {
        reference: GatewayRef(of),
        refund: refund(found)?,
    })
}

/// # Errors
/// As [`refunded`].
pub(super) fn refund(found: wire::Refund) -> Result<Refund, Misfit> {
    let state = match found.status.as_deref() {
        Some("succeeded") => RefundState::Done,
        Some("pending" | "requires_action") => RefundState::Pending,
        Some(status @ ("failed" | "canceled")) => RefundState::Failed {
            code: found
                .failure_reason
                .filter(|reason| is_code(reason))
                .unwrap_or_else(|| status.to_owned()),
        },
        _ => return Err(Misfit::Unreadable),
    };
    Ok(Refund {
        reference: object(found.id)?,
        // Somebody else's refund may have the like of it in its metadata, or nothing.
        id: found
            .metadata
            .and_then(|metadata| metadata.refund_id)
            .and_then(|id| id.parse().ok()),
        amount: money(found.amount, &found.currency)?,
        state,
    })
}

/// # Errors
/// `Unreadable`, or `WrongMode` when it is of the other mode than our key.
pub(super) fn dispute(found: wire::Dispute, account: &Account) -> Result<Dispute, Misfit> {
    account.check_mode(found.livemode)?;
    let state = match found.status.as_str() {
        "needs_response" | "under_review" => DisputeState::Open,
        "won" => DisputeState::Won,
        "lost" => DisputeState::Lost,
        // `prevented`: settled by a refund before it became a dispute; that refund stands among the refunds.
        "warning_needs_response" | "warning_under_review" | "warning_closed" | "prevented" => {
            DisputeState::Inquiry
        }
        _ => return Err(Misfit::Unreadable),
    };
    Ok(Dispute {
        reference: object(found.id)?,
        amount: money(found.amount, &found.currency)?,
        state,
    })
}

fn object(id: String) -> Result<ObjectRef, Misfit> {
    if is_path_segment(&id) {
        Ok(ObjectRef(id))
    } else {
        Err(Misfit::Unreadable)
    }
}

fn money(number: i64, currency: &str) -> Result<Money, Misfit> {
    from_stripe(number, currency).map_err(|_| Misfit::Unreadable)
}
