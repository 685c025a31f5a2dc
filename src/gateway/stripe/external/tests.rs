//! What Stripe's events about its own billing say, and which say nothing to Cleeng.

use serde_json::{Value, json};

use super::*;
use crate::domain::money::Money;

fn event(kind: &str, object: &Value, before: Value) -> Value {
    json!({
        "id": "evt_1", "type": kind, "livemode": false, "created": 1_700_000_000,
        "data": { "object": object, "previous_attributes": before },
    })
}

fn read_(event: &Value) -> Result<Verified, BadEvent> {
    read(event.to_string().as_bytes(), 3)
}

fn metadata() -> Value {
    json!({ "customerId": "5", "offerId": "S1_US", "more": "x" })
}

fn an_invoice(reason: &str) -> Value {
    json!({
        "id": "in_1", "object": "invoice", "billing_reason": reason, "currency": "eur", "total": 999,
        "total_excluding_tax": 812, "customer_address": { "country": "DE", "city": "X" },
        "parent": { "type": "subscription_details", "subscription_details": {
            "subscription": "sub_1", "metadata": metadata() } },
        "lines": { "data": [{ "period": { "start": 1, "end": 1_702_592_000 } }, { "period": { "start": 1, "end": 2 } }] },
    })
}

fn a_subscription(more: &Value) -> Value {
    let mut subscription = json!({ "id": "sub_1", "metadata": metadata() });
    let fields = subscription.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    subscription
}

fn told(happened: Happened) -> Result<Verified, BadEvent> {
    Ok(Verified::External {
        id: "evt_1".to_owned(),
        event: Box::new(ExternalEvent {
            subscription: "sub_1".to_owned(),
            customer_id: 5,
            offer_id: "S1_US".to_owned(),
            payment_method_id: 3,
            happened_at: Moment(1_700_000_000_000),
            happened,
        }),
    })
}

fn bill(turn: Turn) -> Bill {
    let money = |minor| Money {
        minor,
        currency: "EUR".parse().unwrap(),
    };
    Bill {
        payment: GatewayRef("in_1".to_owned()),
        turn,
        net: money(812),
        tax: Some(money(187)),
        country: Some("DE".to_owned()),
    }
}

#[test]
fn an_invoice_of_a_subscription_is_a_bill() {
    for (reason, turn) in [
        ("subscription_create", Turn::First),
        ("subscription_cycle", Turn::Later),
        ("subscription_update", Turn::Later),
    ] {
        let invoice = an_invoice(reason);
        let paid = read_(&event("invoice.paid", &invoice, Value::Null));
        let happened = Happened::Paid {
            bill: bill(turn),
            paid_until: Some(Moment(1_702_592_000_000)),
        };
        assert_eq!(paid, told(happened), "{reason}");
        let failed = read_(&event("invoice.payment_failed", &invoice, Value::Null));
        let happened = Happened::Unpaid {
            bill: bill(turn),
            reason: FAILED.to_owned(),
        };
        assert_eq!(failed, told(happened), "{reason}");
    }
}

#[test]
fn a_change_of_a_subscription_is_told_where_it_changes_access() {
    let updated = "customer.subscription.updated";
    let deleted = "customer.subscription.deleted";
    let because = |reason: &str| json!({ "cancellation_details": { "reason": reason } });
    for (kind, more, before, happened) in [
        (
            deleted,
            because("payment_failed"),
            Value::Null,
            Happened::Ended(Cause::Unpaid),
        ),
        (
            deleted,
            because("cancellation_requested"),
            Value::Null,
            Happened::Ended(Cause::Asked),
        ),
        (
            updated,
            json!({ "cancel_at_period_end": true }),
            json!({ "cancel_at_period_end": false }),
            Happened::Cancelled,
        ),
        (
            updated,
            json!({ "cancel_at": 1_800_000_000 }),
            json!({ "cancel_at": null }),
            Happened::Cancelled,
        ),
        (
            updated,
            json!({}),
            json!({ "metadata": { "customerId": "4" } }),
            Happened::Transferred,
        ),
    ] {
        let event = event(kind, &a_subscription(&more), before);
        assert_eq!(read_(&event), told(happened), "{event}");
    }
}

#[test]
fn what_says_nothing_to_cleeng_or_is_anothers_is_not_ours() {
    let updated = "customer.subscription.updated";
    let mut others = an_invoice("subscription_cycle");
    others["parent"]["subscription_details"]["metadata"] = json!({ "customerId": "x" });
    let mut alone = an_invoice("manual");
    alone["parent"] = Value::Null;
    let cancelled = a_subscription(&json!({ "cancel_at_period_end": true }));
    let resumed = a_subscription(&json!({ "cancel_at_period_end": false, "cancel_at": null }));
    for (kind, object, before) in [
        ("invoice.paid", others, Value::Null),
        ("invoice.paid", alone, Value::Null),
        (updated, cancelled, json!({ "items": {} })),
        (updated, resumed, json!({ "cancel_at_period_end": true })),
    ] {
        let event = event(kind, &object, before);
        let kind = kind.to_owned();
        assert_eq!(read_(&event), Ok(Verified::NotOurs { kind }), "{event}");
    }
}

#[test]
fn what_cannot_be_told_to_cleeng_is_unreadable() {
    let broken = |field: &str, value: Value| {
        let mut invoice = an_invoice("subscription_cycle");
        invoice[field] = value;
        event("invoice.paid", &invoice, Value::Null)
    };
    for event in [
        broken("currency", json!("euro")),
        broken("total", json!(-1)),
        broken("total", json!(811)),
        broken("id", json!("../x")),
        json!({ "id": "evt_1", "type": "invoice.paid", "data": {} }),
    ] {
        assert_eq!(read_(&event), Err(BadEvent::Unreadable), "{event}");
    }
}
