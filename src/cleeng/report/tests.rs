//! What Cleeng is sent, and what each of its answers means.

use super::*;
use crate::cleeng::sample::{money_back, refund_fields, renewal};
use crate::domain::failure::Cause;
use crate::domain::ids::GatewayRef;
use crate::domain::outcome::{Decline, DeclineClass};
use crate::domain::payment::Operation;
use crate::gateway::sample::{new_method, payment, stored_method};
use axum::http::HeaderMap;
use serde_json::{Value, json};

fn paid() -> Payment {
    let mut payment = payment(999, "EUR", new_method(json!({}), true));
    payment.progress.reference = Some(GatewayRef("pi_1".to_owned()));
    payment
}

fn shown(payment: &Payment, status: StatusNews, earlier: Option<i64>) -> (Verb, String, Value) {
    let earlier = earlier.map(CleengPaymentId);
    put(payment, News::Status { status, earlier })
}

fn put(payment: &Payment, news: News<'_>) -> (Verb, String, Value) {
    let call = call(payment, news, &refund_fields());
    let body = call.body.map_or(Value::Null, |body| {
        serde_json::from_str(body.reveal()).unwrap()
    });
    (call.verb, call.path, body)
}

#[test]
fn a_first_report_makes_a_record() {
    let mut saved = paid();
    saved.stored = Some(stored_method("cus_1|pm_1"));
    saved.stored.as_mut().unwrap().holder = Some(Secret::new("A B".to_owned()));
    for status in [StatusNews::Captured, StatusNews::Authorized] {
        let body = json!({
            "orderId": "123456789", "status": status.label(), "paymentOperation": "initial-payment", "externalPaymentId": "pi_1",
            "paymentDetails": {"token": "cus_1|pm_1", "paymentMethodSpecificParams": {
                "variant": "visa", "lastCardFourDigits": "4242", "holderName": "A B", "cardExpirationDate": "03/2030",
            }},
        });
        let expected = (Verb::Post, "/payments".to_owned(), body);
        assert_eq!(shown(&saved, status, None), expected);
    }
    let body = json!({
        "orderId": "123456789", "status": "captured", "paymentOperation": "initial-payment", "externalPaymentId": "pi_1",
    });
    assert_eq!(shown(&paid(), StatusNews::Captured, None).2, body);
}

#[test]
fn a_rejection_carries_its_class_and_code_and_no_method() {
    let mut declined = paid();
    declined.stored = Some(stored_method("cus_1|pm_1"));
    declined.decline = Some(Decline {
        class: DeclineClass::Soft,
        code: "insufficient_funds".to_owned(),
    });
    let body = json!({
        "orderId": "123456789", "status": "rejected", "paymentOperation": "initial-payment", "externalPaymentId": "pi_1",
        "rejectedReason": "soft: insufficient_funds",
    });
    let expected = (Verb::Post, "/payments".to_owned(), body);
    assert_eq!(shown(&declined, StatusNews::Rejected, None), expected);
    declined.progress.reference = None;
    declined.decline.as_mut().unwrap().code = "x".repeat(500);
    let body = shown(&declined, StatusNews::Rejected, None).2;
    assert_eq!(body.get("externalPaymentId"), None);
    assert_eq!(
        body["rejectedReason"].as_str().unwrap().len(),
        LONGEST_REASON
    );
}

#[test]
fn a_later_report_changes_the_authorized_record() {
    let changed = |status| shown(&paid(), status, Some(77));
    let captured = json!({"orderId": 123456789, "status": "captured", "externalPaymentId": "pi_1"});
    let expected = (Verb::Patch, "/payments/77".to_owned(), captured);
    assert_eq!(changed(StatusNews::Captured), expected);
    let rejected = json!({
        "orderId": 123456789, "status": "rejected", "externalPaymentId": "pi_1", "rejectedReason": "declined",
    });
    let expected = (Verb::Patch, "/payments/77".to_owned(), rejected);
    assert_eq!(changed(StatusNews::Rejected), expected);
    let expected = (Verb::Patch, "/payments/77/cancel".to_owned(), Value::Null);
    assert_eq!(changed(StatusNews::Cancelled), expected);
}

#[test]
fn a_renewal_names_its_subscription_and_the_method_that_cleeng_keeps() {
    let mut renewal = renewal();
    renewal.stored = Some(stored_method("cus_1|pm_1"));
    for status in [
        StatusNews::Authorized,
        StatusNews::Captured,
        StatusNews::Cancelled,
    ] {
        let body = json!({
            "orderId": "123456789", "status": status.label(), "paymentOperation": "recurring-payment", "externalPaymentId": "pi_2",
            "subscriptionId": "332332332", "paymentDetailsId": "665665665",
        });
        let expected = (Verb::Post, "/payments".to_owned(), body);
        assert_eq!(shown(&renewal, status, None), expected);
    }
    let rejected = shown(&renewal, StatusNews::Rejected, None).2;
    assert_eq!(rejected["subscriptionId"], "332332332");
    assert_eq!(rejected["rejectedReason"], "declined");
    let captured = json!({"orderId": 123456789, "status": "captured", "externalPaymentId": "pi_2"});
    let expected = (Verb::Patch, "/payments/77".to_owned(), captured);
    assert_eq!(shown(&renewal, StatusNews::Captured, Some(77)), expected);
}

#[test]
fn what_costs_nothing_is_captured_as_what_it_is() {
    let mut free = paid();
    free.operation = Operation::InitialFreeTransaction;
    free.stored = Some(stored_method("cus_1|pm_1"));
    let (verb, _, body) = shown(&free, StatusNews::Captured, None);
    assert_eq!(verb, Verb::Post);
    assert_eq!(body["status"], "captured");
    assert_eq!(body["paymentOperation"], "initial-free-transaction");
    assert_eq!(body["paymentDetails"]["token"], "cus_1|pm_1");
}

#[test]
fn money_that_went_back_is_told_with_its_amount_digit_by_digit() {
    let record = CleengPaymentId(77);
    for (kind, minor, currency, amount, word) in [
        (MoneyBackKind::Refund, 990, "EUR", "9.90", "refund"),
        (MoneyBackKind::ForeignRefund, 5, "KWD", "0.005", "refund"),
        (MoneyBackKind::Chargeback, 1099, "JPY", "1099", "chargeback"),
        (
            MoneyBackKind::Refund,
            900_719_925_474_099_301,
            "EUR",
            "9007199254740993.01",
            "refund",
        ),
    ] {
        let entry = money_back(kind, minor, currency);
        let news = News::MoneyBack {
            record,
            entry: &entry,
        };
        let call = call(&renewal(), news, &refund_fields());
        assert_eq!(
            (call.verb, call.path.as_str()),
            (Verb::Patch, "/payments/77")
        );
        let expected = format!(
            r#"{{"orderId":123456789,"status":"refunded","paymentOperation":"recurring-payment","refundedReason":"asked for at Cleeng","amount":{amount},"type":"{word}"}}"#
        );
        assert_eq!(call.body.unwrap().reveal(), &expected);
    }
}

#[test]
fn a_refunds_fields_are_called_as_configured_and_its_reason_is_never_empty() {
    let mut entry = money_back(MoneyBackKind::Chargeback, 1, "EUR");
    entry.reason = String::new();
    let fields = RefundFields {
        amount: "refundAmount".to_owned(),
        kind: "refundType".to_owned(),
    };
    let told = |entry: &MoneyBack| {
        let record = CleengPaymentId(77);
        let call = call(&paid(), News::MoneyBack { record, entry }, &fields);
        serde_json::from_str::<Value>(call.body.unwrap().reveal()).unwrap()
    };
    let expected = json!({
        "orderId": 123456789, "status": "refunded", "paymentOperation": "initial-payment", "refundedReason": "chargeback",
        "refundAmount": 0.01, "refundType": "chargeback",
    });
    assert_eq!(told(&entry), expected);
    entry.reason = "x".repeat(500);
    let reason = told(&entry)["refundedReason"].as_str().unwrap().len();
    assert_eq!(reason, LONGEST_REASON);
}

#[test]
fn the_token_is_not_shown_by_debug() {
    let mut saved = paid();
    saved.stored = Some(stored_method("cus_1|pm_1"));
    let news = News::Status {
        status: StatusNews::Captured,
        earlier: None,
    };
    let shown = format!("{:?}", call(&saved, news, &refund_fields()));
    assert!(!shown.contains("pm_1"), "{shown}");
}

fn told(status: u16, body: &str, earlier: Option<i64>) -> Result<i64, CallError> {
    let answer = Answer::new(status, HeaderMap::new(), body.as_bytes().to_vec());
    read(&answer, earlier.map(CleengPaymentId)).map(|id| id.0)
}

#[test]
fn the_id_of_the_record_is_read_from_each_wrapper() {
    for body in [
        r#"{"success":true,"message":"","payment":{"id":1536331075,"status":"captured","orderId":1}}"#,
        r#"{"success":true,"data":{"id":"1536331075"}}"#,
        r#"{"id":1536331075,"status":"captured"}"#,
    ] {
        assert_eq!(told(200, body, None), Ok(1_536_331_075), "{body}");
        // What was changed keeps its name.
        assert_eq!(told(201, body, Some(77)), Ok(77), "{body}");
    }
}

#[test]
fn a_new_record_without_an_id_is_in_doubt_and_a_changed_one_is_known() {
    let unknown = Err(CallError::Unknown {
        cause: Cause::Unreadable,
    });
    for (body, changed) in [
        ("", Ok(77)),
        ("{}", Ok(77)),
        (r#"{"success":true}"#, Ok(77)),
        ("<html>", unknown.clone()),
        ("[]", unknown.clone()),
        (r#"{"payment":{"id":"x"}}"#, unknown.clone()),
    ] {
        assert_eq!(told(200, body, None), unknown, "{body}");
        assert_eq!(told(200, body, Some(77)), changed, "{body}");
    }
}

#[test]
fn every_other_answer_has_its_reaction_and_no_message_of_theirs() {
    let refused = |code: &str| CallError::Refused { code: code.into() };
    let broken = |code: &str| CallError::Broken { code: code.into() };
    let unknown = |cause| CallError::Unknown { cause };
    let limited = CallError::NotDone {
        cause: Cause::RateLimited,
        retry_after: None,
    };
    let message = r#"{"message":"Customer A B not found"}"#;
    for (status, body, reaction) in [
        (
            200,
            r#"{"success":false,"message":"A B"}"#,
            refused("not_accepted"),
        ),
        (400, message, refused("400")),
        (
            400,
            r#"{"message":"x","code":"REQ0001"}"#,
            refused("400:REQ0001"),
        ),
        (400, r#"{"message":"x","code":"A B"}"#, refused("400")),
        (404, message, refused("404")),
        (422, message, refused("422")),
        (401, message, broken("http_401")),
        (403, message, broken("http_403")),
        (408, "", unknown(Cause::InFlight)),
        (409, message, unknown(Cause::InFlight)),
        (429, message, limited),
        (500, "<html>", unknown(Cause::ServerError)),
        (503, "", unknown(Cause::ServerError)),
        (302, "", unknown(Cause::Unreadable)),
    ] {
        for earlier in [None, Some(77)] {
            assert_eq!(
                told(status, body, earlier),
                Err(reaction.clone()),
                "{status} {body}"
            );
        }
    }
}
