//! The bytes that Stripe is sent after a charge, or without one.

use super::*;
use crate::config::CaptureMode;
use crate::domain::ids::{PaymentId, RefundId};
use crate::domain::payment::Method;
use crate::gateway::sample::{PAYMENT_ID, new_method, payment};
use crate::gateway::stripe::request::prepare;
use serde_json::{Value, json};

const REFUND_ID: &str = "00000000-0000-4000-8000-000000000002";

fn euro(minor: i64) -> Money {
    money(minor, "EUR")
}

fn money(minor: i64, currency: &str) -> Money {
    Money {
        minor,
        currency: currency.parse().unwrap(),
    }
}

fn intent() -> GatewayRef {
    GatewayRef("pi_1".to_owned())
}

/// Stage, path and the decoded fields.
fn shown(prepared: &Prepared) -> (Stage, &str, String) {
    let body = prepared.body.reveal().as_bytes();
    let fields: Vec<String> = url::form_urlencoded::parse(body)
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    (prepared.stage, &prepared.path, fields.join(" "))
}

fn refunding(reference: &GatewayRef, amount: Money) -> Result<Prepared, Decline> {
    refund(&Refunding {
        payment_id: PAYMENT_ID.parse::<PaymentId>().unwrap(),
        reference,
        id: REFUND_ID.parse::<RefundId>().unwrap(),
        amount,
    })
}

#[test]
fn a_capture_and_a_void_name_the_intent() {
    let captured = capture(&intent(), euro(900)).unwrap();
    let path = "/v1/payment_intents/pi_1/capture";
    let fields = "amount_to_capture=900 expand[]=latest_charge".to_owned();
    assert_eq!(shown(&captured), (Stage::Capture, path, fields));
    let voided = void(&intent());
    let path = "/v1/payment_intents/pi_1/cancel";
    let fields = "cancellation_reason=requested_by_customer".to_owned();
    assert_eq!(shown(&voided), (Stage::Void, path, fields));
}

#[test]
fn a_refund_says_how_much_and_carries_our_ids() {
    let refund = refunding(&intent(), euro(400)).unwrap();
    let fields = format!(
        "payment_intent=pi_1 amount=400 metadata[payment_id]={PAYMENT_ID} metadata[refund_id]={REFUND_ID}"
    );
    assert_eq!(shown(&refund), (Stage::Refund, "/v1/refunds", fields));
    assert_eq!(refunding(&intent(), euro(400)).unwrap(), refund);
}

#[test]
fn an_amount_that_stripe_cannot_be_told_is_not_sent() {
    for amount in [euro(0), euro(-1), money(1234, "KWD")] {
        assert!(capture(&intent(), amount).is_err());
        assert!(refunding(&intent(), amount).is_err());
    }
    let krona = refunding(&intent(), money(50, "ISK")).unwrap();
    assert!(shown(&krona).2.contains("amount=5000 "));
}

fn saving(
    method: Value,
    customer: Option<&str>,
    return_url: Option<&str>,
) -> Result<Prepared, Decline> {
    save(&Saving {
        payment_id: PAYMENT_ID.parse().unwrap(),
        method: &Secret::new(method),
        customer,
        return_url,
    })
}

#[test]
fn a_method_is_saved_for_a_customer_without_an_amount() {
    let first = saving(json!({"token": "pm_1"}), None, None).unwrap();
    let fields = format!("metadata[payment_id]={PAYMENT_ID}");
    assert_eq!(shown(&first), (Stage::Customer, "/v1/customers", fields));
    let second = saving(json!({"token": "pm_1"}), Some("cus_1"), None).unwrap();
    let fields = format!(
        "customer=cus_1 payment_method=pm_1 confirm=true usage=off_session automatic_payment_methods[enabled]=true \
         automatic_payment_methods[allow_redirects]=never metadata[payment_id]={PAYMENT_ID} expand[]=payment_method"
    );
    assert_eq!(shown(&second), (Stage::Save, "/v1/setup_intents", fields));
    let back = Some("https://shop.example/back");
    let (_, _, fields) = shown(&saving(json!({"token": "ctoken_1"}), Some("cus_1"), back).unwrap());
    assert!(fields.contains(" confirmation_token=ctoken_1 "));
    assert!(fields.contains(" return_url=https://shop.example/back "));
    assert!(!fields.contains("allow_redirects"));
    let decline = saving(json!({}), Some("cus_1"), None).unwrap_err();
    assert_eq!(decline.code, "payment_method_unreadable");
}

#[test]
fn a_stored_method_is_removed_by_its_own_id() {
    let stored = |text: &str| Secret::new(text.to_owned());
    let removal = remove(&stored("cus_1|pm_1")).unwrap();
    let path = "/v1/payment_methods/pm_1/detach";
    assert_eq!(shown(&removal), (Stage::Remove, path, String::new()));
    for broken in ["pm_1", "cus_1|../x", "|pm_1", ""] {
        assert!(remove(&stored(broken)).is_err(), "{broken}");
    }
}

#[test]
fn a_stored_method_is_reserved_as_well_as_charged() {
    let token = Secret::new("cus_9|pm_9".to_owned());
    let renewal = payment(999, "EUR", Method::Stored { token });
    let created = |capture| shown(&prepare(&renewal, capture).unwrap()).2;
    assert!(created(CaptureMode::Manual).contains("capture_method=manual customer=cus_9"));
    assert!(created(CaptureMode::Automatic).contains("capture_method=automatic customer=cus_9"));
}

#[test]
fn what_ends_a_saving_goes_to_the_saving() {
    let ended = super::super::request::cancel(&GatewayRef("seti_1".to_owned()));
    assert_eq!(ended.path, "/v1/setup_intents/seti_1/cancel");
}

#[test]
fn a_new_method_is_no_stored_one() {
    use crate::gateway::billing::Billing;
    let stripe = crate::gateway::stripe::tests::offline();
    let new = payment(999, "EUR", new_method(json!({"token": "pm_1"}), true));
    let decline = stripe
        .prepare_stored(&new, CaptureMode::Automatic)
        .unwrap_err();
    assert_eq!(decline.code, "not_stored");
}
