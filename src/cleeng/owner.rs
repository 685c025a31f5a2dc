//! Whose a subscription or payment details are: asked before a customer changes them by their number. Pure, but for the read.

use serde_json::value::RawValue;

use super::order::is_cleengs;
use super::report::refusal;
use super::{Cleeng, wire};
use crate::domain::failure::CallError;
use crate::domain::ids::{PaymentDetailsId, SubscriptionId};
use crate::http::{Answer, Purpose};

/// What a customer can have at Cleeng, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Belonging {
    Subscription(SubscriptionId),
    /// `GET /payment_details/{id}` is not described in public; it follows from the calls beside it.
    PaymentDetails(PaymentDetailsId),
}

impl Cleeng {
    /// The customer whose it is; none when Cleeng has no such thing.
    ///
    /// # Errors
    /// `NotDone`, `Refused` (`unreadable_owner` included: the answer names no customer) or `Broken`.
    pub(crate) async fn owner(&self, of: Belonging) -> Result<Option<u64>, CallError> {
        let path = match of {
            Belonging::Subscription(id) => format!("/subscriptions/{id}"),
            Belonging::PaymentDetails(id) => format!("/payment_details/{id}"),
        };
        read(&self.read(&path).await?)
    }
}

fn read(answer: &Answer) -> Result<Option<u64>, CallError> {
    if answer.status == 404 && is_cleengs(answer) {
        return Ok(None);
    }
    if !answer.is_success() {
        return Err(refusal(answer, Purpose::Read));
    }
    match customer(&answer.body) {
        Some(customer) => Ok(Some(customer)),
        None => Err(CallError::Refused {
            code: "unreadable_owner".to_owned(),
        }),
    }
}

fn customer(body: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(body).ok()?;
    let outer: wire::Owned<'_> = serde_json::from_str(text).ok()?;
    let inner = outer.subscription.or(outer.payment_details).or(outer.data);
    let inner = inner.map_or(text, RawValue::get);
    let owned: wire::Owned<'_> = serde_json::from_str(inner).ok()?;
    owned.customer_id
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::failure::Cause;
    use axum::http::HeaderMap;

    fn read_(status: u16, body: &str) -> Result<Option<u64>, CallError> {
        read(&Answer::new(
            status,
            HeaderMap::new(),
            body.as_bytes().to_vec(),
        ))
    }

    #[test]
    fn the_customer_is_found_in_each_of_the_wrappers() {
        for body in [
            r#"{"subscriptionId":7,"customerId":5}"#,
            r#"{"success":true,"subscription":{"customerId":"5"},"message":""}"#,
            r#"{"success":true,"data":{"id":7,"customerId":5}}"#,
            r#"{"paymentDetails":{"customerId":5}}"#,
        ] {
            assert_eq!(read_(200, body), Ok(Some(5)), "{body}");
        }
    }

    #[test]
    fn whose_cannot_be_read_is_not_taken_for_anybodys() {
        let refused = |code: &str| Err(CallError::Refused { code: code.into() });
        let unreadable = || refused("unreadable_owner");
        let not_done = |cause| {
            Err(CallError::NotDone {
                cause,
                retry_after: None,
            })
        };
        let broken = Err(CallError::Broken {
            code: "http_401".to_owned(),
        });
        for (status, body, reaction) in [
            (404, r#"{"message":"not found"}"#, Ok(None)),
            (404, "<html>", refused("404")),
            (401, "", broken),
            (429, "", not_done(Cause::RateLimited)),
            (503, "", not_done(Cause::ServerError)),
            (200, "", unreadable()),
            (200, "[]", unreadable()),
            (200, "{}", unreadable()),
            (200, r#"{"customerId":null}"#, unreadable()),
            (200, r#"{"customerId":"x"}"#, unreadable()),
            // What stands beside the thing is not the thing.
            (200, r#"{"customerId":5,"data":{"id":7}}"#, unreadable()),
            (200, r#"{"customerId":5,"data":[]}"#, unreadable()),
        ] {
            assert_eq!(read_(status, body), reaction, "{status} {body}");
        }
    }
}
