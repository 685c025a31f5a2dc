//! Twelve months of a subscription through the whole connector: afterwards Cleeng's book and the gateway's agree to the cent.

use serde_json::{Value, json};

use crate::harness::{Pair, World, statuses};
use crate::payment_details::{begin, change};
use crate::payments::on_both_pairs;
use crate::renewals::begin_trial;

on_both_pairs![a_year_of_a_subscription_is_the_same_in_both_books];

const RECURRING: &str = "recurring-payment";
const PRICE: i64 = 1_299;

/// A gateway, its good methods, and one that is kept but declined at every renewal.
const GATEWAYS: [(&str, [&str; 3], &str); 2] = [
    (
        "stripe",
        ["pm_card_visa", "pm_card_mastercard", "pm_card_amex"],
        "pm_card_renewalDeclined",
    ),
    (
        "simulated",
        ["tok_ok", "tok_ok", "tok_ok"],
        "tok_renewal_declined",
    ),
];

fn count(found: &Value, status: &str) -> usize {
    let all = statuses(found, RECURRING);
    all.iter().filter(|one| **one == status).count()
}

/// Goes from one thing that is due to the next, until so many renewals have this status.
async fn until(world: &World, customer: u64, status: &str, wanted: usize) -> Value {
    for _ in 0..80 {
        let found = world.statement(customer).await;
        if count(&found, status) >= wanted {
            return found;
        }
        let next = json!({ "advance": "next", "waitMs": 15_000 });
        world.at_cleeng("_clock", next).await;
    }
    panic!(
        "never {wanted} {status}: {}",
        world.statement(customer).await
    );
}

/// New payment details in the place of those that the subscription has.
async fn new_details(world: &World, customer: u64, gateway: &str, token: &str) {
    let found = world.statement(customer).await;
    let old = found["subscriptions"][0]["paymentDetailsId"].clone();
    let id = begin(
        world,
        &change(customer, gateway, token, json!({ "replaces": old })),
    )
    .await;
    world.settled(&id, "captured", "delivered").await;
    world
        .eventually("the subscription has the new details", async |world| {
            let found = world.statement(customer).await;
            (found["subscriptions"][0]["paymentDetailsId"] != old).then_some(())
        })
        .await;
}

async fn sum_is(world: &World, customer: u64, sum: &str, minor: i64) {
    world
        .eventually(&format!("{sum} is {minor}"), async |world| {
            let found = world.statement(customer).await;
            (found["totals"]["EUR"][sum] == minor).then_some(())
        })
        .await;
}

/// What the payers' banks have taken back at this gateway.
async fn disputed(world: &World, gateway: &str) -> i64 {
    let url = format!("{}/_ledger", world.simulator);
    let ledger = world.http.get(&url).await.json();
    let disputes = ledger[gateway]["disputes"].as_array().unwrap();
    disputes
        .iter()
        .map(|one| {
            let amount = &one["amount"];
            let minor = amount.as_i64().or_else(|| amount["value"].as_i64());
            minor.unwrap()
        })
        .sum()
}

async fn a_year_of_a_subscription_is_the_same_in_both_books(pair: Pair) {
    let world = World::start(pair).await;
    for (gateway, [first, second, third], declining) in GATEWAYS {
        // A trial, and three months.
        let (id, order) = begin_trial(&world, gateway, first).await;
        world.settled(&id, "captured", "delivered").await;
        let customer = world.customer_of(order).await;
        until(&world, customer, "captured", 3).await;
        // A card that is declined: two tries of the dunning, then another card, which the next try takes.
        new_details(&world, customer, gateway, declining).await;
        until(&world, customer, "rejected", 2).await;
        new_details(&world, customer, gateway, second).await;
        until(&world, customer, "captured", 6).await;
        // A better card, nothing being wrong.
        new_details(&world, customer, gateway, third).await;
        let found = until(&world, customer, "captured", 12).await;
        assert_eq!(count(&found, "captured"), 12, "{gateway}");
        let captured: Vec<&Value> = found["payments"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["operation"] == RECURRING && one["status"] == "captured")
            .collect();
        // One month is given back in two parts, by Cleeng and at the gateway; of another the bank takes everything back.
        let wish = json!({ "paymentId": captured[10]["id"], "amountMinor": 500, "refundId": "r1" });
        world.at_cleeng("_refunds", wish).await;
        sum_is(&world, customer, "refundedMinor", 500).await;
        let wish = json!({ "id": captured[10]["externalPaymentId"], "amount": 799 });
        world.at_cleeng("_gateway/refunds", wish).await;
        sum_is(&world, customer, "refundedMinor", PRICE).await;
        let wish = json!({ "id": captured[11]["externalPaymentId"] });
        world.at_cleeng("_gateway/disputes", wish).await;
        sum_is(&world, customer, "chargedBackMinor", PRICE).await;
        // No try succeeds any more, and it ends.
        new_details(&world, customer, gateway, declining).await;
        let ended = |subscription: &Value| subscription["status"] == "terminated";
        let found = world
            .until_subscription(customer, "the termination", ended)
            .await;
        assert_eq!(
            found["totals"]["EUR"],
            json!({ "capturedMinor": 12 * PRICE, "refundedMinor": PRICE, "chargedBackMinor": PRICE }),
            "{gateway}"
        );
        assert_eq!(found["subscriptions"][0]["termination"], "paymentCancel");
        assert_eq!(found["refunds"].as_array().unwrap().len(), 3, "{gateway}");
        let kept = world.taken_by(gateway).await - disputed(&world, gateway).await;
        assert_eq!(kept, (12 - 1 - 1) * PRICE, "{gateway}");
    }
}
