//! Webhooks: signed, repeated until taken, and spoiled on demand.

use serde_json::{Value, json};

use super::{Bench, charge};
use crate::simulator::signature;

fn body(hook: &str) -> Value {
    serde_json::from_str(hook).unwrap()
}

#[tokio::test]
async fn a_stripe_event_is_signed_and_names_its_cause() {
    let bench = Bench::start().await;
    let id = bench.intent("").await;
    let path = format!("payment_intents/{id}/confirm");
    bench
        .stripe(&path, "k1", "payment_method=pm_card_visa")
        .await;
    let (headers, text) = bench.hooks(1).await.remove(0);
    let event = body(&text);
    assert_eq!(event["type"], "payment_intent.succeeded");
    assert_eq!(event["request"]["idempotency_key"], "k1");
    assert_eq!(event["data"]["object"]["id"], id.as_str());
    let header = headers["stripe-signature"].to_str().unwrap();
    let at = header.split(['=', ',']).nth(1).unwrap().parse().unwrap();
    assert_eq!(header, signature::sign("whsec_1", at, &text));
    let read = bench
        .stripe_get(&format!("events/{}", event["id"].as_str().unwrap()))
        .await;
    assert_eq!(read.body, event);
}

#[tokio::test]
async fn a_webhook_is_sent_again_until_it_is_taken() {
    let bench = Bench::with_webhooks(503).await;
    bench.simulated("k1", &charge("tok_ok")).await;
    let hooks = bench.hooks(2).await;
    assert_eq!(hooks[0].1, hooks[1].1);
    assert!(hooks[0].0.contains_key("simulated-signature"));
}

#[tokio::test]
async fn a_webhook_can_come_before_its_answer() {
    let bench = Bench::start().await;
    bench
        .simulated("k1", &charge("tok_sim_webhook_first"))
        .await;
    assert_eq!(bench.post.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn webhooks_can_be_lost_doubled_and_overtaken() {
    let bench = Bench::start().await;
    bench.fault("simulated.webhook", "webhook_lost").await;
    bench.simulated("k1", &charge("tok_ok")).await;
    bench.fault("simulated.charge", "webhook_duplicate").await;
    bench.simulated("k2", &charge("tok_ok")).await;
    let hooks = bench.hooks(2).await;
    assert_eq!(hooks[0].1, hooks[1].1);
    bench
        .simulated("k3", &charge("tok_sim_webhook_stale_first"))
        .await;
    let hooks = bench.hooks(4).await;
    assert_eq!(body(&hooks[2].1)["charge"]["status"], "captured");
    assert_eq!(body(&hooks[3].1)["charge"]["status"], "pending");
}

#[tokio::test]
async fn an_event_can_be_sent_again() {
    let bench = Bench::start().await;
    bench.simulated("k1", &charge("tok_ok")).await;
    let first = bench.hooks(1).await.remove(0).1;
    let again = json!({ "eventId": body(&first)["id"] });
    bench.control("POST", "/_webhooks/resend", again).await;
    assert_eq!(bench.hooks(2).await[1].1, first);
}

#[tokio::test]
async fn a_pending_payment_tells_of_its_success() {
    let bench = Bench::start().await;
    let id = bench.intent("").await;
    let path = format!("payment_intents/{id}/confirm");
    let answer = bench
        .stripe(&path, "k1", "payment_method=pm_card_pending")
        .await;
    assert_eq!(answer.body["status"], "processing");
    let hooks = bench.hooks(2).await;
    assert_eq!(body(&hooks[0].1)["type"], "payment_intent.processing");
    assert_eq!(body(&hooks[1].1)["type"], "payment_intent.succeeded");
}
