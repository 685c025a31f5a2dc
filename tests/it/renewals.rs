//! A subscription after its purchase: Cleeng's webhooks become orders, charges and records, on both pairs of stores.

use serde_json::{Value, json};

use crate::harness::{Pair, World, statuses};
use crate::payments::on_both_pairs;

on_both_pairs![
    a_subscription_is_renewed_by_authorisation_and_capture,
    a_subscription_is_renewed_by_direct_charge,
    a_declined_renewal_is_rejected_at_cleeng_and_the_subscription_ends,
    a_refund_that_cleeng_asks_for_is_made_once_and_registered,
];

const RECURRING: &str = "recurring-payment";

const GATEWAYS: [(&str, &str); 2] = [("stripe", "pm_card_visa"), ("simulated", "tok_ok")];

fn completed(months: u64) -> impl Fn(&Value) -> bool {
    move |subscription| subscription["completed"] == months
}

async fn a_subscription_is_renewed_by_authorisation_and_capture(pair: Pair) {
    let world = World::start(pair).await;
    for (gateway, token) in GATEWAYS {
        let customer = world.subscribe(gateway, token).await;
        let found = world
            .until_subscription(customer, "the second renewal", completed(3))
            .await;
        assert_eq!(
            statuses(&found, RECURRING),
            ["captured", "captured"],
            "{gateway}"
        );
        assert_eq!(found["totals"]["EUR"]["capturedMinor"], 3 * 999);
        for payment in found["payments"].as_array().unwrap() {
            let history: Vec<&str> = payment["history"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(Value::as_str)
                .collect();
            if payment["operation"] == RECURRING {
                assert_eq!(history, ["authorized", "captured"], "{payment}");
            }
        }
    }
}

async fn a_subscription_is_renewed_by_direct_charge(pair: Pair) {
    let world = World::start(pair).await;
    for (gateway, token) in GATEWAYS {
        let customer = world.subscribe(gateway, token).await;
        world.charge_directly(gateway).await;
        let found = world
            .until_subscription(customer, "the first renewal", completed(2))
            .await;
        assert_eq!(statuses(&found, RECURRING), ["captured"], "{gateway}");
        assert_eq!(found["totals"]["EUR"]["capturedMinor"], 2 * 999);
    }
}

async fn a_declined_renewal_is_rejected_at_cleeng_and_the_subscription_ends(pair: Pair) {
    let world = World::start(pair).await;
    let cards = [
        ("stripe", "pm_card_renewalDeclined"),
        ("simulated", "tok_renewal_declined"),
    ];
    for (gateway, token) in cards {
        let customer = world.subscribe(gateway, token).await;
        let ended = |subscription: &Value| subscription["status"] == "terminated";
        let found = world
            .until_subscription(customer, "the termination", ended)
            .await;
        let tries = statuses(&found, RECURRING);
        assert_eq!(tries, ["rejected"; 4], "{gateway}");
        assert_eq!(found["totals"]["EUR"]["capturedMinor"], 999);
        assert_eq!(found["subscriptions"][0]["termination"], "paymentCancel");
    }
}

async fn a_refund_that_cleeng_asks_for_is_made_once_and_registered(pair: Pair) {
    let world = World::start(pair).await;
    for (gateway, token) in GATEWAYS {
        let customer = world.subscribe(gateway, token).await;
        let payment = world.statement(customer).await["payments"][0]["id"].clone();
        for (minor, refund_id, sum) in [(400, "r1", 400), (599, "r2", 999)] {
            let wish = json!({ "paymentId": payment, "amountMinor": minor, "refundId": refund_id });
            world.at_cleeng("_refunds", wish).await;
            world
                .eventually("Cleeng has the refund", async |world| {
                    let found = world.statement(customer).await;
                    (found["totals"]["EUR"]["refundedMinor"] == sum).then_some(())
                })
                .await;
        }
        let found = world.statement(customer).await;
        assert_eq!(found["refunds"].as_array().unwrap().len(), 2, "{gateway}");
    }
}
