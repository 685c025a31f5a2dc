//! Cleeng's webhooks: signed, by the clock, sent again until a 200, and spoiled on demand.

use serde_json::{Value, json};

use super::Bench;
use crate::cleeng::webhooks::TOPICS;
use crate::simulator::cleeng::hooks::{Encoding, sign};
use crate::simulator::cleeng::topic::Topic;

const SECRET: &str = "simulated-cleeng-webhook-secret";

/// A captured or authorized payment of a fresh subscription's order.
async fn pay(bench: &Bench, status: &str) -> Value {
    let order = bench
        .control("POST", "/_orders", json!({ "customerId": 5 }))
        .await;
    let payment = json!({
        "orderId": order["id"], "status": status, "paymentOperation": "initial-payment",
        "externalPaymentId": "pi_1", "paymentDetails": { "token": "cus_1|pm_1" },
    });
    let answer = bench.cleeng("POST", "payments", Some(payment)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body["payment"].clone()
}

/// Moves Cleeng's clock; nobody reports anything here, so it does not wait.
async fn advance(bench: &Bench, span: &str) -> Value {
    let wanted = json!({ "advance": span, "waitMs": 0 });
    bench.control("POST", "/_clock", wanted).await
}

async fn arrived(bench: &Bench, count: usize) -> Vec<Value> {
    let hooks = bench.hooks(count).await;
    let bodies = hooks.iter().map(|(_, body)| body);
    bodies
        .map(|body| serde_json::from_str(body).unwrap())
        .collect()
}

fn topics(hooks: &[Value]) -> Vec<&str> {
    let topics = hooks.iter().map(|hook| hook["topic"].as_str().unwrap());
    topics
        .map(|topic| topic.trim_start_matches("subscriptionReadyFor"))
        .collect()
}

#[tokio::test]
async fn a_renewal_that_nobody_reports_is_tried_by_the_schedule_and_given_up() {
    let bench = Bench::start().await;
    pay(&bench, "captured").await;
    let list = bench
        .cleeng("GET", "subscriptions?customerId=5", None)
        .await;
    let subscription = &list.body["data"][0];
    let due = subscription["dateTo"].as_i64().unwrap();
    assert_eq!(subscription["nextPaymentAction"], "authorise");
    assert_eq!(subscription["nextPaymentActionDate"], due - 72 * 3_600);
    let clock = advance(&bench, "40d").await;
    assert_eq!(clock["webhooksTaken"], 5);
    assert_eq!(clock["next"], Value::Null);
    let hooks = arrived(&bench, 5).await;
    let try_ = "PaymentAuthorisation";
    assert_eq!(
        topics(&hooks),
        [try_, try_, try_, try_, "Termination"],
        "{hooks:?}"
    );
    let data = &hooks[0]["data"];
    let id = subscription["subscriptionId"].as_u64().unwrap();
    assert_eq!(hooks[0]["broadcasterId"], 558_186_818);
    assert_eq!(data["subscriptionId"], id.to_string());
    assert_eq!(data["dunningStatus"], "authorize");
    assert_eq!(data["token"], "cus_1|pm_1");
    assert_eq!(data["active"], true);
    assert_eq!(data["currency"], "EUR");
    assert_eq!(data["paymentMethodId"], 123_876_432);
    assert_eq!(hooks[4]["data"]["subscriptionId"], id);
    let (headers, body) = &bench.hooks(1).await[0];
    let signature = headers["x-cleeng-signature"].to_str().unwrap();
    assert_eq!(signature, sign(SECRET, Encoding::Hex, body));
}

#[tokio::test]
async fn a_direct_charge_is_asked_for_by_the_capture_webhook() {
    let bench = Bench::start().await;
    let rule = json!({
        "authorizedFirst": false, "paymentAttempts": [24, 0, -24], "gracePeriod": 25,
        "paymentMethodId": 123_876_432,
    });
    bench
        .cleeng("PUT", "dunning_actions/monthly", Some(rule))
        .await;
    pay(&bench, "captured").await;
    advance(&bench, "40d").await;
    let hooks = arrived(&bench, 4).await;
    let try_ = "PaymentCapture";
    assert_eq!(topics(&hooks), [try_, try_, try_, "Termination"]);
    assert_eq!(hooks[0]["data"]["dunningStatus"], "capture");
    assert!(hooks[0]["data"]["subscriptionId"].is_u64());
}

#[tokio::test]
async fn only_a_200_ends_the_sending() {
    for status in [202, 500] {
        let bench = Bench::with_webhooks(status).await;
        let payment = pay(&bench, "captured").await;
        let wish = json!({ "paymentId": payment["id"], "amountMinor": 500 });
        bench.control("POST", "/_refunds", wish).await;
        let first = arrived(&bench, 1).await.remove(0);
        assert_eq!(first["topic"], "refundPayment");
        assert_eq!(first["data"]["paymentId"], payment["id"]);
        assert_eq!(first["data"]["orderId"], payment["orderId"]);
        assert_eq!(first["data"]["amount"].to_string(), "5");
        advance(&bench, "9s").await;
        assert_eq!(bench.hooks(1).await.len(), 1);
        advance(&bench, "12h").await;
        let hooks = arrived(&bench, 7).await;
        assert!(hooks.iter().all(|hook| *hook == first));
        advance(&bench, "10d").await;
        assert_eq!(arrived(&bench, 10).await.len(), 10, "then it is given up");
        let log = bench.control("GET", "/_webhooks", json!({})).await;
        assert_eq!(log[0]["attempts"], 10);
        let again = json!({ "eventId": log[0]["id"] });
        bench.control("POST", "/_webhooks/resend", again).await;
        arrived(&bench, 11).await;
    }
}

#[tokio::test]
async fn details_switched_off_are_told_of_once() {
    let bench = Bench::start().await;
    let payment = pay(&bench, "authorized").await;
    let path = format!("payment_details/{}", payment["paymentDetailsId"]);
    for _ in 0..2 {
        let off = json!({ "active": false });
        let answer = bench.cleeng("PATCH", &path, Some(off)).await;
        assert_eq!(answer.body["data"]["active"], false);
    }
    let capture = json!({ "paymentId": payment["id"] });
    bench.control("POST", "/_captures", capture).await;
    let hooks = arrived(&bench, 2).await;
    assert_eq!(
        topics(&hooks),
        ["paymentDetailsDeactivated", "capturePayment"]
    );
    assert_eq!(
        hooks[0]["data"]["paymentDetailsId"],
        payment["paymentDetailsId"]
    );
    assert_eq!(hooks[0]["data"]["token"], "cus_1|pm_1");
    assert_eq!(hooks[1]["data"]["paymentId"], payment["id"]);
}

#[tokio::test]
async fn a_filter_drops_what_does_not_name_its_payment_method() {
    let bench = Bench::start().await;
    let url = bench
        .cleeng("GET", "webhook_subscriptions", None)
        .await
        .body["data"]["refundPayment"][0]["url"]
        .clone();
    let endpoint = |method: u64| {
        json!({
            "url": url,
            "filters": [{ "name": "paymentMethodId", "options": { "value": method } }],
        })
    };
    let list = json!([endpoint(1), endpoint(123_876_432)]);
    let path = "webhook_subscriptions/refundPayment";
    bench.cleeng("PUT", path, Some(list)).await;
    let transactions = json!([{ "url": url }]);
    let path = "webhook_subscriptions/transactionCreated";
    bench.cleeng("PUT", path, Some(transactions)).await;
    let payment = pay(&bench, "captured").await;
    let told = arrived(&bench, 1).await.remove(0);
    assert_eq!(told["topic"], "transactionCreated");
    assert_eq!(told["data"]["externalData"], "pi_1");
    let wish = json!({ "paymentId": payment["id"], "refundId": "r1" });
    bench.control("POST", "/_refunds", wish).await;
    advance(&bench, "1d").await;
    let hooks = bench.hooks(2).await;
    assert_eq!(hooks.len(), 2);
    assert!(hooks[1].1.contains("\"refundId\":\"r1\""));
    assert!(
        !hooks[1].0.contains_key("x-cleeng-signature"),
        "no secret, no signature"
    );
}

#[tokio::test]
async fn cleengs_webhooks_can_be_lost_doubled_late_and_overtaken() {
    let bench = Bench::start().await;
    let payment = pay(&bench, "captured").await;
    let ask = |minor: u64| {
        let bench = &bench;
        let wish = json!({ "paymentId": payment["id"], "amountMinor": minor });
        async move { bench.control("POST", "/_refunds", wish).await }
    };
    let amounts = |hooks: &[Value]| -> Vec<String> {
        let amounts = hooks.iter().map(|hook| hook["data"]["amount"].to_string());
        amounts.collect()
    };
    bench.fault("cleeng.webhook", "webhook_lost").await;
    ask(100).await;
    advance(&bench, "1s").await;
    bench.fault("cleeng.webhook", "webhook_duplicate").await;
    ask(200).await;
    arrived(&bench, 2).await;
    let late =
        json!({ "operation": "cleeng.webhook", "fault": "webhook_delay", "delayMs": 7_200_000 });
    bench.control("POST", "/_faults", late).await;
    ask(300).await;
    advance(&bench, "1h").await;
    ask(400).await;
    arrived(&bench, 3).await;
    advance(&bench, "1h").await;
    arrived(&bench, 4).await;
    bench.fault("cleeng.webhook", "webhook_stale_first").await;
    ask(500).await;
    let hooks = arrived(&bench, 6).await;
    let expected = ["2", "2", "4", "3", "5", "4"];
    assert_eq!(amounts(&hooks), expected);
}

#[tokio::test]
async fn the_clock_moves_ahead_and_a_reset_brings_it_back() {
    let bench = Bench::start().await;
    let before = bench.control("GET", "/_clock", json!({})).await;
    assert_eq!(before["aheadSeconds"], 0);
    let order = bench.control("POST", "/_orders", json!({})).await["id"].clone();
    advance(&bench, "24h").await;
    let payment = json!({
        "orderId": order, "status": "captured", "paymentOperation": "initial-payment",
        "externalPaymentId": "pi_1", "paymentDetails": { "token": "t" },
    });
    let late = bench.cleeng("POST", "payments", Some(payment)).await;
    assert_eq!(late.status, 422, "an order lives for a day");
    for wrong in [
        json!({ "advance": "-1d" }),
        json!({ "advance": "soon" }),
        json!({}),
    ] {
        let request = bench
            .http
            .post(format!("{}/_clock", bench.base))
            .body(wrong.to_string());
        assert_eq!(bench.send(request).await.unwrap().status, 400);
    }
    bench.control("POST", "/_reset", json!({})).await;
    let after = bench.control("GET", "/_clock", json!({})).await;
    assert_eq!(after["aheadSeconds"], 0);
}

#[test]
fn the_connector_subscribes_to_all_that_cleeng_requires_of_it() {
    assert_eq!(TOPICS, Topic::REQUIRED.map(Topic::name));
}
