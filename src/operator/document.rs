//! What an operator is shown, as JSON: a payment, a demand, a pause, an entry of the log. No token, no body, no client secret.

use serde_json::{Value, json};

use crate::domain::attempt::{Attempt, AttemptState};
use crate::domain::confirmation::{Confirmation, Delivery};
use crate::domain::deed::Deed;
use crate::domain::demand::Demand;
use crate::domain::ids::GatewayName;
use crate::domain::pause::{Pause, Side};
use crate::domain::payment::Known;
use crate::domain::view::PaymentView;
use crate::ledger::HistoryEntry;

/// A payment with its attempts, confirmations and history.
pub(crate) fn payment(known: &Known, history: &[HistoryEntry]) -> Value {
    json!({
        "payment": shown(&json!(PaymentView::of_known(known))),
        "attempts": known.attempts.iter().map(attempt).collect::<Vec<_>>(),
        "confirmations": known.confirmations.iter().map(confirmation).collect::<Vec<_>>(),
        "history": history.iter().map(|entry| json!({
            "sequence": entry.sequence, "at": entry.at.rfc3339(), "kind": entry.kind, "detail": entry.detail,
        })).collect::<Vec<_>>(),
    })
}

/// A view, or a list of them, without what only the payer's browser may know.
pub(crate) fn shown(view: &Value) -> Value {
    let mut view = view.clone();
    let each = |one: &mut Value| {
        if let Some(action) = one
            .get_mut("nextAction")
            .filter(|action| action.is_object())
        {
            *action = json!({ "type": action.get("type") });
        }
    };
    if let Value::Array(list) = &mut view {
        list.iter_mut().for_each(each);
    } else {
        each(&mut view);
    }
    view
}

pub(crate) fn attempt(attempt: &Attempt) -> Value {
    let (state, cause) = state(attempt);
    json!({
        "number": attempt.number, "stage": attempt.request.stage.label(), "path": attempt.request.path,
        "idempotencyKey": attempt.id, "state": state, "cause": cause,
        "createdAt": attempt.created_at.rfc3339(), "keyExpiresAt": attempt.key_expires_at.rfc3339(),
    })
}

/// The word for an attempt's state, and its cause.
pub(crate) fn state(attempt: &Attempt) -> (&'static str, Option<&'static str>) {
    match attempt.state {
        AttemptState::Open => ("open", None),
        AttemptState::NotDone(cause) => ("not_done", Some(cause.label())),
        AttemptState::Unknown(cause) => ("unknown", Some(cause.label())),
        AttemptState::Answered => ("answered", None),
        AttemptState::Void => ("void", None),
    }
}

pub(crate) fn confirmation(one: &Confirmation) -> Value {
    json!({
        "id": one.id, "sequence": one.sequence, "report": one.report.label(),
        "delivery": delivery(one), "createdAt": one.created_at.rfc3339(),
    })
}

fn delivery(confirmation: &Confirmation) -> Value {
    match confirmation.delivery {
        Delivery::Queued => json!({ "status": "queued" }),
        Delivery::Sending { since } => json!({ "status": "sending", "since": since.rfc3339() }),
        Delivery::Delivered { cleeng_payment_id } => {
            json!({ "status": "delivered", "cleengPaymentId": cleeng_payment_id })
        }
        Delivery::DeadLettered => json!({ "status": "dead_lettered" }),
    }
}

pub(crate) fn demand(demand: &Demand) -> Value {
    json!({
        "id": demand.id.to_string(),
        "asked": demand.asked.label(),
        "state": demand.state.label(),
        "outcome": demand.outcome,
        "gateway": demand.gateway.as_ref().map(GatewayName::as_str),
        "paymentId": demand.payment_id.map(|id| id.to_string()),
        "receivedAt": demand.received_at.rfc3339(),
        "updatedAt": demand.updated_at.rfc3339(),
    })
}

pub(crate) fn pause(pause: &Pause) -> Value {
    let gateway = match &pause.side {
        Side::Gateway(name) => Some(name.as_str()),
        Side::Confirmations => None,
    };
    json!({
        "confirmations": gateway.is_none(), "gateway": gateway,
        "since": pause.since.rfc3339(), "because": pause.because,
    })
}

pub(crate) fn deed(deed: &Deed) -> Value {
    json!({
        "id": deed.id, "at": deed.at.rfc3339(), "deed": deed.kind.label(), "by": deed.operator.by(),
        "reason": deed.operator.because(), "via": deed.operator.via().label(), "subject": deed.subject,
        "paymentId": deed.payment,
    })
}
