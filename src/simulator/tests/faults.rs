//! Faults: what is lost on the way is still in the ledger, once.

use std::time::Duration;

use serde_json::json;

use super::{Bench, charge};

#[tokio::test]
async fn a_dropped_answer_is_replayed_and_money_moved_once() {
    let bench = Bench::start().await;
    let id = bench.intent("").await;
    let path = format!("payment_intents/{id}/confirm");
    bench.fault("stripe.confirm", "commit_then_drop").await;
    let form = "payment_method=pm_card_visa";
    let lost = bench.send(bench.stripe_post(&path, "k1", form)).await;
    assert!(lost.is_err());
    let replayed = bench.stripe(&path, "k1", form).await;
    assert_eq!(replayed.body["status"], "succeeded");
    assert_eq!(replayed.headers["idempotent-replayed"], "true");
    let ledger = bench.ledger().await;
    assert_eq!(ledger["stripe"]["paymentIntents"][0]["charges"], 1);
    assert_eq!(ledger["requests"]["stripe.confirm"], 2);
}

#[tokio::test]
async fn a_dropped_request_was_never_done() {
    let bench = Bench::start().await;
    bench.fault("simulated.charge", "drop").await;
    assert!(
        bench
            .send(bench.simulated_post("k1", &charge("tok_ok")))
            .await
            .is_err()
    );
    assert_eq!(bench.ledger().await["moneyMoved"], json!({}));
    assert_eq!(bench.simulated("k1", &charge("tok_ok")).await.status, 200);
}

#[tokio::test]
async fn a_500_is_kept_under_its_key_whether_done_or_not() {
    let bench = Bench::start().await;
    for (fault, status) in [
        ("error_500", "requires_payment_method"),
        ("commit_then_500", "succeeded"),
    ] {
        let id = bench.intent("").await;
        let path = format!("payment_intents/{id}/confirm");
        bench.fault("stripe.confirm", fault).await;
        for _ in 0..2 {
            let answer = bench
                .stripe(&path, fault, "payment_method=pm_card_visa")
                .await;
            assert_eq!(answer.status, 500);
        }
        let read = bench.stripe_get(&format!("payment_intents/{id}")).await;
        assert_eq!(read.body["status"], status);
    }
}

#[tokio::test]
async fn what_is_refused_at_the_gate_is_not_kept() {
    let bench = Bench::start().await;
    for (fault, status) in [
        ("rate_limited", 429),
        ("error_503", 503),
        ("unauthorized", 401),
        ("garbage_undone", 200),
    ] {
        bench.fault("simulated.charge", fault).await;
        let answer = bench.simulated("k1", &charge("tok_ok")).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.headers.contains_key("retry-after"), status == 429);
    }
    let answer = bench.simulated("k1", &charge("tok_ok")).await;
    assert_eq!(answer.body["status"], "captured");
    assert!(!answer.headers.contains_key("idempotent-replayed"));
}

#[tokio::test]
async fn a_token_brings_its_fault_once() {
    let bench = Bench::start().await;
    let body = charge("tok_sim_commit_then_drop");
    assert!(bench.send(bench.simulated_post("k1", &body)).await.is_err());
    assert_eq!(
        bench.simulated("k1", &body).await.body["status"],
        "captured"
    );
    assert_eq!(bench.ledger().await["moneyMoved"]["p1"], 1);
    let id = bench.intent("").await;
    let path = format!("payment_intents/{id}/confirm");
    let form = "payment_method=pm_sim_commit_then_500_declined";
    assert_eq!(bench.stripe(&path, "k2", form).await.status, 500);
    assert_eq!(bench.stripe(&path, "k2", form).await.status, 500);
    assert_eq!(bench.stripe(&path, "k3", form).await.status, 402);
}

#[tokio::test]
async fn a_fault_waits_for_the_call_it_is_meant_for() {
    let bench = Bench::start().await;
    let rule =
        json!({ "operation": "cleeng.*", "fault": "error_503", "match": "payments", "times": 2 });
    bench.control("POST", "/_faults", rule).await;
    assert_eq!(bench.cleeng("GET", "orders/1", None).await.status, 404);
    assert_eq!(
        bench
            .cleeng("POST", "payments", Some(json!({})))
            .await
            .status,
        503
    );
    assert_eq!(
        bench
            .cleeng("PATCH", "payments/1", Some(json!({})))
            .await
            .status,
        503
    );
    assert_eq!(
        bench
            .cleeng("PATCH", "payments/1", Some(json!({})))
            .await
            .status,
        400
    );
    let always = json!({ "operation": "*", "fault": "error_503", "probability": 1.0 });
    bench.control("POST", "/_faults", always).await;
    assert_eq!(bench.cleeng("GET", "orders/1", None).await.status, 503);
    bench.control("DELETE", "/_faults", json!({})).await;
    assert_eq!(bench.cleeng("GET", "orders/1", None).await.status, 404);
}

#[tokio::test]
async fn an_unknown_fault_or_operation_is_refused() {
    let bench = Bench::start().await;
    for rule in [
        json!({ "operation": "stripe.confirm", "fault": "explode" }),
        json!({ "operation": "stripe.pay", "fault": "drop" }),
    ] {
        let request = bench
            .http
            .post(format!("{}/_faults", bench.base))
            .body(rule.to_string());
        assert_eq!(bench.send(request).await.unwrap().status, 400);
    }
}

#[tokio::test]
async fn a_caller_that_hangs_up_does_not_stop_the_work() {
    let bench = Bench::start().await;
    let rule = json!({ "operation": "simulated.charge", "fault": "slow", "delayMs": 200 });
    bench.control("POST", "/_faults", rule).await;
    let request = bench
        .simulated_post("k1", &charge("tok_ok"))
        .timeout(Duration::from_millis(50));
    assert!(bench.send(request).await.is_err());
    let refused = bench.simulated("k1", &charge("tok_ok")).await;
    assert_eq!(
        (refused.status, refused.body["error"]["code"].as_str()),
        (409, Some("in_flight"))
    );
    bench.hooks(1).await;
    assert_eq!(bench.ledger().await["moneyMoved"]["p1"], 1);
}

#[tokio::test]
async fn a_reset_forgets_everything() {
    let bench = Bench::start().await;
    bench.simulated("k1", &charge("tok_ok")).await;
    bench.intent("").await;
    bench.control("POST", "/_reset", json!({})).await;
    let ledger = bench.ledger().await;
    assert_eq!(ledger["moneyMoved"], json!({}));
    assert_eq!(ledger["stripe"]["paymentIntents"], json!([]));
    assert_eq!(ledger["requests"], json!({}));
    let again = bench.simulated("k1", &charge("tok_ok")).await;
    assert!(!again.headers.contains_key("idempotent-replayed"));
}
