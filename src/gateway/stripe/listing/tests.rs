//! What a page of Stripe's lists is asked for with, and what it says.

use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::*;
use crate::domain::failure::Cause;
use crate::domain::money::Money;
use crate::domain::money_back::{DisputeState, RefundState};
use crate::gateway::sample::PAYMENT_ID;

fn account() -> Account {
    Account {
        live: Some(false),
        publishable_key: "pk_test_1".to_owned(),
    }
}

fn read_(status: u16, body: &str, feed: Feed) -> Result<Page, CallError> {
    let answer = Answer::new(status, HeaderMap::new(), body.as_bytes().to_vec());
    read(&answer, feed, &account())
}

fn one(entry: &Value, feed: Feed) -> Listed {
    let body = json!({ "object": "list", "data": [entry], "has_more": false });
    let mut page = read_(200, &body.to_string(), feed).unwrap();
    assert_eq!((page.entries.len(), page.next), (1, None));
    page.entries.remove(0)
}

fn intent(more: Value) -> Value {
    let mut intent = json!({
        "id": "pi_1", "livemode": false, "status": "succeeded", "currency": "eur", "amount_received": 999,
        "amount_capturable": 0, "metadata": { "payment_id": PAYMENT_ID }, "last_payment_error": null,
    });
    let fields = intent.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    intent
}

#[test]
fn a_page_is_asked_for_by_time_and_goes_on_after_its_last_entry() {
    let since = Moment(1_700_000_000_999);
    let first = path(Feed::Charges, since, None);
    assert_eq!(
        first,
        "/v1/payment_intents?created%5Bgte%5D=1700000000&limit=100"
    );
    let after = Cursor("dp_1".to_owned());
    let second = path(Feed::Disputes, since, Some(&after));
    assert_eq!(
        second,
        "/v1/disputes?created%5Bgte%5D=1700000000&limit=100&starting_after=dp_1"
    );
    let body =
        json!({ "data": [intent(json!({})), intent(json!({ "id": "pi_2" }))], "has_more": true });
    let page = read_(200, &body.to_string(), Feed::Charges).unwrap();
    assert_eq!(page.next, Some(Cursor("pi_2".to_owned())));
}

#[test]
fn every_status_of_an_intent_has_its_state() {
    let euro = |minor| Money {
        minor,
        currency: "EUR".parse().unwrap(),
    };
    let error = json!({ "code": "card_declined" });
    for (more, state) in [
        (json!({}), Some(ChargeState::Taken(euro(999)))),
        (
            json!({ "status": "requires_capture", "amount_capturable": 500 }),
            Some(ChargeState::Held(euro(500))),
        ),
        (
            json!({ "status": "processing" }),
            Some(ChargeState::Pending),
        ),
        (json!({ "status": "canceled" }), Some(ChargeState::Ended)),
        (
            json!({ "status": "requires_payment_method" }),
            Some(ChargeState::Open),
        ),
        (
            json!({ "status": "requires_payment_method", "last_payment_error": error }),
            Some(ChargeState::Ended),
        ),
        (
            json!({ "status": "requires_confirmation" }),
            Some(ChargeState::Open),
        ),
        (
            json!({ "status": "requires_action" }),
            Some(ChargeState::Open),
        ),
        (json!({ "status": "a_new_word" }), None),
        (json!({ "currency": "no" }), None),
        (json!({ "amount_received": null }), None),
    ] {
        let expected = match state {
            Some(state) => Listed::Charge(Charge {
                reference: GatewayRef("pi_1".to_owned()),
                carries: PAYMENT_ID.parse().ok(),
                state,
            }),
            None => Listed::Unreadable(Some(GatewayRef("pi_1".to_owned()))),
        };
        assert_eq!(
            one(&intent(more.clone()), Feed::Charges),
            expected,
            "{more}"
        );
    }
}

#[test]
fn what_hangs_on_an_intent_names_it_and_the_rest_is_not_ours() {
    let refund = |more: Value| {
        let mut refund = json!({ "id": "re_1", "amount": 300, "currency": "eur", "status": "succeeded",
            "payment_intent": "pi_1", "metadata": {}, "reason": null });
        let fields = refund.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        one(&refund, Feed::Refunds)
    };
    let Listed::Refund { of, refund: found } = refund(json!({})) else {
        panic!("a refund")
    };
    assert_eq!((of.0.as_str(), found.state), ("pi_1", RefundState::Done));
    assert_eq!(refund(json!({ "payment_intent": null })), Listed::Other);
    let held = json!({ "reason": "expired_uncaptured_charge" });
    assert_eq!(refund(held), Listed::Other);
    let unread = Listed::Unreadable(Some(GatewayRef("re_1".to_owned())));
    assert_eq!(refund(json!({ "status": "dreaming" })), unread);
    let dispute = json!({ "id": "dp_1", "livemode": false, "amount": 999, "currency": "eur",
        "status": "needs_response", "payment_intent": "pi_1" });
    let Listed::Dispute { of, dispute } = one(&dispute, Feed::Disputes) else {
        panic!("a dispute")
    };
    assert_eq!((of.0.as_str(), dispute.state), ("pi_1", DisputeState::Open));
}

#[test]
fn a_list_of_the_other_mode_or_one_that_is_not_whole_is_no_list() {
    let live = json!({ "data": [intent(json!({ "livemode": true }))], "has_more": false });
    let broken = |code: &str| Err(CallError::Broken { code: code.into() });
    let refused = |code: &str| Err(CallError::Refused { code: code.into() });
    for (status, body, expected) in [
        (200, live.to_string(), broken("wrong_mode")),
        (
            200,
            json!({ "data": [], "has_more": true }).to_string(),
            refused("list_not_whole"),
        ),
        (200, "{}".to_owned(), refused("unreadable")),
        (401, String::new(), broken("http_401")),
        (
            503,
            String::new(),
            Err(CallError::NotDone {
                cause: Cause::ServerError,
                retry_after: None,
            }),
        ),
    ] {
        assert_eq!(read_(status, &body, Feed::Charges), expected, "{status}");
    }
}
