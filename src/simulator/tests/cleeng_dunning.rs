//! Cleeng's schedule at its edges: what the report on one webhook makes of the next.

use serde_json::{Value, json};

use super::Bench;

const RULE: [&str; 4] = ["Authorisation", "Capture", "Termination", "Deactivated"];

/// A subscription of customer 5 that runs for a month.
async fn subscribe(bench: &Bench) -> Value {
    let order = bench
        .control("POST", "/_orders", json!({ "customerId": 5 }))
        .await;
    let payment = json!({
        "orderId": order["id"], "status": "captured", "paymentOperation": "initial-payment",
        "externalPaymentId": "pi_1", "paymentDetails": { "token": "cus_1|pm_1" },
    });
    bench.cleeng("POST", "payments", Some(payment)).await;
    bench.control("GET", "/_statement", json!({})).await["subscriptions"][0].clone()
}

async fn advance(bench: &Bench, span: &str) {
    let wanted = json!({ "advance": span, "waitMs": 0 });
    bench.control("POST", "/_clock", wanted).await;
}

/// The last words of the topics that came, once there are as many.
async fn topics(bench: &Bench, count: usize) -> Vec<&'static str> {
    let hooks = bench.hooks(count).await;
    assert_eq!(hooks.len(), count, "{hooks:?}");
    let topic = |body: &str| {
        let hook: Value = serde_json::from_str(body).unwrap();
        let topic = hook["topic"].as_str().unwrap().to_owned();
        RULE.into_iter()
            .find(|end| topic.ends_with(end))
            .expect("a known topic")
    };
    hooks.iter().map(|(_, body)| topic(body)).collect()
}

/// Reports a payment of the renewal; its id.
async fn report(bench: &Bench, subscription: &Value, status: &str) -> Value {
    let order = json!({
        "customerId": 5, "offerId": subscription["offerId"], "currency": "EUR", "country": "US",
        "paymentMethodId": subscription["paymentMethodId"], "paymentOperation": "recurring-payment",
        "subscriptionId": subscription["id"],
    });
    let order = bench.cleeng("POST", "orders", Some(order)).await;
    let payment = json!({
        "orderId": order.body["order"]["id"], "status": status, "paymentOperation": "recurring-payment",
        "externalPaymentId": "pi_2", "paymentDetailsId": subscription["paymentDetailsId"],
        "subscriptionId": subscription["id"],
    });
    let answer = bench.cleeng("POST", "payments", Some(payment)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body["payment"]["id"].clone()
}

async fn ends(bench: &Bench) -> (i64, u64) {
    let statement = bench.control("GET", "/_statement", json!({})).await;
    let found = &statement["subscriptions"][0];
    let to = found["to"].as_i64().unwrap();
    (to, found["completed"].as_u64().unwrap())
}

#[tokio::test]
async fn a_capture_that_fails_is_followed_by_another_try_at_once() {
    let bench = Bench::start().await;
    let subscription = subscribe(&bench).await;
    advance(&bench, "next").await;
    let payment = report(&bench, &subscription, "authorized").await;
    advance(&bench, "73h").await;
    assert_eq!(topics(&bench, 2).await, ["Authorisation", "Capture"]);
    let failed = json!({ "status": "rejected", "rejectedReason": "authorization_expired" });
    let path = format!("payments/{payment}");
    bench.cleeng("PATCH", &path, Some(failed)).await;
    assert_eq!(topics(&bench, 3).await[2], "Authorisation");
    // The due date is over: what is authorised now is to be captured now.
    let payment = report(&bench, &subscription, "authorized").await;
    assert_eq!(topics(&bench, 4).await[3], "Capture");
    let before = ends(&bench).await;
    let path = format!("payments/{payment}");
    bench
        .cleeng("PATCH", &path, Some(json!({ "status": "captured" })))
        .await;
    let after = ends(&bench).await;
    assert_eq!(after.1, before.1 + 1);
    assert!(
        after.0 - before.0 >= 28 * 86_400,
        "from the due date, not from now"
    );
}

#[tokio::test]
async fn what_was_authorised_and_never_captured_ends_in_a_termination() {
    let bench = Bench::start().await;
    let subscription = subscribe(&bench).await;
    advance(&bench, "next").await;
    report(&bench, &subscription, "authorized").await;
    advance(&bench, "10d").await;
    let expected = ["Authorisation", "Capture", "Termination"];
    assert_eq!(topics(&bench, 3).await, expected);
    // Nobody makes the call that ends it: the customer keeps access.
    let read = format!("subscriptions/{}", subscription["id"]);
    let read = bench.cleeng("GET", &read, None).await;
    assert_eq!(read.body["status"], "active");
}

#[tokio::test]
async fn a_cancelled_subscription_is_to_be_ended_at_its_end_and_a_paused_one_rests() {
    for (verb, body, expected) in [
        (
            "cancel",
            json!({ "cancellationReason": "dear" }),
            &["Termination"][..],
        ),
        ("pause", json!({}), &[]),
    ] {
        let bench = Bench::start().await;
        let subscription = subscribe(&bench).await;
        let path = format!("subscriptions/{}/{verb}", subscription["id"]);
        bench.cleeng("POST", &path, Some(body)).await;
        advance(&bench, "40d").await;
        assert_eq!(topics(&bench, expected.len()).await, expected);
    }
}

#[tokio::test]
async fn without_payment_details_nothing_is_tried() {
    let bench = Bench::start().await;
    let subscription = subscribe(&bench).await;
    let path = format!("payment_details/{}", subscription["paymentDetailsId"]);
    bench.cleeng("DELETE", &path, None).await;
    advance(&bench, "40d").await;
    assert_eq!(topics(&bench, 1).await, ["Termination"]);
}

#[tokio::test]
async fn details_that_are_off_are_said_to_be_off() {
    let bench = Bench::start().await;
    let subscription = subscribe(&bench).await;
    let path = format!("payment_details/{}", subscription["paymentDetailsId"]);
    bench
        .cleeng("PATCH", &path, Some(json!({ "active": false })))
        .await;
    bench.hooks(1).await;
    advance(&bench, "next").await;
    assert_eq!(topics(&bench, 2).await, ["Deactivated", "Authorisation"]);
    let hook: Value = serde_json::from_str(&bench.hooks(2).await[1].1).unwrap();
    assert_eq!(hook["data"]["active"], false);
}

#[tokio::test]
async fn a_renewal_recorded_twice_is_in_the_statement_twice_and_extends_once() {
    let bench = Bench::start().await;
    let subscription = subscribe(&bench).await;
    advance(&bench, "next").await;
    report(&bench, &subscription, "captured").await;
    let once = ends(&bench).await;
    let statement = bench.control("GET", "/_statement", json!({})).await;
    let again = json!({
        "orderId": statement["payments"][1]["orderId"], "status": "captured",
        "paymentOperation": "recurring-payment", "externalPaymentId": "pi_2",
        "paymentDetailsId": subscription["paymentDetailsId"], "subscriptionId": subscription["id"],
    });
    bench.cleeng("POST", "payments", Some(again)).await;
    assert_eq!(ends(&bench).await, once);
    let path = format!("/_statement?subscriptionId={}", subscription["id"]);
    let statement = bench.control("GET", &path, json!({})).await;
    assert_eq!(statement["payments"].as_array().unwrap().len(), 3);
    assert_eq!(statement["totals"]["EUR"]["capturedMinor"], 3 * 999);
}
