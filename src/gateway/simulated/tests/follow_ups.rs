//! What the simulated gateway is sent after a charge, or without one, and what each answer means.

use super::*;
use crate::domain::ids::RefundId;
use crate::gateway::billing::{Billing, Refunding, Saving};

const REFUND_ID: &str = "00000000-0000-4000-8000-000000000002";

pub(super) fn euro(minor: i64) -> Money {
    Money {
        minor,
        currency: "EUR".parse().unwrap(),
    }
}

pub(super) fn id() -> GatewayRef {
    GatewayRef("ch_1".to_owned())
}

pub(super) fn refund_id() -> RefundId {
    REFUND_ID.parse().unwrap()
}

fn prepared(stage: Stage) -> Prepared {
    let gateway = offline();
    let reference = id();
    let token = Secret::new("tok_stored_1".to_owned());
    match stage {
        Stage::Capture => gateway.prepare_capture(&reference, euro(900)).unwrap(),
        Stage::Void => gateway.prepare_void(&reference),
        Stage::Refund => {
            let refunding = Refunding {
                payment_id: PAYMENT_ID.parse().unwrap(),
                reference: &reference,
                id: refund_id(),
                amount: euro(400),
            };
            gateway.prepare_refund(&refunding).unwrap()
        }
        Stage::Save => {
            let saving = Saving {
                payment_id: PAYMENT_ID.parse().unwrap(),
                method: &Secret::new(json!({"token": "tok_ok"})),
                customer: None,
                return_url: None,
            };
            gateway.prepare_save(&saving).unwrap()
        }
        Stage::Remove => gateway.prepare_remove(&token).unwrap(),
        Stage::Customer | Stage::Create | Stage::Charge | Stage::Cancel => request(),
    }
}

const FOLLOW_UPS: [Stage; 5] = [
    Stage::Capture,
    Stage::Void,
    Stage::Refund,
    Stage::Save,
    Stage::Remove,
];

async fn sent(stage: Stage, ending: Ending) -> String {
    let call = async |url| simulated(url).send(key(), &prepared(stage)).await;
    told(&answering(ending, call).await.0)
}

#[test]
fn each_request_has_its_path_and_its_bytes() {
    for (stage, path, body) in [
        (
            Stage::Capture,
            "/charges/ch_1/capture",
            json!({"amount": {"value": 900, "currency": "EUR"}}),
        ),
        (Stage::Void, "/charges/ch_1/cancel", json!({})),
        (
            Stage::Refund,
            "/charges/ch_1/refunds",
            json!({"amount": {"value": 400, "currency": "EUR"}, "reference": REFUND_ID}),
        ),
        (
            Stage::Save,
            "/methods",
            json!({"reference": PAYMENT_ID, "method": {"token": "tok_ok"}, "returnUrl": null}),
        ),
        (
            Stage::Remove,
            "/methods/remove",
            json!({"token": "tok_stored_1"}),
        ),
    ] {
        let request = prepared(stage);
        assert_eq!((request.stage, request.path.as_str()), (stage, path));
        let sent: Value = serde_json::from_str(request.body.reveal()).unwrap();
        assert_eq!(sent, body);
        assert_eq!(request, prepared(stage));
    }
    let saving = offline().prepare_cancel(&GatewayRef("sm_1".to_owned()));
    assert_eq!(saving.path, "/methods/sm_1/cancel");
}

#[test]
fn a_stored_method_is_charged_or_reserved_as_it_is_asked() {
    let token = Secret::new("tok_stored_1".to_owned());
    let renewal = payment(999, "EUR", Method::Stored { token });
    for (capture, field) in [
        (CaptureMode::Automatic, r#""capture":true"#),
        (CaptureMode::Manual, r#""capture":false"#),
    ] {
        let charge = offline().prepare_stored(&renewal, capture).unwrap();
        assert_eq!(charge.stage, Stage::Charge);
        assert!(charge.body.reveal().contains(field));
        assert!(charge.body.reveal().contains(r#""offSession":true"#));
    }
    let new = payment(999, "EUR", new_method(json!({"token": "tok_ok"}), true));
    let decline = offline().prepare_stored(&new, CaptureMode::Automatic);
    assert_eq!(decline.unwrap_err().code, "not_stored");
}

#[tokio::test]
async fn whatever_the_request_what_leaves_doubt_is_in_doubt() {
    for (ending, meaning) in [
        (Ending::Drop, "unknown reset"),
        (Ending::Hang, "unknown timed_out"),
        (Ending::Answer("200 OK", "garbage"), "unknown unreadable"),
        (Ending::Answer("200 OK", "{}"), "unknown unreadable"),
        (
            Ending::Answer("409 X", r#"{"error":{"code":"in_flight"}}"#),
            "unknown in_flight",
        ),
        (
            Ending::Answer("409 X", r#"{"error":{"code":"already_settled"}}"#),
            "unknown state_conflict",
        ),
        (
            Ending::Answer("422 X", r#"{"error":{"code":"idempotency_conflict"}}"#),
            "unknown state_conflict",
        ),
        (Ending::Answer("500 X", ""), "unknown server_error"),
        (
            Ending::Answer("500 X\r\nIdempotent-Replayed: true", ""),
            "unknown stored_error",
        ),
        (Ending::Answer("429 X", ""), "not_done rate_limited"),
        (Ending::Answer("401 X", ""), "broken http_401"),
        (
            Ending::Answer("400 X", r#"{"error":{"code":"invalid_request"}}"#),
            "refused invalid_request",
        ),
    ] {
        for stage in FOLLOW_UPS {
            assert_eq!(sent(stage, ending).await, meaning, "{}", stage.label());
        }
    }
}

#[tokio::test]
async fn each_refusal_has_its_meaning() {
    for (stage, status, body, meaning) in [
        (
            Stage::Capture,
            "422 X",
            r#"{"error":{"code":"authorization_expired"}}"#,
            "lapsed",
        ),
        (
            Stage::Capture,
            "422 X",
            r#"{"error":{"code":"exceeds_authorized"}}"#,
            "refused exceeds_authorized",
        ),
        (
            Stage::Refund,
            "422 X",
            r#"{"error":{"code":"exceeds_captured"}}"#,
            "refused exceeds_captured",
        ),
        (
            Stage::Refund,
            "422 X",
            r#"{"error":{"code":"not_refundable"}}"#,
            "refused not_refundable",
        ),
        (
            Stage::Remove,
            "404 X",
            r#"{"error":{"code":"unknown_method"}}"#,
            "removed",
        ),
        (
            Stage::Save,
            "400 X",
            r#"{"error":{"code":"unknown_method"}}"#,
            "refused unknown_method",
        ),
        (
            Stage::Void,
            "404 X",
            r#"{"error":{"code":"not_found"}}"#,
            "refused not_found",
        ),
    ] {
        assert_eq!(sent(stage, Ending::Answer(status, body)).await, meaning);
    }
}

#[tokio::test]
async fn each_success_has_its_meaning() {
    for (stage, body, meaning) in [
        (
            Stage::Capture,
            r#"{"object":"charge","id":"ch_1","status":"captured","amount":{"value":999,"currency":"EUR"}}"#,
            "captured",
        ),
        (
            Stage::Void,
            r#"{"object":"charge","id":"ch_1","status":"cancelled","amount":{"value":999,"currency":"EUR"}}"#,
            "cancelled",
        ),
        (
            Stage::Refund,
            r#"{"id":"re_1","charge":"ch_1","amount":{"value":4,"currency":"EUR"},"status":"succeeded"}"#,
            "refunded",
        ),
        (
            Stage::Refund,
            r#"{"id":"re_1","charge":"ch_1","amount":{"value":4,"currency":"EUR"},"status":"pending"}"#,
            "refund_pending",
        ),
        (
            Stage::Refund,
            r#"{"id":"re_1","charge":"../x","amount":{"value":4,"currency":"EUR"},"status":"pending"}"#,
            "unknown unreadable",
        ),
        (
            Stage::Save,
            r#"{"object":"method","id":"sm_1","status":"saved","storedMethod":{"token":"tok_stored_1"}}"#,
            "saved",
        ),
        (
            Stage::Save,
            r#"{"object":"method","id":"sm_1","status":"saved"}"#,
            "unknown unreadable",
        ),
        (
            Stage::Save,
            r#"{"object":"method","id":"sm_1","status":"declined","decline":{"class":"hard","code":"lost_card"}}"#,
            "rejected hard lost_card",
        ),
        (
            Stage::Save,
            r#"{"object":"method","id":"sm_1","status":"requires_action","action":{"type":"redirect","url":"https://h.example/x"}}"#,
            "requires_action",
        ),
        (
            Stage::Save,
            r#"{"object":"method","id":"sm_1","status":"cancelled"}"#,
            "cancelled",
        ),
        (Stage::Remove, r#"{"removed":true}"#, "removed"),
        (Stage::Remove, r#"{"removed":false}"#, "unknown unreadable"),
    ] {
        let found = sent(stage, Ending::Answer("200 OK", body)).await;
        assert_eq!(found, meaning, "{body}");
    }
}

#[test]
fn what_was_captured_and_until_when_is_read() {
    let part = json!({"capturedAmount": {"value": 900, "currency": "EUR"}});
    let Some(Outcome::Captured { amount, .. }) = outcome_of(part) else {
        panic!("not captured");
    };
    assert_eq!(amount, euro(900));
    let held = json!({"status": "authorized", "captureBefore": 1_700_000_000});
    let Some(Outcome::Authorized { capture_before, .. }) = outcome_of(held) else {
        panic!("not held");
    };
    assert_eq!(capture_before, Some(Moment::from_unix_seconds(AT)));
}
