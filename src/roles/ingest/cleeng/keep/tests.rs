//! What a demand means that the ledger has seen before, for each state that it can be in.

use serde_json::{Value, json};

use super::super::sample::{payment, refund_fields, renewal};
use super::super::wire;
use super::*;

fn letter(topic: &str, data: &Value) -> Letter {
    let body = json!({ "broadcasterId": 1, "topic": topic, "data": data }).to_string();
    let envelope = wire::Envelope::open(&body).unwrap();
    envelope.read(&body, &refund_fields(&[]))
}

fn ours(name: &str) -> Option<Whose> {
    Some(Whose::Ours(name.parse().unwrap()))
}

fn queue(name: &str, result: DemandResult) -> Step {
    Step::Queue(name.parse().unwrap(), result)
}

/// What is done with this webhook for `whose` when the ledger knows it in `state`, for the gateway of `known`.
fn step(letter: &Letter, whose: Option<Whose>, known: Option<(DemandState, Option<&str>)>) -> Step {
    let (new, kept) = demand(letter, whose);
    let known = known.map(|(state, gateway)| Demand {
        state,
        gateway: gateway.map(|name| name.parse().unwrap()),
        ..new.clone()
    });
    next(&new, kept, known.as_ref())
}

#[test]
fn what_is_new_is_queued_or_kept_with_the_reason() {
    let renewal = letter("subscriptionReadyForPaymentCapture", &renewal());
    assert_eq!(
        step(&renewal, ours("one"), None),
        queue("one", DemandResult::Taken)
    );
    let other = letter("transactionCreated", &json!({}));
    let lacking = letter("refundPayment", &json!({}));
    for (letter, whose, result) in [
        (&renewal, Some(Whose::Foreign), DemandResult::Foreign),
        (&renewal, Some(Whose::Nobodys), DemandResult::NoGateway),
        (&other, None, DemandResult::OtherTopic),
        (&lacking, None, DemandResult::Incomplete),
    ] {
        assert_eq!(step(letter, whose.clone(), None), Step::Leave(result));
        let (kept, _) = demand(letter, whose);
        assert_eq!(kept.state, DemandState::Kept);
        assert_eq!(kept.outcome.as_deref(), Some(result.label()));
        assert_eq!(kept.gateway, None);
    }
    assert_eq!(detail(&other).as_deref(), Some("transactionCreated"));
    assert_eq!(detail(&lacking).as_deref(), Some("paymentId"));
    assert_eq!(detail(&renewal), None);
}

#[test]
fn what_is_open_is_queued_again_where_it_was() {
    for letter in [
        letter("subscriptionReadyForPaymentCapture", &renewal()),
        letter("refundPayment", &payment()),
    ] {
        let open = Some((DemandState::Open, Some("one")));
        for whose in [ours("one"), ours("two"), Some(Whose::Nobodys)] {
            assert_eq!(
                step(&letter, whose, open),
                queue("one", DemandResult::Repeated)
            );
        }
    }
}

#[test]
fn what_is_done_is_done_again_only_where_that_changes_nothing() {
    let done = Some((DemandState::Done, Some("one")));
    let named = {
        let mut data = payment();
        data["refundId"] = json!("r1");
        letter("refundPayment", &data)
    };
    let reopened = Step::Reopen("one".parse().unwrap());
    let left = Step::Leave(DemandResult::Repeated);
    for (letter, expected) in [
        (
            letter("subscriptionReadyForTermination", &renewal()),
            reopened.clone(),
        ),
        (
            letter("paymentDetailsDeactivated", &renewal()),
            reopened.clone(),
        ),
        (letter("capturePayment", &payment()), reopened.clone()),
        (
            letter("subscriptionReadyForPaymentAuthorisation", &renewal()),
            left.clone(),
        ),
        // It takes what is reserved by then, and charges nothing.
        (
            letter("subscriptionReadyForPaymentCapture", &renewal()),
            reopened,
        ),
        (named, left.clone()),
        (
            letter("refundPayment", &payment()),
            Step::Leave(DemandResult::RefundRepeated),
        ),
    ] {
        assert_eq!(step(&letter, ours("one"), done), expected, "{letter:?}");
    }
    let ending = letter("subscriptionReadyForTermination", &renewal());
    assert_eq!(step(&ending, Some(Whose::Foreign), done), left);
}

#[test]
fn what_nobody_could_do_is_done_once_a_gateway_is_there() {
    let renewal = letter("subscriptionReadyForPaymentCapture", &renewal());
    let left = Step::Leave(DemandResult::Repeated);
    for (known, whose, expected) in [
        (None, ours("one"), Step::Reopen("one".parse().unwrap())),
        (None, Some(Whose::Foreign), left.clone()),
        // A worker kept it: it stays with the operator.
        (Some("one"), ours("one"), left),
    ] {
        let known = Some((DemandState::Kept, known));
        assert_eq!(step(&renewal, whose, known), expected);
    }
}
