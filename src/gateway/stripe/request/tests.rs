//! The bytes that Stripe is sent, stage by stage.

use super::*;
use crate::gateway::sample::{PAYMENT_ID, new_method, payment};
use serde_json::json;

fn token(token: &str, save: bool) -> Method {
    new_method(json!({ "token": token }), save)
}

fn stored(token: &str) -> Method {
    Method::Stored {
        token: Secret::new(token.to_owned()),
    }
}

fn with_reference(mut payment: Payment) -> Payment {
    payment.progress.reference = Some(GatewayRef("pi_1".to_owned()));
    payment
}

/// Stage, path and the decoded fields.
fn shown(prepared: &Prepared) -> (Stage, &str, String) {
    let body = prepared.body.reveal().as_bytes();
    let fields: Vec<String> = url::form_urlencoded::parse(body)
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    (prepared.stage, &prepared.path, fields.join(" "))
}

#[test]
fn a_payment_is_first_opened_and_then_confirmed() {
    let fresh = payment(999, "EUR", token("pm_1", false));
    let first = prepare(&fresh, CaptureMode::Automatic).unwrap();
    let fields = format!(
        "amount=999 currency=eur capture_method=automatic automatic_payment_methods[enabled]=true \
         automatic_payment_methods[allow_redirects]=never metadata[payment_id]={PAYMENT_ID} metadata[order_id]=123456789"
    );
    assert_eq!(
        shown(&first),
        (Stage::Create, "/v1/payment_intents", fields)
    );
    let second = prepare(&with_reference(fresh), CaptureMode::Automatic).unwrap();
    let fields = "payment_method=pm_1 expand[]=latest_charge".to_owned();
    let path = "/v1/payment_intents/pi_1/confirm";
    assert_eq!(shown(&second), (Stage::Charge, path, fields));
}

#[test]
fn to_save_a_method_the_customer_comes_first() {
    let mut saving = payment(999, "EUR", token("ctoken_1", true));
    saving.return_url = Some("https://shop.example/back?a=1&b=2".to_owned());
    let first = prepare(&saving, CaptureMode::Manual).unwrap();
    let fields = format!("metadata[payment_id]={PAYMENT_ID}");
    assert_eq!(shown(&first), (Stage::Customer, "/v1/customers", fields));
    saving.progress.customer = Some("cus_1".to_owned());
    let second = prepare(&saving, CaptureMode::Manual).unwrap();
    let fields = format!(
        "amount=999 currency=eur capture_method=manual customer=cus_1 setup_future_usage=off_session \
         automatic_payment_methods[enabled]=true metadata[payment_id]={PAYMENT_ID} metadata[order_id]=123456789"
    );
    assert_eq!(
        shown(&second),
        (Stage::Create, "/v1/payment_intents", fields)
    );
    let third = prepare(&with_reference(saving), CaptureMode::Manual).unwrap();
    let fields = "confirmation_token=ctoken_1 return_url=https://shop.example/back?a=1&b=2 \
                  expand[]=latest_charge"
        .to_owned();
    let path = "/v1/payment_intents/pi_1/confirm";
    assert_eq!(shown(&third), (Stage::Charge, path, fields));
}

#[test]
fn a_stored_method_is_charged_off_session_with_its_own_customer() {
    let renewal = payment(999, "JPY", stored("cus_9|pm_9"));
    let first = prepare(&renewal, CaptureMode::Automatic).unwrap();
    let (stage, _, fields) = shown(&first);
    assert_eq!(stage, Stage::Create);
    assert!(fields.contains(" customer=cus_9 automatic_payment_methods"));
    assert!(!fields.contains("setup_future_usage"));
    let second = prepare(&with_reference(renewal), CaptureMode::Automatic).unwrap();
    let fields = "payment_method=pm_9 off_session=true expand[]=latest_charge";
    assert_eq!(shown(&second).2, fields);
}

#[test]
fn what_cannot_be_charged_is_declined_before_anything_is_sent() {
    let one = |minor, currency, method| {
        let decline = prepare(&payment(minor, currency, method), CaptureMode::Automatic);
        let decline = decline.unwrap_err();
        (decline.class.label(), decline.code)
    };
    let new = || token("pm_1", false);
    for (found, class, code) in [
        (
            one(1234, "KWD", new()),
            "invalid_order",
            "amount_not_representable",
        ),
        (one(0, "EUR", new()), "invalid_order", "amount_zero"),
        (
            one(1, "EUR", stored("pm_9")),
            "hard",
            "stored_method_unreadable",
        ),
        (
            one(1, "EUR", stored("cus_9|../x")),
            "hard",
            "stored_method_unreadable",
        ),
        (
            one(1, "EUR", new_method(json!({}), false)),
            "needs_customer",
            "payment_method_unreadable",
        ),
    ] {
        assert_eq!(found, (class, code.to_owned()));
    }
}

#[test]
fn a_cancellation_names_its_reason_and_a_reference_cannot_leave_its_path() {
    let cancelled = cancel(&GatewayRef("pi_1".to_owned()));
    let path = "/v1/payment_intents/pi_1/cancel";
    let fields = "cancellation_reason=abandoned".to_owned();
    assert_eq!(shown(&cancelled), (Stage::Cancel, path, fields));
    let odd = cancel(&GatewayRef("../a?b#c".to_owned()));
    assert_eq!(odd.path, "/v1/payment_intents/..%2Fa%3Fb%23c/cancel");
}

#[test]
fn the_same_payment_gives_the_same_bytes() {
    let fresh = payment(999, "EUR", token("pm_1", true));
    let once = prepare(&fresh, CaptureMode::Automatic);
    assert_eq!(once, prepare(&fresh.clone(), CaptureMode::Automatic));
}
