//! The simulated gateway's request and its charge as JSON.

use serde::Deserialize;
use serde_json::{Value, json};

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
    pub(crate) return_url: Option<String>,
}

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
    let decline = charge
        .decline
        .filter(|_| status == Status::Declined)
        .map(|(class, code)| json!({ "class": class, "code": code }));
    let action = (status == Status::RequiresAction).then(|| {
        let base = public_url.trim_end_matches('/');
        json!({ "type": "redirect", "url": format!("{base}/simulated/3ds/{}", charge.id) })
    });
    let stored = charge.stored.as_ref().filter(|_| status.holds_money());
    json!({
        "id": charge.id,
        "reference": charge.reference,
        "status": status.name(),
        "amount": { "value": charge.value, "currency": charge.currency },
        "decline": decline,
        "action": action,
        "storedMethod": stored.map(|token| json!({
            "token": token, "brand": "visa", "last4": "4242", "expiry": "03/2030",
        })),
    })
}

pub(crate) fn error(code: &str, message: &str, field: Option<&str>) -> Value {
    let mut error = json!({ "code": code, "message": message });
    if let (Some(fields), Some(field)) = (error.as_object_mut(), field) {
        fields.insert("field".to_owned(), json!(field));
    }
    json!({ "error": error })
}
