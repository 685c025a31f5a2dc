//! Every kind of answer, by table.

use super::*;
use crate::domain::outcome::NextAction;
use axum::http::{HeaderMap, HeaderName};
use serde_json::{Value, json};
use std::time::Duration;

mod money_back;
mod stages;

fn account() -> Account {
    Account {
        live: Some(false),
        publishable_key: "pk_test_1".to_owned(),
    }
}

fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
        .collect();
    Answer::new(status, headers, body.as_bytes().to_vec())
}

fn intent(more: Value) -> String {
    let mut intent = json!({
        "id": "pi_1", "livemode": false, "status": "succeeded", "currency": "eur",
        "amount_received": 999, "amount_capturable": 0, "client_secret": "pi_1_secret_x",
        "next_action": null, "last_payment_error": null, "latest_charge": "ch_1",
    });
    for (field, value) in more.as_object().unwrap() {
        intent[field] = value.clone();
    }
    intent.to_string()
}

fn error(error: Value) -> String {
    json!({ "error": error }).to_string()
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

fn charged(status: u16, headers: &[(&'static str, &str)], body: &str) -> String {
    told(&sent(
        Stage::Charge,
        &answer(status, headers, body),
        &account(),
    ))
}

fn looked_up(status: u16, body: &str) -> String {
    told(&read(&answer(status, &[], body), &account()))
}

#[test]
fn an_intent_means_the_same_to_a_call_and_to_a_read() {
    let failed =
        json!({"type": "card_error", "code": "card_declined", "decline_code": "lost_card"});
    let blocked = json!({"outcome": {"type": "blocked"}});
    let redirect = |url: &str| json!({"type": "redirect_to_url", "redirect_to_url": {"url": url}});
    for (more, meaning) in [
        (json!({}), "captured"),
        (
            json!({"status": "requires_capture", "amount_capturable": 999}),
            "authorized",
        ),
        (json!({"status": "processing"}), "pending"),
        (json!({"status": "canceled"}), "cancelled"),
        (json!({"status": "requires_payment_method"}), "opened"),
        (json!({"status": "requires_confirmation"}), "opened"),
        (
            json!({"status": "requires_payment_method", "last_payment_error": failed}),
            "rejected hard lost_card",
        ),
        (
            json!({"status": "requires_payment_method", "last_payment_error": failed, "latest_charge": blocked}),
            "rejected fraud lost_card",
        ),
        (
            json!({"status": "requires_action", "next_action": redirect("https://h.example/x")}),
            "requires_action",
        ),
        (
            json!({"status": "requires_action", "next_action": {"type": "use_stripe_sdk"}}),
            "requires_action",
        ),
    ] {
        let body = intent(more);
        assert_eq!(charged(200, &[], &body), meaning, "{body}");
        assert_eq!(looked_up(200, &body), meaning, "{body}");
    }
}

#[test]
fn a_success_that_cannot_be_read_is_in_doubt_on_a_charge_and_refused_on_a_read() {
    let script = json!({"redirect_to_url": {"url": "javascript:alert(1)"}});
    for body in [
        String::new(),
        "<html>".to_owned(),
        "{}".to_owned(),
        "[]".to_owned(),
        intent(json!({"status": "something_new"})),
        intent(json!({"amount_received": null})),
        intent(json!({"amount_received": 9.5})),
        intent(json!({"currency": "isk", "amount_received": 5001})),
        intent(json!({"currency": "euro"})),
        intent(json!({"id": "../x"})),
        intent(json!({"status": "requires_action", "next_action": script})),
        intent(json!({"status": "requires_action", "client_secret": null})),
    ] {
        assert_eq!(charged(200, &[], &body), "unknown unreadable", "{body}");
        assert_eq!(looked_up(200, &body), "refused unreadable", "{body}");
    }
}

#[test]
fn an_object_of_the_other_mode_stops_the_gateway() {
    let live = intent(json!({"livemode": true}));
    assert_eq!(charged(200, &[], &live), "broken wrong_mode");
    assert_eq!(looked_up(200, &live), "broken wrong_mode");
    let unknown = Account {
        live: None,
        publishable_key: String::new(),
    };
    let meaning = sent(Stage::Charge, &answer(200, &[], &live), &unknown);
    assert_eq!(told(&meaning), "captured");
}

#[test]
fn a_decline_is_an_outcome() {
    let card = |code: &str| {
        error(json!({"type": "card_error", "code": "card_declined", "decline_code": code}))
    };
    let invalid = |code: &str, param: &str| {
        error(json!({"type": "invalid_request_error", "code": code, "param": param}))
    };
    for (status, body, meaning) in [
        (
            402,
            card("insufficient_funds"),
            "rejected soft insufficient_funds",
        ),
        (402, card("expired_card"), "rejected hard expired_card"),
        (
            402,
            card("authentication_required"),
            "rejected needs_customer authentication_required",
        ),
        (
            400,
            card("processing_error"),
            "rejected technical processing_error",
        ),
        (
            402,
            invalid("payment_intent_authentication_failure", "x"),
            "rejected needs_customer payment_intent_authentication_failure",
        ),
        (
            400,
            invalid("setup_intent_authentication_failure", "x"),
            "rejected needs_customer setup_intent_authentication_failure",
        ),
        (
            402,
            invalid("payment_method_provider_decline", "x"),
            "rejected soft payment_method_provider_decline",
        ),
        (
            400,
            invalid("resource_missing", "payment_method"),
            "rejected hard resource_missing",
        ),
        (
            404,
            invalid("resource_missing", "confirmation_token"),
            "rejected hard resource_missing",
        ),
        (
            400,
            invalid("resource_missing", "customer"),
            "rejected hard resource_missing",
        ),
    ] {
        assert_eq!(charged(status, &[], &body), meaning, "{status} {body}");
    }
}

#[test]
fn a_decline_names_the_intent_it_is_about() {
    let body = error(json!({
        "type": "card_error", "code": "card_declined", "decline_code": "do_not_honor",
        "payment_intent": {"id": "pi_7", "latest_charge": {"outcome": {"type": "blocked"}}},
    }));
    let meaning = sent(Stage::Charge, &answer(402, &[], &body), &account()).unwrap();
    assert_eq!(meaning.reference(), Some(&GatewayRef("pi_7".to_owned())));
    assert_eq!(told(&Ok(meaning)), "rejected fraud do_not_honor");
}

#[test]
fn every_other_answer_has_its_reaction() {
    let invalid = |code: &str| error(json!({"type": "invalid_request_error", "code": code}));
    let server = error(json!({"type": "api_error"}));
    let idempotency = error(json!({"type": "idempotency_error"}));
    let in_use = error(json!({"type": "idempotency_error", "code": "idempotency_key_in_use"}));
    let card = error(json!({"type": "card_error", "code": "card_declined"}));
    let replayed: &[(&'static str, &str)] = &[("idempotent-replayed", "true")];
    let retry: &[(&'static str, &str)] = &[("stripe-should-retry", "true")];
    let no_retry: &[(&'static str, &str)] = &[("stripe-should-retry", "false")];
    let page = "<html>".to_owned();
    for (status, headers, body, meaning) in [
        (400, &[][..], idempotency.clone(), "unknown state_conflict"),
        (409, &[], idempotency, "unknown state_conflict"),
        (409, &[], in_use, "unknown in_flight"),
        (409, &[], page.clone(), "unknown in_flight"),
        (409, &[], card.clone(), "unknown in_flight"),
        (408, &[], page.clone(), "unknown in_flight"),
        (429, &[], invalid("rate_limit"), "not_done rate_limited"),
        (429, &[], invalid("lock_timeout"), "not_done rate_limited"),
        (429, &[], page.clone(), "not_done rate_limited"),
        (
            400,
            &[],
            invalid("payment_intent_rate_limit_exceeded"),
            "not_done rate_limited",
        ),
        (
            401,
            &[],
            invalid("api_key_expired"),
            "broken api_key_expired",
        ),
        (401, &[], page.clone(), "broken http_401"),
        (403, &[], card.clone(), "broken card_declined"),
        (
            400,
            &[],
            invalid("secret_key_required"),
            "broken secret_key_required",
        ),
        (
            400,
            &[],
            invalid("payment_intent_unexpected_state"),
            "unknown state_conflict",
        ),
        (
            402,
            &[],
            invalid("intent_invalid_state"),
            "unknown state_conflict",
        ),
        (
            400,
            &[],
            invalid("charge_already_captured"),
            "unknown state_conflict",
        ),
        (
            400,
            &[],
            invalid("capture_charge_authorization_expired"),
            "unknown state_conflict",
        ),
        (
            400,
            &[],
            invalid("amount_too_small"),
            "refused amount_too_small",
        ),
        (
            400,
            &[],
            invalid("parameter_unknown"),
            "refused parameter_unknown",
        ),
        (
            404,
            &[],
            invalid("resource_missing"),
            "refused resource_missing",
        ),
        (404, &[], page.clone(), "refused http_404"),
        (402, &[], page.clone(), "unknown unreadable"),
        (302, &[], page.clone(), "unknown unreadable"),
        (
            400,
            retry,
            invalid("parameter_unknown"),
            "unknown in_flight",
        ),
        (500, &[], server.clone(), "unknown server_error"),
        (500, retry, server.clone(), "unknown server_error"),
        (500, replayed, server.clone(), "unknown stored_error"),
        (500, no_retry, server.clone(), "unknown stored_error"),
        (500, &[], card, "unknown server_error"),
        (424, &[], server.clone(), "unknown server_error"),
        (502, &[], page.clone(), "unknown server_error"),
        (503, replayed, page.clone(), "unknown stored_error"),
        (504, &[], page, "unknown server_error"),
    ] {
        assert_eq!(charged(status, headers, &body), meaning, "{status} {body}");
    }
}

#[test]
fn a_read_is_never_in_doubt() {
    let invalid = |code: &str| error(json!({"type": "invalid_request_error", "code": code}));
    for (status, body, meaning) in [
        (404, invalid("resource_missing"), "refused resource_missing"),
        (
            400,
            invalid("parameter_unknown"),
            "refused parameter_unknown",
        ),
        (401, invalid("api_key_expired"), "broken api_key_expired"),
        (
            400,
            invalid("secret_key_required"),
            "broken secret_key_required",
        ),
        (403, String::new(), "broken http_403"),
        (408, String::new(), "not_done in_flight"),
        (409, invalid("lock_timeout"), "not_done rate_limited"),
        (429, String::new(), "not_done rate_limited"),
        (424, String::new(), "not_done server_error"),
        (500, String::new(), "not_done server_error"),
        (503, String::new(), "not_done server_error"),
    ] {
        assert_eq!(looked_up(status, &body), meaning, "{status} {body}");
    }
}

#[test]
fn retry_after_is_handed_on() {
    let limited = answer(429, &[("retry-after", "7")], "");
    let wait = match sent(Stage::Charge, &limited, &account()) {
        Err(CallError::NotDone { retry_after, .. }) => retry_after,
        other => panic!("{}", told(&other)),
    };
    assert_eq!(wait, Some(Duration::from_secs(7)));
}

#[test]
fn a_customer_is_progress() {
    let created = answer(200, &[], r#"{"id":"cus_1","livemode":false}"#);
    let progress = Progress {
        customer: Some("cus_1".to_owned()),
        reference: None,
    };
    let meaning = sent(Stage::Customer, &created, &account());
    assert_eq!(meaning, Ok(Outcome::Opened { progress }));
}

#[test]
fn a_saved_card_is_told_by_the_intent_itself() {
    let charge = json!({
        "billing_details": {"name": "A B"},
        "payment_method_details": {"type": "card", "card": {
            "brand": "visa", "last4": "4242", "exp_month": 3, "exp_year": 2030, "capture_before": 1_700_000_000,
        }},
    });
    let held = intent(json!({
        "status": "requires_capture", "amount_capturable": 999, "customer": "cus_1", "payment_method": "pm_1",
        "setup_future_usage": "off_session", "latest_charge": charge,
    }));
    let meaning = sent(Stage::Charge, &answer(200, &[], &held), &account()).unwrap();
    let Outcome::Authorized {
        amount,
        stored,
        capture_before,
        ..
    } = meaning
    else {
        panic!("{}", meaning.label());
    };
    let stored = stored.unwrap();
    assert_eq!(amount.minor, 999);
    assert_eq!(
        capture_before.map(|at| at.unix_seconds()),
        Some(1_700_000_000)
    );
    assert_eq!(stored.token.reveal(), "cus_1|pm_1");
    assert_eq!(stored.variant.as_deref(), Some("visa"));
    assert_eq!(stored.last_four.as_deref(), Some("4242"));
    assert_eq!(stored.expiry.as_deref(), Some("03/2030"));
}

#[test]
fn the_payer_is_sent_on_by_redirect_or_by_script() {
    let action = |more| match sent(Stage::Charge, &answer(200, &[], &intent(more)), &account()) {
        Ok(Outcome::RequiresAction { action, .. }) => action,
        other => panic!("{}", told(&other)),
    };
    let redirect = json!({"redirect_to_url": {"url": "https://h.example/x"}});
    let found = action(json!({"status": "requires_action", "next_action": redirect}));
    let NextAction::Redirect { url } = found else {
        panic!("{found:?}");
    };
    assert_eq!(url.reveal(), "https://h.example/x");
    let script = json!({"type": "use_stripe_sdk", "use_stripe_sdk": {}});
    let found = action(json!({"status": "requires_action", "next_action": script}));
    let NextAction::StripeSdk {
        client_secret,
        publishable_key,
    } = found
    else {
        panic!("{found:?}");
    };
    assert_eq!(client_secret.reveal(), "pi_1_secret_x");
    assert_eq!(publishable_key, "pk_test_1");
}
