//! The simulated gateway's requests, and its objects as JSON.

use serde::Deserialize;
use serde_json::{Value, json};

use super::money_back::{Dispute, Refund};
use super::saving::Saving;
use super::world::{Charge, Status};

/// `POST /simulated/charges`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ChargeRequest {
    pub(crate) amount: Amount,
    pub(crate) reference: String,
    pub(crate) method: Method,
    pub(crate) capture: bool,
    pub(crate) save_payment_method: bool,
    /// The payer is not there: only a stored method will do, and nobody can be asked to authenticate.
    #[serde(default)]
    pub(crate) off_session: bool,
    pub(crate) return_url: Option<String>,
}

/// `POST /simulated/charges/{id}/capture`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaptureRequest {
    pub(crate) amount: Amount,
}

/// `POST /simulated/charges/{id}/refunds`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefundRequest {
    pub(crate) amount: Amount,
    pub(crate) reference: String,
}

/// `POST /simulated/methods`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct SavingRequest {
    pub(crate) reference: String,
    pub(crate) method: Method,
    pub(crate) return_url: Option<String>,
}

/// `POST /simulated/methods/remove`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Removal {
    pub(crate) token: String,
}

/// A cancellation has nothing to say.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Amount {
    pub(crate) value: i64,
    pub(crate) currency: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Method {
    pub(crate) token: String,
}

/// The charge, as it is or as it was while still pending.
pub(crate) fn charge(charge: &Charge, status: Status, public_url: &str) -> Value {
    let captured = status == Status::Captured;
    let held = status == Status::Authorized;
    json!({
        "object": "charge",
        "id": charge.id,
        "reference": charge.reference,
        "status": status.name(),
        "amount": money(charge.value, charge),
        "capturedAmount": captured.then(|| money(charge.captured, charge)),
        "refundedAmount": captured.then(|| money(charge.refunded, charge)),
        "captureBefore": held.then_some(charge.capture_before),
        "decline": decline(charge.decline.filter(|_| status == Status::Declined)),
        "action": action(&charge.id, status == Status::RequiresAction, public_url),
        "storedMethod": stored(charge.stored.as_deref().filter(|_| status.holds_money())),
    })
}

pub(crate) fn refund(refund: &Refund, charge: &Charge) -> Value {
    json!({
        "object": "refund",
        "id": refund.id,
        "charge": refund.charge,
        "reference": refund.reference,
        "amount": money(refund.value, charge),
        "status": refund.status.name(),
        "failure": refund.status.failure(),
        "created": refund.created.unix_seconds(),
    })
}

pub(crate) fn dispute(dispute: &Dispute, charge: &Charge) -> Value {
    json!({
        "object": "dispute",
        "id": dispute.id,
        "charge": dispute.charge,
        "amount": money(dispute.value, charge),
        "status": dispute.status.name(),
        "reason": dispute.reason,
        "created": dispute.created.unix_seconds(),
    })
}

/// A method that is kept, or to be kept, without a charge.
pub(crate) fn saving(saving: &Saving, public_url: &str) -> Value {
    json!({
        "object": "method",
        "id": saving.id,
        "reference": saving.reference,
        "status": saving.status.name(),
        "decline": decline(saving.decline),
        "action": action(&saving.id, saving.status.waits(), public_url),
        "storedMethod": stored(saving.stored.as_deref()),
    })
}

pub(crate) fn error(code: &str, message: &str, field: Option<&str>) -> Value {
    let mut error = json!({ "code": code, "message": message });
    if let (Some(fields), Some(field)) = (error.as_object_mut(), field) {
        fields.insert("field".to_owned(), json!(field));
    }
    json!({ "error": error })
}

fn money(value: i64, charge: &Charge) -> Value {
    json!({ "value": value, "currency": charge.currency })
}

fn decline(decline: Option<(&str, &str)>) -> Value {
    match decline {
        Some((class, code)) => json!({ "class": class, "code": code }),
        None => Value::Null,
    }
}

fn action(id: &str, waits: bool, public_url: &str) -> Value {
    if !waits {
        return Value::Null;
    }
    let base = public_url.trim_end_matches('/');
    json!({ "type": "redirect", "url": format!("{base}/simulated/3ds/{id}") })
}

fn stored(token: Option<&str>) -> Value {
    match token {
        Some(token) => {
            json!({ "token": token, "brand": "visa", "last4": "4242", "expiry": "03/2030" })
        }
        None => Value::Null,
    }
}
