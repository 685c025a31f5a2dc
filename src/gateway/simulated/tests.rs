//! The simulated gateway over a socket: what is sent, what each answer means, and webhooks.

use super::super::{About, Event};
use super::*;
use crate::domain::external::{Bill, Cause as EndCause, ExternalEvent, Happened, Turn};
use crate::domain::money::Money;
use crate::gateway::sample::{Ending, PAYMENT_ID, TIMEOUT, answering, key, new_method, payment};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;

mod follow_ups;
mod money_back;

const SECRET: &str = "simsec_1";
const AT: i64 = 1_700_000_000;

fn simulated(base_url: Url) -> Simulated {
    let config = SimulatedConfig {
        base_url,
        secret_key: "sim_key".into(),
        webhook_secrets: vec![SECRET.into()],
        payment_method_id: 123_876_432,
        external_payment_method_id: Some(100_000_003),
        capture: CaptureMode::Automatic,
        timeout: TIMEOUT,
        key_lifetime: Duration::from_secs(72_000),
        limits: crate::gateway::sample::LIMITS,
    };
    Simulated::new(&config, http::client().unwrap()).unwrap()
}

fn offline() -> Simulated {
    simulated("http://127.0.0.1:1/simulated/".parse().unwrap())
}

fn request() -> Prepared {
    let method = new_method(json!({"token": "tok_1"}), true);
    offline().prepare(&payment(999, "EUR", method)).unwrap()
}

/// The meaning in one line.
fn told(meaning: &Result<Outcome, CallError>) -> String {
    match meaning {
        Err(CallError::NotDone { cause, .. }) => format!("not_done {cause}"),
        Err(CallError::Unknown { cause }) => format!("unknown {cause}"),
        Err(CallError::Refused { code }) => format!("refused {code}"),
        Err(CallError::Broken { code }) => format!("broken {code}"),
        Ok(Outcome::Rejected { decline, .. }) => {
            format!("rejected {} {}", decline.class.label(), decline.code)
        }
        Ok(outcome) => outcome.label().to_owned(),
    }
}

async fn charge(ending: Ending) -> (String, String) {
    let call = async |url| simulated(url).send(key(), &request()).await;
    let (meaning, received) = answering(ending, call).await;
    (told(&meaning), received)
}

async fn look_up(ending: Ending) -> (String, String) {
    let reference = GatewayRef("ch_1".to_owned());
    let call = async |url| simulated(url).look_up(&reference).await;
    let (meaning, received) = answering(ending, call).await;
    (told(&meaning), received)
}

#[test]
fn a_charge_is_one_request_and_a_cancellation_another() {
    let charge = request();
    assert_eq!(
        (charge.stage, charge.path.as_str()),
        (Stage::Charge, "/charges")
    );
    let body: Value = serde_json::from_str(charge.body.reveal()).unwrap();
    let expected = json!({
        "amount": {"value": 999, "currency": "EUR"}, "reference": PAYMENT_ID, "method": {"token": "tok_1"},
        "capture": true, "savePaymentMethod": true, "offSession": false, "returnUrl": null,
    });
    assert_eq!(body, expected);
    let cancel = offline().prepare_cancel(&GatewayRef("ch_1".to_owned()));
    assert_eq!(
        (cancel.stage, cancel.path.as_str()),
        (Stage::Cancel, "/charges/ch_1/cancel")
    );
}

#[test]
fn a_stored_method_is_charged_by_its_token() {
    let token = Secret::new("stored_1".to_owned());
    let renewal = payment(5, "JPY", Method::Stored { token });
    let body = offline().prepare(&renewal).unwrap().body;
    assert!(
        body.reveal()
            .contains(r#""method":{"token":"stored_1"},"capture":true,"savePaymentMethod":false,"offSession":true"#)
    );
}

#[tokio::test]
async fn the_prepared_bytes_are_sent_under_the_attempts_key() {
    let (_, received) = charge(Ending::Answer("500 Oh", "")).await;
    let (head, body) = received.split_once("\r\n\r\n").unwrap();
    let head = head.to_lowercase();
    assert_eq!(body, request().body.reveal());
    for line in [
        "post /charges http/1.1",
        "authorization: bearer sim_key",
        "idempotency-key: 00000000-0000-0000-0000-000000000000",
        "content-type: application/json",
    ] {
        assert!(head.lines().any(|found| found == line), "{line} in {head}");
    }
    let (_, received) = look_up(Ending::Answer("500 Oh", "")).await;
    assert!(received.starts_with("GET /charges/ch_1 HTTP/1.1\r\n"));
}

#[tokio::test]
async fn every_answer_and_every_failure_has_its_meaning_on_a_charge_and_on_a_read() {
    let error = |status, body| Ending::Answer(status, body);
    for (ending, on_charge, on_read) in [
        (Ending::Drop, "unknown reset", "not_done reset"),
        (Ending::Hang, "unknown timed_out", "not_done timed_out"),
        (
            error("200 OK", "garbage"),
            "unknown unreadable",
            "refused unreadable",
        ),
        (
            error("200 OK", "{}"),
            "unknown unreadable",
            "refused unreadable",
        ),
        (
            error("400 X", r#"{"error":{"code":"bad_field"}}"#),
            "refused bad_field",
            "refused bad_field",
        ),
        (error("401 X", ""), "broken http_401", "broken http_401"),
        (error("404 X", ""), "refused http_404", "refused http_404"),
        (
            error("409 X", r#"{"error":{"code":"in_flight"}}"#),
            "unknown in_flight",
            "not_done in_flight",
        ),
        (
            error("409 X", r#"{"error":{"code":"already_settled"}}"#),
            "unknown state_conflict",
            "not_done in_flight",
        ),
        (
            error("422 X", r#"{"error":{"code":"idempotency_conflict"}}"#),
            "unknown state_conflict",
            "refused idempotency_conflict",
        ),
        (
            error("429 X", ""),
            "not_done rate_limited",
            "not_done rate_limited",
        ),
        (
            error("500 X", ""),
            "unknown server_error",
            "not_done server_error",
        ),
        (
            error("500 X\r\nIdempotent-Replayed: true", ""),
            "unknown stored_error",
            "not_done server_error",
        ),
    ] {
        assert_eq!(charge(ending).await.0, on_charge);
        assert_eq!(look_up(ending).await.0, on_read);
    }
}

fn outcome_of(more: Value) -> Option<Outcome> {
    let mut charge = json!({
        "id": "ch_1", "reference": PAYMENT_ID, "status": "captured", "amount": {"value": 999, "currency": "EUR"},
        "decline": null, "action": null, "storedMethod": null,
    });
    for (field, value) in more.as_object().unwrap() {
        charge[field] = value.clone();
    }
    serde_json::from_value(charge).ok().and_then(read::charge)
}

#[test]
fn a_charge_tells_its_outcome() {
    let lost = json!({"class": "hard", "code": "lost_card"});
    let strange = json!({"class": "strange", "code": "a text for people"});
    let redirect = json!({"type": "redirect", "url": "https://h.example/x"});
    for (more, meaning) in [
        (json!({}), "captured"),
        (json!({"status": "authorized"}), "authorized"),
        (json!({"status": "pending"}), "pending"),
        (json!({"status": "cancelled"}), "cancelled"),
        (json!({"status": "expired"}), "lapsed"),
        (
            json!({"status": "declined", "decline": lost}),
            "rejected hard lost_card",
        ),
        (
            json!({"status": "declined", "decline": strange}),
            "rejected soft unknown",
        ),
        (
            json!({"status": "requires_action", "action": redirect}),
            "requires_action",
        ),
    ] {
        assert_eq!(told(&Ok(outcome_of(more).unwrap())), meaning);
    }
    for unreadable in [
        json!({"status": "something_new"}),
        json!({"status": "declined"}),
        json!({"status": "requires_action"}),
        json!({"id": "../x"}),
        json!({"amount": {"value": 9.99, "currency": "EUR"}}),
    ] {
        assert_eq!(outcome_of(unreadable), None);
    }
}

#[test]
fn amount_and_stored_method_are_read() {
    let method =
        json!({"token": "stored_1", "brand": "visa", "last4": "4242", "expiry": "03/2030"});
    let expected = Outcome::Captured {
        reference: GatewayRef("ch_1".to_owned()),
        amount: Money {
            minor: 999,
            currency: "EUR".parse().unwrap(),
        },
        stored: Some(crate::gateway::sample::stored_method("stored_1")),
    };
    assert_eq!(
        outcome_of(json!({ "storedMethod": method })),
        Some(expected)
    );
}

fn verify(body: &str, secret: &str) -> Result<Verified, BadEvent> {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{AT}.{body}").as_bytes());
    let tag = hex::encode(mac.finalize().into_bytes());
    let header = format!("t={AT},v1={tag}").parse().unwrap();
    let headers = HeaderMap::from_iter([("simulated-signature".parse().unwrap(), header)]);
    offline().verify(&headers, body.as_bytes(), Moment::from_unix_seconds(AT))
}

#[test]
fn a_webhook_is_taken_only_with_its_signature() {
    let updated = format!(
        r#"{{"id":"evt_1","type":"charge.updated","charge":{{"id":"ch_1","reference":"{PAYMENT_ID}"}}}}"#
    );
    let event = Event {
        id: "evt_1".to_owned(),
        kind: "charge.updated".to_owned(),
        about: About::Payment,
        reference: GatewayRef("ch_1".to_owned()),
        payment_id: Some(PAYMENT_ID.parse().unwrap()),
    };
    assert_eq!(verify(&updated, SECRET), Ok(Verified::Event(event)));
    assert_eq!(verify(&updated, "other"), Err(BadEvent::WrongSignature));
    let other = r#"{"id":"evt_1","type":"account.updated"}"#;
    let kind = "account.updated".to_owned();
    assert_eq!(verify(other, SECRET), Ok(Verified::NotOurs { kind }));
    for broken in [
        "<xml>",
        r#"{"id":"evt_1","type":"charge.updated"}"#,
        r#"{"id":"evt_1","type":"charge.updated","charge":{"id":"../x"}}"#,
    ] {
        assert_eq!(verify(broken, SECRET), Err(BadEvent::Unreadable));
    }
}

#[test]
fn an_event_of_a_subscription_that_is_billed_there_says_all_that_cleeng_has_to_be_told() {
    let body = |kind: &str, payment: &str| {
        format!(
            r#"{{"id":"evt_1","type":"subscription.{kind}","created":1700000000123,"subscription":{{"id":"sub_1",
            "periodEnd":1702592000,"endReason":"unpaid","metadata":{{"customerId":"5","offerId":"S1_US"}}}},"payment":{payment}}}"#
        )
    };
    let payment = r#"{"id":"ch_1","reason":"renewal","amount":{"value":812,"currency":"EUR"},
        "tax":{"value":187,"currency":"EUR"},"country":"DE","failure":"insufficient_funds"}"#;
    let money = |minor| Money {
        minor,
        currency: "EUR".parse().unwrap(),
    };
    let bill = Bill {
        payment: GatewayRef("ch_1".to_owned()),
        turn: Turn::Later,
        net: money(812),
        tax: Some(money(187)),
        country: Some("DE".to_owned()),
    };
    for (kind, happened) in [
        (
            "paid",
            Happened::Paid {
                bill: bill.clone(),
                paid_until: Some(Moment(1_702_592_000_000)),
            },
        ),
        (
            "payment_failed",
            Happened::Unpaid {
                bill,
                reason: "insufficient_funds".to_owned(),
            },
        ),
        ("cancelled", Happened::Cancelled),
        ("ended", Happened::Ended(EndCause::Unpaid)),
        ("transferred", Happened::Transferred),
    ] {
        let event = ExternalEvent {
            subscription: "sub_1".to_owned(),
            customer_id: 5,
            offer_id: "S1_US".to_owned(),
            payment_method_id: 100_000_003,
            happened_at: Moment(1_700_000_000_123),
            happened,
        };
        let expected = Verified::External {
            id: "evt_1".to_owned(),
            event: Box::new(event),
        };
        assert_eq!(verify(&body(kind, payment), SECRET), Ok(expected), "{kind}");
    }
    let kind = "subscription.paused".to_owned();
    assert_eq!(
        verify(&body("paused", "null"), SECRET),
        Ok(Verified::NotOurs { kind })
    );
    let dollars = payment.replace(
        r#""value":187,"currency":"EUR""#,
        r#""value":187,"currency":"USD""#,
    );
    for broken in [
        body("paid", "null"),
        body("paid", &dollars),
        body("paid", payment).replace("ch_1", "../x"),
        body("ended", "null").replace("sub_1", ""),
        body("ended", "null").replace("customerId", "customer"),
    ] {
        let verified = verify(&broken, SECRET);
        assert_eq!(verified, Err(BadEvent::Unreadable), "{broken}");
    }
}
