//! What Cleeng says about a subscription, and how it is ended. Pure.

use serde_json::value::RawValue;

use super::order::{is_cleengs, unix_seconds};
use super::report::{Verb, json, refusal};
use super::wire;
use crate::config::{TerminationCall, TerminationType};
use crate::domain::failure::CallError;
use crate::domain::ids::SubscriptionId;
use crate::domain::moment::Moment;
use crate::domain::secret::Secret;
use crate::http::{Answer, Purpose};

/// A subscription, as far as it is renewed and ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subscription {
    pub(crate) id: SubscriptionId,
    pub(crate) status: SubscriptionStatus,
    /// The end of what is paid for.
    pub(crate) date_to: Option<Moment>,
    /// Cleeng's `nextPaymentActionDate`.
    pub(crate) next_payment_at: Option<Moment>,
    /// The gateway's id of its latest payment.
    pub(crate) latest_payment: Option<String>,
    pub(crate) is_externally_managed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SubscriptionStatus {
    Active,
    /// Cancelled: it runs to its end.
    Stopped,
    /// No access any more.
    Terminated,
    Paused,
    /// A word that Cleeng's reference does not have.
    Other,
}

/// The subscription `asked`; none when Cleeng says that it has no such subscription.
pub(super) fn read(
    answer: &Answer,
    asked: SubscriptionId,
) -> Result<Option<Subscription>, CallError> {
    if answer.status == 404 && is_cleengs(answer) {
        return Ok(None);
    }
    if !answer.is_success() {
        return Err(refusal(answer, Purpose::Read));
    }
    match unwrap(&answer.body, asked) {
        Some(subscription) => Ok(Some(subscription)),
        None => Err(CallError::Refused {
            code: "unreadable_subscription".to_owned(),
        }),
    }
}

fn unwrap(body: &[u8], asked: SubscriptionId) -> Option<Subscription> {
    let text = std::str::from_utf8(body).ok()?;
    let outer: wire::SubscriptionWrapper<'_> = serde_json::from_str(text).ok()?;
    let found = outer.subscription.or(outer.data).map(RawValue::get);
    let found: wire::Subscription = serde_json::from_str(found.unwrap_or(text)).ok()?;
    let is_asked = found.subscription_id.is_none_or(|id| id == asked.0);
    is_asked.then_some(Subscription {
        id: asked,
        status: status(found.status.as_deref()?),
        date_to: found.date_to.and_then(unix_seconds),
        next_payment_at: found.next_payment_action_date.and_then(unix_seconds),
        latest_payment: found.latest_payment_external_id,
        is_externally_managed: found.is_externally_managed.unwrap_or(false),
    })
}

fn status(word: &str) -> SubscriptionStatus {
    match word {
        "active" => SubscriptionStatus::Active,
        "stopped" => SubscriptionStatus::Stopped,
        "terminated" => SubscriptionStatus::Terminated,
        "paused" => SubscriptionStatus::Paused,
        _ => SubscriptionStatus::Other,
    }
}

/// The request that ends a subscription.
pub(super) fn termination(
    id: SubscriptionId,
    kind: TerminationType,
    call: TerminationCall,
) -> (Verb, String, Option<Secret<String>>) {
    match call {
        TerminationCall::Post => {
            let termination_type = kind.label();
            (
                Verb::Post,
                format!("/subscriptions/{id}/terminate"),
                json(&wire::Termination { termination_type }),
            )
        }
        // The older way has no word for the reason.
        TerminationCall::Patch => {
            let status = "terminated";
            (
                Verb::Patch,
                format!("/subscriptions/{id}"),
                json(&wire::StatusChange { status }),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::failure::Cause;
    use axum::http::HeaderMap;
    use serde_json::{Value, json};

    const ID: SubscriptionId = SubscriptionId(332_332_332);

    fn sample() -> Value {
        json!({
            "subscriptionId": 332332332, "status": "active", "dateFrom": 1690000000, "dateTo": 1700000000,
            "nextPaymentAction": "authorise", "nextPaymentActionDate": "1699740800", "latestPaymentExternalId": "pi_1",
            "isExternallyManaged": false, "externalProperties": null, "renewalCycle": {"completed": 1},
        })
    }

    fn read_(status: u16, body: &str) -> Result<Option<Subscription>, CallError> {
        let answer = Answer::new(status, HeaderMap::new(), body.as_bytes().to_vec());
        read(&answer, ID)
    }

    #[test]
    fn a_subscription_is_found_in_each_of_its_wrappers() {
        let expected = Subscription {
            id: ID,
            status: SubscriptionStatus::Active,
            date_to: Some(Moment::from_unix_seconds(1_700_000_000)),
            next_payment_at: Some(Moment::from_unix_seconds(1_699_740_800)),
            latest_payment: Some("pi_1".to_owned()),
            is_externally_managed: false,
        };
        for body in [
            sample(),
            json!({"success": true, "subscription": sample(), "message": ""}),
            json!({"success": true, "data": sample()}),
        ] {
            let read = read_(200, &body.to_string());
            assert_eq!(read, Ok(Some(expected.clone())), "{body}");
        }
    }

    #[test]
    fn a_status_is_an_open_word_and_the_rest_may_be_missing() {
        for (word, status) in [
            ("stopped", SubscriptionStatus::Stopped),
            ("terminated", SubscriptionStatus::Terminated),
            ("paused", SubscriptionStatus::Paused),
            ("dreaming", SubscriptionStatus::Other),
        ] {
            let body = json!({"status": word, "dateTo": null, "isExternallyManaged": true});
            let read = read_(200, &body.to_string()).unwrap().unwrap();
            assert_eq!(read.status, status);
            assert_eq!((read.date_to, read.next_payment_at), (None, None));
            assert!(read.is_externally_managed && read.latest_payment.is_none());
        }
    }

    #[test]
    fn what_is_no_such_subscription_is_told_from_what_cannot_be_read() {
        let refused = |code: &str| Err(CallError::Refused { code: code.into() });
        let not_done = |cause| {
            Err(CallError::NotDone {
                cause,
                retry_after: None,
            })
        };
        let broken = Err(CallError::Broken {
            code: "http_401".to_owned(),
        });
        let other = sample().to_string().replace("332332332", "332332333");
        let unreadable = refused("unreadable_subscription");
        for (status, body, reaction) in [
            (404, r#"{"message":"not found"}"#, Ok(None)),
            (404, "<html>", refused("404")),
            (401, "", broken),
            (422, r#"{"message":"A B"}"#, refused("422")),
            (429, "", not_done(Cause::RateLimited)),
            (503, "", not_done(Cause::ServerError)),
            (200, "", unreadable.clone()),
            (200, "[]", unreadable.clone()),
            (200, "{}", unreadable.clone()),
            (200, &*other, unreadable),
        ] {
            assert_eq!(read_(status, body), reaction, "{status} {body}");
        }
    }

    #[test]
    fn a_subscription_is_ended_the_newer_or_the_older_way() {
        let told = |call| {
            let (verb, path, body) = termination(ID, TerminationType::UserCancel, call);
            (verb, path, body.unwrap().reveal().clone())
        };
        let newer = r#"{"terminationType":"userCancel"}"#.to_owned();
        let path = "/subscriptions/332332332/terminate".to_owned();
        assert_eq!(told(TerminationCall::Post), (Verb::Post, path, newer));
        let older = r#"{"status":"terminated"}"#.to_owned();
        let path = "/subscriptions/332332332".to_owned();
        assert_eq!(told(TerminationCall::Patch), (Verb::Patch, path, older));
    }
}
