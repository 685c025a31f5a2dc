//! What each kind of answer means to a capture, a void, a refund, a save and a removal, by table.

use super::*;

const FOLLOW_UPS: [Stage; 5] = [
    Stage::Capture,
    Stage::Void,
    Stage::Refund,
    Stage::Save,
    Stage::Remove,
];

pub(super) fn of(stage: Stage, status: u16, body: &str) -> String {
    told(&sent(stage, &answer(status, &[], body), &account()))
}

pub(super) fn invalid(code: &str) -> String {
    error(json!({"type": "invalid_request_error", "code": code}))
}

pub(super) fn with(mut base: Value, more: Value) -> String {
    for (field, value) in more.as_object().unwrap() {
        base[field] = value.clone();
    }
    base.to_string()
}

fn setup(more: Value) -> String {
    let card = json!({"brand": "visa", "last4": "4242", "exp_month": 3, "exp_year": 2030});
    let method = json!({
        "id": "pm_1", "livemode": false, "customer": "cus_1", "type": "card", "card": card,
        "billing_details": {"name": "A B"},
    });
    let base = json!({
        "id": "seti_1", "object": "setup_intent", "livemode": false, "status": "succeeded", "customer": "cus_1",
        "payment_method": method, "client_secret": "seti_1_secret_x", "next_action": null, "last_setup_error": null,
    });
    with(base, more)
}

#[test]
fn whatever_the_request_what_leaves_doubt_is_in_doubt() {
    let page = "<html>".to_owned();
    let card = error(json!({"type": "card_error", "code": "card_declined"}));
    let idempotency = error(json!({"type": "idempotency_error"}));
    let in_use = error(json!({"type": "idempotency_error", "code": "idempotency_key_in_use"}));
    let server = error(json!({"type": "api_error"}));
    for stage in FOLLOW_UPS {
        for (status, body, meaning) in [
            (200, &page, "unknown unreadable"),
            (200, &"{}".to_owned(), "unknown unreadable"),
            (302, &page, "unknown unreadable"),
            (402, &page, "unknown unreadable"),
            (400, &idempotency, "unknown state_conflict"),
            (409, &in_use, "unknown in_flight"),
            (409, &card, "unknown in_flight"),
            (408, &page, "unknown in_flight"),
            (424, &server, "unknown server_error"),
            (500, &server, "unknown server_error"),
            (500, &card, "unknown server_error"),
            (503, &page, "unknown server_error"),
            (
                400,
                &invalid("payment_intent_unexpected_state"),
                "unknown state_conflict",
            ),
            (
                400,
                &invalid("setup_intent_unexpected_state"),
                "unknown state_conflict",
            ),
            (429, &page, "not_done rate_limited"),
            (400, &invalid("lock_timeout"), "not_done rate_limited"),
            (401, &page, "broken http_401"),
            (403, &card, "broken card_declined"),
            (400, &invalid("api_key_expired"), "broken api_key_expired"),
            (400, &page, "refused http_400"),
            (
                400,
                &invalid("parameter_unknown"),
                "refused parameter_unknown",
            ),
        ] {
            let found = of(stage, status, body);
            assert_eq!(found, meaning, "{} {status} {body}", stage.label());
        }
    }
}

#[test]
fn a_definite_no_is_about_the_request_and_never_a_decline_of_the_payment() {
    let card = error(
        json!({"type": "card_error", "code": "card_declined", "decline_code": "do_not_honor"}),
    );
    let gone = invalid("resource_missing");
    let refunded = invalid("charge_already_refunded");
    let late = invalid("charge_expired_for_capture");
    let expired = invalid("capture_charge_authorization_expired");
    let too_large = invalid("amount_too_large");
    let disputed = invalid("charge_disputed");
    for (stage, status, body, meaning) in [
        (Stage::Capture, 402, &card, "refused do_not_honor"),
        (Stage::Void, 402, &card, "refused do_not_honor"),
        (Stage::Refund, 402, &card, "refused do_not_honor"),
        (Stage::Save, 402, &card, "rejected soft do_not_honor"),
        (Stage::Capture, 400, &late, "lapsed"),
        (Stage::Capture, 402, &expired, "lapsed"),
        (Stage::Void, 400, &late, "unknown state_conflict"),
        (
            Stage::Capture,
            400,
            &invalid("charge_already_captured"),
            "unknown state_conflict",
        ),
        (Stage::Capture, 400, &too_large, "refused amount_too_large"),
        (Stage::Capture, 404, &gone, "refused resource_missing"),
        (
            Stage::Refund,
            400,
            &refunded,
            "refused charge_already_refunded",
        ),
        (Stage::Refund, 400, &too_large, "refused amount_too_large"),
        (Stage::Refund, 400, &disputed, "refused charge_disputed"),
        (Stage::Refund, 404, &gone, "refused resource_missing"),
        (Stage::Remove, 404, &gone, "removed"),
        (Stage::Remove, 400, &gone, "removed"),
    ] {
        let found = of(stage, status, body);
        assert_eq!(found, meaning, "{} {status} {body}", stage.label());
    }
}

#[test]
fn a_capture_and_a_void_are_told_by_the_intent() {
    let taken = intent(json!({"amount_received": 900}));
    let ended = intent(
        json!({"status": "canceled", "cancellation_reason": "requested_by_customer", "latest_charge": {"paid": true}}),
    );
    let held = intent(json!({"status": "requires_capture", "amount_capturable": 999}));
    for (stage, body, meaning) in [
        (Stage::Capture, &taken, "captured"),
        (Stage::Capture, &held, "authorized"),
        (Stage::Void, &ended, "cancelled"),
        (Stage::Void, &taken, "captured"),
    ] {
        assert_eq!(of(stage, 200, body), meaning, "{} {body}", stage.label());
    }
}

#[test]
fn an_authorisation_that_ran_out_says_so() {
    for (reason, charge, meaning) in [
        ("expired", json!({"paid": true}), "lapsed"),
        ("automatic", json!({"paid": true}), "lapsed"),
        ("automatic", json!({"paid": false}), "cancelled"),
        ("automatic", json!(null), "cancelled"),
        ("abandoned", json!({"paid": true}), "cancelled"),
    ] {
        let more =
            json!({"status": "canceled", "cancellation_reason": reason, "latest_charge": charge});
        assert_eq!(looked_up(200, &intent(more)), meaning, "{reason} {charge}");
    }
}

#[test]
fn a_saved_method_is_told_with_and_without_its_card() {
    let stored = |body: &str| match sent(Stage::Save, &answer(200, &[], body), &account()) {
        Ok(Outcome::Saved { reference, stored }) => {
            assert_eq!(reference.0, "seti_1");
            stored
        }
        other => panic!("{}", told(&other)),
    };
    let whole = stored(&setup(json!({})));
    assert_eq!(whole.token.reveal(), "cus_1|pm_1");
    assert_eq!(whole.variant.as_deref(), Some("visa"));
    assert_eq!(whole.last_four.as_deref(), Some("4242"));
    assert_eq!(whole.expiry.as_deref(), Some("03/2030"));
    let bare = stored(&setup(json!({"payment_method": "pm_1"})));
    assert_eq!(bare.token.reveal(), "cus_1|pm_1");
    assert_eq!(bare.last_four, None);
}

#[test]
fn a_saving_means_the_same_to_a_call_and_to_a_read() {
    let failed =
        json!({"type": "card_error", "code": "card_declined", "decline_code": "lost_card"});
    let redirect = json!({"redirect_to_url": {"url": "https://h.example/x"}});
    for (more, meaning) in [
        (json!({}), "saved"),
        (json!({"status": "processing"}), "pending"),
        (json!({"status": "canceled"}), "cancelled"),
        (json!({"status": "requires_payment_method"}), "opened"),
        (json!({"status": "requires_confirmation"}), "opened"),
        (
            json!({"status": "requires_payment_method", "last_setup_error": failed}),
            "rejected hard lost_card",
        ),
        (
            json!({"status": "requires_action", "next_action": redirect}),
            "requires_action",
        ),
        (json!({"livemode": true}), "broken wrong_mode"),
    ] {
        let body = setup(more);
        assert_eq!(of(Stage::Save, 200, &body), meaning, "{body}");
        assert_eq!(looked_up(200, &body), meaning, "{body}");
    }
    for more in [
        json!({"status": "something_new"}),
        json!({"payment_method": null}),
        json!({"customer": null}),
        json!({"id": "../x"}),
    ] {
        let body = setup(more);
        assert_eq!(of(Stage::Save, 200, &body), "unknown unreadable", "{body}");
    }
}

#[test]
fn a_declined_saving_names_its_setup() {
    let body = error(json!({
        "type": "card_error", "code": "card_declined", "decline_code": "do_not_honor", "setup_intent": {"id": "seti_7"},
    }));
    let meaning = sent(Stage::Save, &answer(402, &[], &body), &account()).unwrap();
    assert_eq!(meaning.reference(), Some(&GatewayRef("seti_7".to_owned())));
}

#[test]
fn a_method_is_removed_only_when_nobody_owns_it_any_more() {
    let method = |customer: Value, live: bool| {
        json!({"id": "pm_1", "livemode": live, "customer": customer}).to_string()
    };
    for (body, meaning) in [
        (method(Value::Null, false), "removed"),
        (method(json!("cus_1"), false), "unknown unreadable"),
        (method(Value::Null, true), "broken wrong_mode"),
    ] {
        assert_eq!(of(Stage::Remove, 200, &body), meaning, "{body}");
    }
}
