//! Which payments are authorized with stored payment details: the only read of payments that Cleeng documents. Pure.

use serde_json::value::RawValue;

use super::report::refusal;
use super::wire;
use crate::domain::failure::CallError;
use crate::domain::ids::{CleengPaymentId, OrderId, PaymentDetailsId};
use crate::http::{Answer, Purpose, unreadable};

/// A payment that Cleeng has on record as authorized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuthorisedPayment {
    pub(crate) id: CleengPaymentId,
    pub(crate) order_id: Option<OrderId>,
    /// The gateway's id.
    pub(crate) external_id: Option<String>,
    pub(crate) status: RecordStatus,
}

/// Whether a listed payment is what the list is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordStatus {
    Authorized,
    Other,
}

pub(super) fn path(details: PaymentDetailsId) -> String {
    format!("/payment_details/{details}/authorised_payments")
}

/// The list, whole or not at all: an entry that cannot be read could be the one that counts.
pub(super) fn read(answer: &Answer) -> Result<Vec<AuthorisedPayment>, CallError> {
    if !answer.is_success() {
        return Err(refusal(answer, Purpose::Read));
    }
    unwrap(&answer.body).ok_or_else(|| unreadable(Purpose::Read))
}

/// What stands around the list is not documented: nothing, or one of these.
fn unwrap(body: &[u8]) -> Option<Vec<AuthorisedPayment>> {
    let text = std::str::from_utf8(body).ok()?;
    let list = match serde_json::from_str::<wire::ListWrapper<'_>>(text) {
        Ok(outer) if !text.trim_start().starts_with('[') => {
            outer.data.or(outer.payments).or(outer.items)?
        }
        Ok(_) | Err(_) => serde_json::from_str::<&RawValue>(text).ok()?,
    };
    let found: Vec<wire::Recorded> = serde_json::from_str(list.get()).ok()?;
    found.into_iter().map(recorded).collect()
}

fn recorded(found: wire::Recorded) -> Option<AuthorisedPayment> {
    let order_id = match found.order_id {
        Some(number) => Some(OrderId::try_from(number).ok()?),
        None => None,
    };
    Some(AuthorisedPayment {
        id: i64::try_from(found.id).ok().map(CleengPaymentId)?,
        order_id,
        external_id: found.external_payment_id,
        // Without a word it is what was asked for. Cleeng's texts write the other word with an s.
        status: match found.status.as_deref() {
            None | Some("authorized" | "authorised") => RecordStatus::Authorized,
            Some(_) => RecordStatus::Other,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::failure::Cause;
    use axum::http::HeaderMap;
    use serde_json::{Value, json};

    fn sample() -> Value {
        json!([
            {"id": 77, "orderId": 123456789, "status": "authorized", "externalPaymentId": "pi_1", "totalAmount": 9.99},
            {"id": "78", "orderId": null, "externalPaymentId": null},
            {"id": 79, "status": "captured"},
        ])
    }

    fn read_(status: u16, body: &str) -> Result<Vec<AuthorisedPayment>, CallError> {
        read(&Answer::new(
            status,
            HeaderMap::new(),
            body.as_bytes().to_vec(),
        ))
    }

    #[test]
    fn the_list_is_found_in_each_of_its_wrappers() {
        let payment = |id, order_id, external_id: Option<&str>, status| AuthorisedPayment {
            id: CleengPaymentId(id),
            order_id,
            external_id: external_id.map(str::to_owned),
            status,
        };
        let order = Some(OrderId(123_456_789));
        let expected = vec![
            payment(77, order, Some("pi_1"), RecordStatus::Authorized),
            payment(78, None, None, RecordStatus::Authorized),
            payment(79, None, None, RecordStatus::Other),
        ];
        for body in [
            sample(),
            json!({"success": true, "data": sample()}),
            json!({"payments": sample()}),
            json!({"items": sample(), "message": ""}),
        ] {
            let read = read_(200, &body.to_string());
            assert_eq!(read, Ok(expected.clone()), "{body}");
        }
        for body in ["[]", " [ ]", r#"{"data":[]}"#] {
            assert_eq!(read_(200, body), Ok(Vec::new()), "{body}");
        }
    }

    #[test]
    fn a_list_is_read_whole_or_not_at_all() {
        let refused = |code: &str| CallError::Refused { code: code.into() };
        let not_done = |cause| CallError::NotDone {
            cause,
            retry_after: None,
        };
        let broken = CallError::Broken {
            code: "http_403".to_owned(),
        };
        for (status, body, reaction) in [
            (200, "", refused("unreadable")),
            (200, "{}", refused("unreadable")),
            (200, "<html>", refused("unreadable")),
            (200, r#"{"data":null}"#, refused("unreadable")),
            (200, r#"[{"id":1},{"status":"x"}]"#, refused("unreadable")),
            (200, r#"[{"id":1,"orderId":0}]"#, refused("unreadable")),
            (404, r#"{"message":"A B"}"#, refused("404")),
            (403, "", broken),
            (429, "", not_done(Cause::RateLimited)),
            (500, "", not_done(Cause::ServerError)),
        ] {
            assert_eq!(read_(status, body), Err(reaction), "{status} {body}");
        }
    }
}
