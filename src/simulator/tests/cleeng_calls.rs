//! Cleeng's other calls: what each takes and refuses, and which change of state each allows.

use serde_json::{Value, json};

use super::Bench;

const EXTERNAL: u64 = 200_000_002;

/// The body with one field changed; `null` takes the field away.
fn with(body: &Value, field: &str, value: Value) -> Value {
    let mut body = body.clone();
    if value.is_null() {
        body.as_object_mut().unwrap().remove(field);
    } else {
        body[field] = value;
    }
    body
}

/// Sends the body with each change and compares the status.
async fn table(
    bench: &Bench,
    method: &str,
    path: &str,
    body: &Value,
    cases: &[(&str, Value, u16)],
) {
    for (field, value, status) in cases {
        let body = match *field {
            "" => body.clone(),
            field => with(body, field, value.clone()),
        };
        let answer = bench.cleeng(method, path, Some(body.clone())).await;
        assert_eq!(
            answer.status, *status,
            "{method} {path} {body} {}",
            answer.text
        );
        if *status >= 400 {
            assert!(answer.body["message"].is_string(), "{}", answer.text);
        }
    }
}

/// A subscription of customer 5, by its id; its payment is `pi_1`.
async fn subscribe(bench: &Bench) -> (u64, Value) {
    let order = bench
        .control("POST", "/_orders", json!({ "customerId": 5 }))
        .await;
    let payment = json!({
        "orderId": order["id"], "status": "captured", "paymentOperation": "initial-payment",
        "externalPaymentId": "pi_1", "paymentDetails": { "token": "cus_1|pm_1" },
    });
    let answer = bench.cleeng("POST", "payments", Some(payment)).await;
    let list = bench
        .cleeng("GET", "subscriptions?customerId=5", None)
        .await;
    let subscription = list.body["data"].as_array().unwrap().last().unwrap();
    let id = subscription["subscriptionId"].as_u64().unwrap();
    (id, answer.body["payment"].clone())
}

#[tokio::test]
async fn an_order_of_a_renewal_is_the_subscriptions() {
    let bench = Bench::start().await;
    let (id, _) = subscribe(&bench).await;
    let body = json!({
        "customerId": 5, "offerId": "S619117184_US", "currency": "EUR", "country": "US",
        "paymentMethodId": 123_876_432, "paymentOperation": "recurring-payment",
        "subscriptionId": id.to_string(),
    });
    let cases = [
        ("", Value::Null, 200),
        ("subscriptionId", Value::Null, 400),
        ("paymentOperation", Value::Null, 400),
        ("paymentOperation", json!("renewal"), 400),
        ("customerId", json!(6), 422),
        ("offerId", json!("S000000000_US"), 400),
        ("offerId", json!("S719117184_US"), 422),
        ("subscriptionId", json!(1), 422),
        ("price", json!(1), 400),
        ("billingAddress", json!("here"), 400),
        ("billingAddress", json!({ "city": "here" }), 200),
    ];
    table(&bench, "POST", "orders", &body, &cases).await;
    let end = json!({ "terminationType": "userCancel" });
    let path = format!("subscriptions/{id}/terminate");
    bench.cleeng("POST", &path, Some(end)).await;
    table(&bench, "POST", "orders", &body, &[("", Value::Null, 422)]).await;
}

#[tokio::test]
async fn only_the_legal_transitions_of_a_payment_are_made() {
    let bench = Bench::start().await;
    for (from, captured, rejected, refunded, cancelled) in [
        ("authorized", 200, 200, 422, 200),
        ("captured", 422, 422, 200, 422),
        ("rejected", 422, 422, 422, 422),
        ("cancelled", 422, 422, 422, 422),
        ("refunded", 422, 422, 422, 422),
    ] {
        for (to, status) in [
            ("captured", captured),
            ("rejected", rejected),
            ("refunded", refunded),
            ("cancelled", cancelled),
        ] {
            let order = bench.control("POST", "/_orders", json!({})).await["id"].clone();
            let first = if from == "refunded" { "captured" } else { from };
            let mut body = json!({
                "orderId": order, "status": first, "paymentOperation": "initial-payment",
                "externalPaymentId": "pi_1", "paymentDetails": { "token": "t" },
            });
            if from == "rejected" {
                body["rejectedReason"] = json!("card_declined");
            }
            let made = bench.cleeng("POST", "payments", Some(body)).await;
            let path = format!("payments/{}", made.body["payment"]["id"]);
            let refund = json!({
                "status": "refunded", "orderId": order, "paymentOperation": "initial-payment",
                "refundedReason": "asked", "type": "chargeback",
            });
            if from == "refunded" {
                bench.cleeng("PATCH", &path, Some(refund.clone())).await;
            }
            let answer = match to {
                "cancelled" => bench.cleeng("PATCH", &format!("{path}/cancel"), None).await,
                "refunded" => bench.cleeng("PATCH", &path, Some(refund)).await,
                "rejected" => {
                    let body = json!({ "status": to, "rejectedReason": "expired" });
                    bench.cleeng("PATCH", &path, Some(body)).await
                }
                to => {
                    let body = json!({ "status": to });
                    bench.cleeng("PATCH", &path, Some(body)).await
                }
            };
            assert_eq!(answer.status, status, "{from} to {to}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn a_refund_says_all_that_is_required() {
    let bench = Bench::start().await;
    let (_, payment) = subscribe(&bench).await;
    let path = format!("payments/{}", payment["id"]);
    let body = json!({
        "status": "refunded", "orderId": payment["orderId"], "paymentOperation": "initial-payment",
        "refundedReason": "asked", "amount": 1.0, "type": "refund",
    });
    let cases = [
        ("orderId", Value::Null, 400),
        ("orderId", json!(1), 422),
        ("paymentOperation", Value::Null, 400),
        ("paymentOperation", json!("recurring-payment"), 422),
        ("refundedReason", Value::Null, 400),
        ("amount", json!(0.0), 422),
        ("amount", json!(1.001), 400),
        ("amount", json!(10), 422),
        ("type", json!("void"), 400),
        ("status", json!("captured"), 400),
        ("", Value::Null, 200),
        ("amount", json!(8.99), 200),
        ("amount", json!(0.01), 422),
    ];
    table(&bench, "PATCH", &path, &body, &cases).await;
    let statement = bench.control("GET", "/_statement", json!({})).await;
    assert_eq!(statement["totals"]["EUR"]["refundedMinor"], 999);
}

#[tokio::test]
async fn an_externally_managed_payment_has_no_order() {
    let bench = Bench::start().await;
    let body = json!({
        "customerId": 7, "status": "captured", "offerId": "S619117184_US", "paymentMethodId": EXTERNAL,
        "netAmount": 8.12, "taxAmount": 1.87, "currency": "EUR", "externalPaymentId": "ext_1",
    });
    let cases = [
        ("", Value::Null, 200),
        ("customerId", Value::Null, 400),
        ("taxAmount", Value::Null, 400),
        ("status", json!("authorized"), 400),
        ("externalPaymentId", json!(""), 400),
        ("netAmount", json!("much"), 400),
        ("currency", json!("euro"), 400),
        ("country", json!("USA"), 400),
        ("rejectedReason", json!("x"), 400),
        ("paymentOperation", json!("initial-payment"), 400),
        ("paymentMethodId", json!(123_876_432), 422),
        ("subscriptionId", json!(1), 422),
        ("status", json!("rejected"), 200),
    ];
    table(&bench, "POST", "payments", &body, &cases).await;
    let statement = bench.control("GET", "/_statement", json!({})).await;
    assert_eq!(statement["payments"][0]["amountMinor"], 999);
    assert_eq!(statement["payments"][0]["orderId"], Value::Null);
    assert_eq!(statement["totals"]["EUR"]["capturedMinor"], 999);
    let path = format!("payments/{}", statement["payments"][0]["id"]);
    let refund = json!({ "status": "refunded", "paymentOperation": "initial-payment", "refundedReason": "x" });
    table(&bench, "PATCH", &path, &refund, &[("", Value::Null, 200)]).await;
}

#[tokio::test]
async fn an_externally_managed_subscription_is_made_and_renewed() {
    let bench = Bench::start().await;
    let body = json!({
        "customerId": 7, "offerId": "S619117184_US", "paymentMethodId": EXTERNAL, "externalId": "e1",
    });
    let cases = [
        ("externalId", json!(""), 400),
        ("externalId", json!("x".repeat(121)), 400),
        ("offerId", json!("P619117184_US"), 422),
        ("paymentMethodId", json!(123_876_432), 422),
        ("paymentId", json!(1), 422),
        ("", Value::Null, 201),
        ("", Value::Null, 422),
    ];
    table(&bench, "POST", "subscriptions", &body, &cases).await;
    let list = bench
        .cleeng("GET", "subscriptions?externalId=e1&status[]=active", None)
        .await;
    let made = &list.body["data"][0];
    assert_eq!(made["isExternallyManaged"], true);
    let path = format!("subscriptions/{}/renew", made["subscriptionId"]);
    let far = made["dateTo"].as_i64().unwrap() + 5;
    let cases = [
        ("expiresAt", json!(1), 400),
        ("paymentId", json!(1), 422),
        ("amount", json!(1), 400),
        ("", Value::Null, 200),
    ];
    table(&bench, "POST", &path, &json!({ "expiresAt": far }), &cases).await;
    assert_eq!(bench.cleeng("POST", &path, None).await.status, 200);
    let (ours, _) = subscribe(&bench).await;
    let path = format!("subscriptions/{ours}/renew");
    assert_eq!(bench.cleeng("POST", &path, None).await.status, 422);
    // Nothing renews it in time: it ends by itself.
    bench
        .control("POST", "/_clock", json!({ "advance": "70d", "waitMs": 0 }))
        .await;
    let read = format!("subscriptions/{}", made["subscriptionId"]);
    let read = bench.cleeng("GET", &read, None).await;
    assert_eq!(read.body["status"], "terminated");
}

#[tokio::test]
async fn an_externally_managed_pass_is_made_changed_and_ended() {
    let bench = Bench::start().await;
    let body = json!({
        "customerId": 7, "offerId": "P619117184_US", "paymentMethodId": EXTERNAL, "externalId": "e1",
    });
    let cases = [
        ("offerId", json!("S619117184_US"), 422),
        ("externalProperties", json!("x".repeat(4001)), 400),
        ("foo", json!(1), 400),
        ("", Value::Null, 201),
        ("", Value::Null, 422),
    ];
    table(&bench, "POST", "passes", &body, &cases).await;
    let list = bench.cleeng("GET", "passes?customerId=7", None).await;
    assert_eq!(list.body["data"][0]["expiresAt"], Value::Null);
    let path = format!("passes/{}", list.body["data"][0]["passId"]);
    let change = json!({ "externalProperties": { "a": 1 } });
    let cases = [("", Value::Null, 200), ("expiresAt", json!(1), 400)];
    table(&bench, "PATCH", &path, &change, &cases).await;
    let owner = json!({ "customerId": 8 });
    let transfer = format!("{path}/transfer");
    table(&bench, "POST", &transfer, &owner, &[("", Value::Null, 200)]).await;
    for status in [200, 422] {
        let path = format!("{path}/terminate");
        let end = bench.cleeng("POST", &path, None).await;
        assert_eq!(end.status, status);
    }
}
