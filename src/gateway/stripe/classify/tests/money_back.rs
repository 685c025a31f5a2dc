//! What Stripe's refunds and disputes mean, one by one and in lists.

use super::stages::{invalid, of, with};
use super::*;
use crate::domain::ids::{ObjectRef, RefundId};
use crate::domain::money::Money;
use crate::domain::money_back::{Dispute, DisputeState, Refund, RefundState};

const REFUND_ID: &str = "00000000-0000-4000-8000-000000000002";

fn refund(more: Value) -> String {
    let base = json!({
        "id": "re_1", "object": "refund", "amount": 400, "currency": "eur", "payment_intent": "pi_1",
        "charge": "ch_1", "status": "succeeded", "metadata": {"refund_id": REFUND_ID},
    });
    with(base, more)
}

#[test]
fn a_refund_is_done_pending_or_failed() {
    for (more, meaning) in [
        (json!({}), "refunded"),
        (json!({"status": "pending"}), "refund_pending"),
        (json!({"status": "requires_action"}), "refund_pending"),
        (json!({"status": "failed"}), "refund_failed"),
        (json!({"status": "canceled"}), "refund_failed"),
        (json!({"status": "something_new"}), "unknown unreadable"),
        (json!({"status": null}), "unknown unreadable"),
        (json!({"payment_intent": null}), "unknown unreadable"),
        (json!({"payment_intent": "../x"}), "unknown unreadable"),
        (json!({"id": "../x"}), "unknown unreadable"),
        (json!({"amount": 4.5}), "unknown unreadable"),
        (json!({"currency": "euro"}), "unknown unreadable"),
    ] {
        let body = refund(more);
        assert_eq!(of(Stage::Refund, 200, &body), meaning, "{body}");
    }
}

#[test]
fn refunds_are_listed_with_amounts_and_ids() {
    let failed = json!({"id": "re_2", "status": "failed", "failure_reason": "lost_or_stolen_card", "metadata": null});
    let list = |more: bool, data: &[String]| {
        format!(
            r#"{{"object":"list","has_more":{more},"data":[{}]}}"#,
            data.join(",")
        )
    };
    let read = |body: &str| refunds(&answer(200, &[], body));
    let both = [refund(json!({})), refund(failed)];
    let amount = Money {
        minor: 400,
        currency: "EUR".parse().unwrap(),
    };
    let expected = vec![
        Refund {
            reference: ObjectRef("re_1".to_owned()),
            id: Some(REFUND_ID.parse::<RefundId>().unwrap()),
            amount,
            state: RefundState::Done,
        },
        Refund {
            reference: ObjectRef("re_2".to_owned()),
            id: None,
            amount,
            state: RefundState::Failed {
                code: "lost_or_stolen_card".to_owned(),
            },
        },
    ];
    assert_eq!(read(&list(false, &both)), Ok(expected));
    assert_eq!(read(&list(false, &[])), Ok(Vec::new()));
    let refused = |body: &str| read(body).unwrap_err().to_string();
    let cut = refused(&list(true, &both));
    assert_eq!(cut, "refused (list_not_whole)");
    let one_bad = list(
        false,
        &[refund(json!({})), refund(json!({"status": "new"}))],
    );
    assert_eq!(refused(&one_bad), "refused (unreadable)");
    assert_eq!(refused("<html>"), "refused (unreadable)");
}

#[test]
fn a_list_that_cannot_be_read_is_never_in_doubt() {
    for (status, body, meaning) in [
        (
            404,
            invalid("resource_missing"),
            "refused (resource_missing)",
        ),
        (401, String::new(), "credential refused (http_401)"),
        (
            400,
            invalid("api_key_expired"),
            "credential refused (api_key_expired)",
        ),
        (429, String::new(), "not done (rate_limited)"),
        (409, invalid("lock_timeout"), "not done (rate_limited)"),
        (500, String::new(), "not done (server_error)"),
    ] {
        let answer = answer(status, &[], &body);
        assert_eq!(refunds(&answer).unwrap_err().to_string(), meaning);
        let disputes = disputes(&answer, &account());
        assert_eq!(disputes.unwrap_err().to_string(), meaning);
    }
}

#[test]
fn a_dispute_is_asked_open_won_or_lost() {
    let read = |status: &str, live: bool| {
        let body = json!({"has_more": false, "data": [{
            "id": "dp_1", "amount": 999, "currency": "eur", "livemode": live, "status": status,
        }]});
        disputes(&answer(200, &[], &body.to_string()), &account())
    };
    for (status, state) in [
        ("warning_needs_response", DisputeState::Inquiry),
        ("warning_under_review", DisputeState::Inquiry),
        ("warning_closed", DisputeState::Inquiry),
        ("prevented", DisputeState::Inquiry),
        ("needs_response", DisputeState::Open),
        ("under_review", DisputeState::Open),
        ("won", DisputeState::Won),
        ("lost", DisputeState::Lost),
    ] {
        let expected = Dispute {
            reference: ObjectRef("dp_1".to_owned()),
            amount: Money {
                minor: 999,
                currency: "EUR".parse().unwrap(),
            },
            state,
        };
        assert_eq!(read(status, false), Ok(vec![expected]), "{status}");
    }
    let unknown = read("something_new", false).unwrap_err();
    assert_eq!(unknown.to_string(), "refused (unreadable)");
    assert_eq!(read("won", true).unwrap_err().label(), "broken");
}
