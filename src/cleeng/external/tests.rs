//! What is sent to Cleeng of a gateway's own billing, and what each answer means.

use axum::http::HeaderMap;
use serde_json::{Value, json as object};

use super::*;
use crate::domain::external::{Happened, Standing, Turn as Which};
use crate::domain::failure::Cause as Failure;
use crate::domain::ids::GatewayRef;
use crate::domain::money::Money;
use crate::http::Answer;

const NOW: Moment = Moment(1_700_000_000_000);

fn money(minor: i64, currency: &str) -> Money {
    Money {
        minor,
        currency: currency.parse().unwrap(),
    }
}

fn bill() -> Bill {
    Bill {
        payment: GatewayRef("in_1".to_owned()),
        turn: Which::First,
        net: money(812, "EUR"),
        tax: Some(money(187, "EUR")),
        country: Some("DE".to_owned()),
    }
}

fn event(offer_id: &str) -> ExternalEvent {
    ExternalEvent {
        subscription: "sub 1".to_owned(),
        customer_id: 123_321_123,
        offer_id: offer_id.to_owned(),
        payment_method_id: 3,
        happened_at: NOW,
        happened: Happened::Cancelled,
    }
}

fn access(kind: AccessKind) -> Access {
    Access { kind, id: 7 }
}

fn answer(status: u16, body: &Value) -> Answer {
    Answer::new(status, HeaderMap::new(), body.to_string().into_bytes())
}

#[test]
fn a_payment_without_an_order_is_told_in_exact_decimals() {
    let told = |bill: &Bill, took, renewed| -> Value {
        let body = payment(&event("S1_US"), bill, took, renewed).unwrap();
        serde_json::from_str(body.reveal()).unwrap()
    };
    let captured = object!({
        "customerId": 123321123, "status": "captured", "offerId": "S1_US", "paymentMethodId": 3, "netAmount": 8.12,
        "taxAmount": 1.87, "currency": "EUR", "externalPaymentId": "in_1", "country": "DE",
    });
    assert_eq!(told(&bill(), Took::Captured, None), captured);
    let untaxed = Bill {
        net: money(500, "JPY"),
        tax: None,
        country: None,
        ..bill()
    };
    let renewed = Some(access(AccessKind::Subscription));
    let rejected = object!({
        "customerId": 123321123, "status": "rejected", "offerId": "S1_US", "paymentMethodId": 3, "netAmount": 500,
        "taxAmount": null, "currency": "JPY", "externalPaymentId": "in_1", "rejectedReason": "declined",
        "subscriptionId": 7,
    });
    assert_eq!(
        told(&untaxed, Took::Rejected("declined"), renewed),
        rejected
    );
    let pass = Some(access(AccessKind::Pass));
    assert_eq!(told(&bill(), Took::Captured, pass), captured);
}

#[test]
fn access_is_searched_by_what_cleeng_offers_for_its_kind() {
    assert_eq!(
        search(AccessKind::Subscription, &event("S1_US")),
        "/subscriptions?paymentMethodId=3&externalId=sub+1&limit=100"
    );
    assert_eq!(
        search(AccessKind::Pass, &event("P1_US")),
        "/passes?paymentMethodId=3&externalId=sub+1&limit=100&customerId=123321123&offerId=P1_US"
    );
}

#[test]
fn of_what_is_found_only_ours_counts_and_what_goes_on_before_what_ended() {
    let one = |id: u64, external: &str, status: &str| {
        object!({
            "subscriptionId": id, "status": status, "dateTo": 1_800_000_000, "subscriptionExternalId": external,
            "latestPaymentExternalId": "in_1",
        })
    };
    let found = |list: &Value| {
        let body = object!({ "success": true, "data": list });
        let kind = AccessKind::Subscription;
        answers::listed(&answer(200, &body), kind, "sub 1", NOW).unwrap()
    };
    let list = object!([
        one(5, "other", "active"),
        one(6, "sub 1", "terminated"),
        one(7, "sub 1", "active")
    ]);
    let held = Held {
        access: access(AccessKind::Subscription),
        standing: Standing::Active,
        paid_until: Some(Moment(1_800_000_000_000)),
        last_payment: Some("in_1".to_owned()),
    };
    assert_eq!(found(&list), Some(held));
    assert_eq!(found(&object!([one(5, "other", "active")])), None);
    let ended = found(&object!([one(6, "sub 1", "terminated")])).unwrap();
    assert_eq!(ended.standing, Standing::Ended);
}

#[test]
fn a_pass_has_ended_when_its_time_is_over() {
    let pass = access(AccessKind::Pass);
    for (end, standing) in [
        (object!(1_700_000_000), Standing::Ended),
        (object!(1_700_000_001), Standing::Active),
        (Value::Null, Standing::Active),
    ] {
        let body = object!({ "passId": 7, "expiresAt": end, "externalId": "sub 1" });
        let held = answers::shown(&answer(200, &body), pass, NOW).unwrap();
        assert_eq!(held.unwrap().standing, standing, "{body}");
    }
    let gone = answer(404, &object!({ "message": "Pass with id: 7 not found" }));
    assert_eq!(answers::shown(&gone, pass, NOW), Ok(None));
    let other = answer(200, &object!({ "passId": 8 }));
    assert_eq!(
        answers::shown(&other, pass, NOW),
        Err(no("unreadable_access"))
    );
}

#[test]
fn access_that_may_have_been_given_is_searched_and_what_was_refused_was_not() {
    let pass = AccessKind::Pass;
    for body in [
        object!({ "success": true, "message": "", "pass": { "passId": 7 } }),
        object!({ "data": { "passId": "7" } }),
        object!({ "passId": 7 }),
    ] {
        let made = answers::created(&answer(201, &body), pass);
        assert_eq!(made, Ok(access(pass)), "{body}");
    }
    let not_done = |cause| CallError::NotDone {
        cause,
        retry_after: None,
    };
    for (status, body, reaction) in [
        (201, object!({}), not_done(Failure::Unreadable)),
        (500, object!({}), not_done(Failure::ServerError)),
        (422, object!({ "message": "taken" }), no("422")),
        (200, object!({ "success": false }), no("not_accepted")),
    ] {
        let made = answers::created(&answer(status, &body), pass);
        assert_eq!(made, Err(reaction), "{status} {body}");
    }
}
