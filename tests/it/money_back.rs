//! Money that goes back after a capture, whoever asked for it: each amount is registered at Cleeng once, on both pairs of stores.

use serde_json::{Value, json};

use crate::harness::{Pair, Setup, World, run};
use crate::payments::on_both_pairs;

on_both_pairs![
    a_refund_made_at_the_gateway_is_registered_once,
    a_refund_of_ours_that_the_gateway_tells_of_is_no_second_one,
    a_refund_whose_answer_is_lost_is_found_and_not_repeated,
    a_refund_that_the_gateway_refuses_is_never_told_as_refunded,
    a_chargeback_is_registered_and_a_won_dispute_is_told_to_the_operator,
    a_refund_that_came_back_is_told_to_the_operator,
];

const GATEWAYS: [(&str, &str); 2] = [("stripe", "pm_card_visa"), ("simulated", "tok_ok")];

/// A captured payment: its id here, the gateway's, and Cleeng's customer.
async fn captured(world: &World, gateway: &str, token: &str) -> (String, String, u64) {
    let (id, order) = world.pay(gateway, token).await;
    let payment = world.settled(&id, "captured", "delivered").await;
    let external = payment["externalPaymentId"].as_str().unwrap().to_owned();
    (id, external, world.customer_of(order).await)
}

async fn refunds(world: &World, customer: u64) -> Vec<Value> {
    let found = world.statement(customer).await;
    found["refunds"].as_array().unwrap().clone()
}

/// Waits until Cleeng has so many refunds of the customer.
async fn registered(world: &World, customer: u64, count: usize) -> Vec<Value> {
    world
        .eventually("Cleeng has the refunds", async |world| {
            let found = refunds(world, customer).await;
            (found.len() >= count).then_some(found)
        })
        .await
}

async fn ask_for_refund(world: &World, customer: u64, more: Value) {
    let found = world.statement(customer).await;
    let mut wish = json!({ "paymentId": found["payments"][0]["id"] });
    wish.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    world.at_cleeng("_refunds", wish).await;
}

async fn a_refund_made_at_the_gateway_is_registered_once(pair: Pair) {
    let world = World::start(pair).await;
    for (gateway, token) in GATEWAYS {
        let (id, external, customer) = captured(&world, gateway, token).await;
        for (amount, status) in [(300, "partially_refunded"), (699, "refunded")] {
            let wish = json!({ "id": external, "amount": amount });
            world.at_cleeng("_gateway/refunds", wish).await;
            world.settled(&id, status, "delivered").await;
        }
        let found = registered(&world, customer, 2).await;
        let amounts: Vec<&Value> = found.iter().map(|one| &one["amountMinor"]).collect();
        assert_eq!(amounts, [300, 699], "{gateway}");
        assert!(found.iter().all(|one| one["type"] == "refund"));
    }
}

async fn a_refund_of_ours_that_the_gateway_tells_of_is_no_second_one(pair: Pair) {
    let world = World::start(pair).await;
    for operation in ["stripe.webhook", "simulated.webhook"] {
        world
            .fault(
                json!({ "operation": operation, "fault": "webhook_duplicate", "probability": 1.0 }),
            )
            .await;
    }
    for (gateway, token) in GATEWAYS {
        let (id, external, customer) = captured(&world, gateway, token).await;
        ask_for_refund(
            &world,
            customer,
            json!({ "amountMinor": 400, "refundId": "r1" }),
        )
        .await;
        world.settled(&id, "partially_refunded", "delivered").await;
        // Only now comes a second one, from other hands: all that came before it has been read by then.
        let wish = json!({ "id": external, "amount": 100 });
        world.at_cleeng("_gateway/refunds", wish).await;
        let found = registered(&world, customer, 2).await;
        let amounts: Vec<&Value> = found.iter().map(|one| &one["amountMinor"]).collect();
        assert_eq!(amounts, [400, 100], "{gateway}");
    }
}

async fn a_refund_whose_answer_is_lost_is_found_and_not_repeated(pair: Pair) {
    let world = World::start(pair).await;
    for (gateway, token) in GATEWAYS {
        for fault in ["commit_then_drop", "drop", "commit_then_500", "error_500"] {
            let (id, _, customer) = captured(&world, gateway, token).await;
            let operation = format!("{gateway}.refund");
            world
                .fault(json!({ "operation": operation, "fault": fault, "times": 1 }))
                .await;
            ask_for_refund(&world, customer, json!({ "refundId": "r1" })).await;
            world.settled(&id, "refunded", "delivered").await;
            let found = refunds(&world, customer).await;
            assert_eq!(found.len(), 1, "{gateway} {fault}");
            assert_eq!(found[0]["amountMinor"], 999, "{gateway} {fault}");
        }
    }
}

async fn a_refund_that_the_gateway_refuses_is_never_told_as_refunded(pair: Pair) {
    // Most of it went back by other hands, and the gateway does not tell.
    let setup = Setup {
        no_webhooks: true,
        ..Setup::default()
    };
    let world = World::start_with(pair, setup).await;
    for (gateway, token) in GATEWAYS {
        let (id, external, customer) = captured(&world, gateway, token).await;
        let wish = json!({ "id": external, "amount": 600 });
        world.at_cleeng("_gateway/refunds", wish).await;
        ask_for_refund(&world, customer, json!({ "refundId": "r1" })).await;
        world
            .eventually("the refusal is told to the operator", async |world| {
                let (code, told, _) = run(&["dead-letters", "list", "--all", "--json"], &world.env);
                (code == 0 && told.contains("refund_refused") && told.contains(&id)).then_some(())
            })
            .await;
        // What others gave back was found by it, and only that is told.
        world.settled(&id, "partially_refunded", "delivered").await;
        let found = registered(&world, customer, 1).await;
        assert_eq!(found.len(), 1, "{gateway}");
        assert_eq!(found[0]["amountMinor"], 600, "{gateway}");
    }
}

async fn a_chargeback_is_registered_and_a_won_dispute_is_told_to_the_operator(pair: Pair) {
    let world = World::start(pair).await;
    for (gateway, token) in GATEWAYS {
        let (id, external, customer) = captured(&world, gateway, token).await;
        let wish = json!({ "id": external });
        let opened = world.at_cleeng("_gateway/disputes", wish).await;
        world.settled(&id, "charged_back", "delivered").await;
        let found = registered(&world, customer, 1).await;
        assert_eq!(
            (&found[0]["type"], &found[0]["amountMinor"]),
            (&json!("chargeback"), &json!(999))
        );
        let wish = json!({ "id": opened["id"], "result": "won" });
        world.at_cleeng("_gateway/disputes/close", wish).await;
        world.settled(&id, "captured", "delivered").await;
        assert!(world.logs().contains("dispute_won_after_it_was_reported"));
        assert_eq!(refunds(&world, customer).await.len(), 1, "{gateway}");
    }
}

async fn a_refund_that_came_back_is_told_to_the_operator(pair: Pair) {
    let world = World::start(pair).await;
    let cards = [
        (
            "stripe",
            "pm_card_refundFail",
            "refund_came_back_after_it_was_reported",
        ),
        ("simulated", "tok_refund_fails", "refund_failed"),
    ];
    for (gateway, token, alarm) in cards {
        let (id, _, customer) = captured(&world, gateway, token).await;
        ask_for_refund(&world, customer, json!({ "refundId": "r1" })).await;
        world
            .eventually("the operator is told", async |world| {
                world.logs().contains(alarm).then_some(())
            })
            .await;
        let payment = world.settled(&id, "captured", "delivered").await;
        assert_eq!(payment["status"], "captured", "{gateway}");
    }
}
