//! Cleeng hears about an authorisation before its capture, however late the first report is and whoever delivers it.

use serde_json::{Value, json};

use crate::harness::{Pair, Setup, World};
use crate::payments::on_both_pairs;

on_both_pairs![a_capture_never_overtakes_the_late_report_of_its_authorisation];

async fn a_capture_never_overtakes_the_late_report_of_its_authorisation(pair: Pair) {
    let env = vec![
        ("CONNECTOR_GATEWAYS__STRIPE__CAPTURE", "manual".to_owned()),
        // The slow report is answered in the end.
        ("CONNECTOR_CLEENG__TIMEOUT", "10s".to_owned()),
        ("CONNECTOR_CLEENG__SETTLE_TIME", "12s".to_owned()),
    ];
    let setup = Setup {
        env,
        ..Setup::default()
    };
    let world = World::start_with(pair, setup).await;
    // The embedded broker serves one process; on servers two confirmers take turns.
    let second = (pair == Pair::Servers).then(|| world.role("confirmer"));
    if let Some(role) = &second {
        world.ready(&role.ops).await;
    }
    // The report is turned away for now; it is under way for long.
    for fault in ["rate_limited", "slow"] {
        world
            .fault(json!({ "operation": "cleeng.payment", "fault": fault, "probability": 1.0, "delayMs": 3000, "retryAfter": 1 }))
            .await;
        let (id, order) = world.pay("stripe", "pm_card_visa").await;
        let intent = world
            .eventually("the intent waits for its capture", async |world| {
                waiting_intent(world, &id).await
            })
            .await;
        capture_at_the_dashboard(&world, &intent).await;
        world.settled(&id, "captured", "queued").await;
        let early = world.records(&id, order).await.cleeng;
        assert!(
            early.is_empty(),
            "{fault}: the report was not late: {early:?}"
        );
        world.clear_faults().await;
        world.settled(&id, "captured", "delivered").await;
        let records = world.records(&id, order).await;
        assert_eq!(
            (records.moved, records.statuses()),
            (1, vec!["captured"]),
            "{fault}"
        );
        assert_eq!(
            records.cleeng[0]["history"],
            json!(["authorized", "captured"]),
            "{fault}"
        );
    }
}

/// The payment's intent, once the connector knows that it is authorised and money has not moved yet.
async fn waiting_intent(world: &World, id: &str) -> Option<String> {
    let payment = world.payment(id).await;
    if payment["status"] != "authorized" {
        return None;
    }
    let url = format!("{}/_ledger?reference={id}", world.simulator);
    let ledger: Value = world.http.get(&url).await.json();
    let intent = &ledger["stripe"]["paymentIntents"][0];
    (intent["status"] == "requires_capture").then(|| intent["id"].as_str().unwrap().to_owned())
}

/// A person captures; the connector learns of it by the webhook.
async fn capture_at_the_dashboard(world: &World, intent: &str) {
    let url = format!(
        "{}/stripe/v1/payment_intents/{intent}/capture",
        world.simulator
    );
    let key = format!("dashboard-{intent}");
    let headers = [
        ("authorization", "Bearer sk_test_simulated"),
        ("stripe-version", "2026-06-24.dahlia"),
        ("idempotency-key", key.as_str()),
    ];
    let answer = world.http.post_raw(&url, &headers, "").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}
