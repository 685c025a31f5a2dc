//! Payment details: how a method is given to Cleeng, and switched off. Pure.

use super::report::{json, refusal, specific_params};
use super::wire;
use crate::domain::failure::CallError;
use crate::domain::ids::{CleengPaymentId, PaymentDetailsId};
use crate::domain::outcome::StoredMethod;
use crate::domain::secret::Secret;
use crate::http::{Answer, Purpose, unreadable};

/// A method that is given to Cleeng, to charge later payments with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NewPaymentDetails<'a> {
    pub(crate) customer_id: u64,
    pub(crate) payment_method_id: u64,
    pub(crate) stored: &'a StoredMethod,
    /// Whether renewals are charged with it from now on, or it is only kept.
    pub(crate) active: bool,
}

/// The body that gives Cleeng a method.
pub(super) fn body(new: &NewPaymentDetails<'_>) -> Option<Secret<String>> {
    json(&wire::NewDetails {
        customer_id: new.customer_id,
        token: new.stored.token.reveal(),
        payment_method_id: new.payment_method_id,
        payment_method_specific_params: specific_params(new.stored),
        active: new.active,
    })
}

/// Cleeng's id of them. An answer without one leaves in doubt whether they were made.
pub(super) fn created(answer: &Answer) -> Result<PaymentDetailsId, CallError> {
    if !answer.is_success() {
        return Err(refusal(answer, Purpose::Charge));
    }
    let made: wire::Made =
        serde_json::from_slice(&answer.body).map_err(|_| unreadable(Purpose::Charge))?;
    if made.success == Some(false) {
        let code = "not_accepted".to_owned();
        return Err(CallError::Refused { code });
    }
    made.data
        .and_then(|data| data.id)
        .or(made.payment_details.and_then(|details| details.id))
        .or(made.id)
        .map(PaymentDetailsId)
        .ok_or(unreadable(Purpose::Charge))
}

/// The body that switches them off.
pub(super) fn deactivation() -> Option<Secret<String>> {
    json(&wire::Activity { active: false })
}

/// The body that has a subscription renewed with them.
pub(super) fn attachment(new: PaymentDetailsId) -> Option<Secret<String>> {
    json(&wire::Attachment {
        payment_details_id: new.0,
    })
}

/// What a confirmation keeps of payment details.
pub(super) fn record(id: PaymentDetailsId) -> Result<CleengPaymentId, CallError> {
    let number = i64::try_from(id.0).map_err(|_| unreadable(Purpose::Charge))?;
    Ok(CleengPaymentId(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::failure::Cause;
    use crate::gateway::sample::stored_method;
    use axum::http::HeaderMap;
    use serde_json::{Value, json};

    fn answer(status: u16, body: &str) -> Answer {
        Answer::new(status, HeaderMap::new(), body.as_bytes().to_vec())
    }

    fn refused(code: &str) -> CallError {
        CallError::Refused { code: code.into() }
    }

    #[test]
    fn a_method_is_given_with_its_token_and_what_may_be_shown() {
        let stored = stored_method("cus_1|pm_1");
        let new = NewPaymentDetails {
            customer_id: 123_321_123,
            payment_method_id: 123_876_432,
            stored: &stored,
            active: true,
        };
        let sent = body(&new).unwrap();
        assert!(!format!("{sent:?} {new:?}").contains("pm_1"));
        let sent: Value = serde_json::from_str(sent.reveal()).unwrap();
        let expected = json!({
            "customerId": 123321123, "token": "cus_1|pm_1", "paymentMethodId": 123876432, "active": true,
            "paymentMethodSpecificParams": {"variant": "visa", "lastCardFourDigits": "4242", "cardExpirationDate": "03/2030"},
        });
        assert_eq!(sent, expected);
        assert_eq!(deactivation().unwrap().reveal(), r#"{"active":false}"#);
        let attached = attachment(PaymentDetailsId(665_665_665)).unwrap();
        assert_eq!(attached.reveal(), r#"{"paymentDetailsId":665665665}"#);
    }

    #[test]
    fn the_id_of_new_details_is_read_or_they_are_in_doubt() {
        for body in [
            r#"{"success":true,"message":"","data":{"id":665665665,"token":"tok"}}"#,
            r#"{"paymentDetails":{"id":"665665665"}}"#,
            r#"{"id":665665665}"#,
        ] {
            let made = created(&answer(200, body));
            assert_eq!(made, Ok(PaymentDetailsId(665_665_665)), "{body}");
        }
        let unknown = |cause| CallError::Unknown { cause };
        let broken = CallError::Broken {
            code: "http_401".to_owned(),
        };
        let limited = CallError::NotDone {
            cause: Cause::RateLimited,
            retry_after: None,
        };
        for (status, body, reaction) in [
            (200, "", unknown(Cause::Unreadable)),
            (200, "{}", unknown(Cause::Unreadable)),
            (200, "<html>", unknown(Cause::Unreadable)),
            (200, r#"{"success":false}"#, refused("not_accepted")),
            (400, r#"{"message":"A B"}"#, refused("400")),
            (422, "", refused("422")),
            (401, "", broken),
            (408, "", unknown(Cause::InFlight)),
            (409, "", unknown(Cause::InFlight)),
            (429, "", limited),
            (503, "", unknown(Cause::ServerError)),
            (302, "", unknown(Cause::Unreadable)),
        ] {
            let made = created(&answer(status, body));
            assert_eq!(made, Err(reaction), "{status} {body}");
        }
    }
}
