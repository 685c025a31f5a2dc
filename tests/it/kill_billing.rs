//! SIGKILL among renewals and refunds: whichever worker dies, each cycle is paid once, and each refund is made and told once.

use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cleeng_webhooks::deliver;
use crate::harness::{Role, World};
use crate::kill::{kill_at_random, narrow, slow};

const GATEWAYS: [(&str, &str); 2] = [("stripe", "pm_card_visa"), ("simulated", "tok_ok")];
const CUSTOMERS: usize = 24;

/// Two workers and the others, and customers with a subscription each, half of them at either gateway.
async fn started() -> (World, [Role; 2], [Role; 2], Vec<u64>) {
    let world = World::without_roles(narrow()).await;
    let others = [world.role("ingest"), world.role("confirmer")];
    world.ready(&others[0].ops).await;
    let workers = [world.role("worker"), world.role("worker")];
    let mut customers = Vec::new();
    for (gateway, token) in GATEWAYS.into_iter().cycle().take(CUSTOMERS) {
        customers.push(world.subscribe(gateway, token).await);
    }
    (world, others, workers, customers)
}

/// As Cleeng asks when a cycle is due, of each subscription its next one.
async fn ask_for_renewals(world: &World, customers: &[u64]) {
    for customer in customers {
        let found = world.statement(*customer).await;
        let subscription = &found["subscriptions"][0];
        let due = OffsetDateTime::from_unix_timestamp(subscription["to"].as_i64().unwrap());
        let due = due.unwrap().format(&Rfc3339).unwrap();
        let data = json!({
            "subscriptionId": subscription["id"], "offerId": subscription["offerId"], "customerId": customer,
            "paymentDetailsId": subscription["paymentDetailsId"], "active": true,
            "token": world.token_of(&subscription["paymentDetailsId"]).await,
            "dunningAttemptDate": due, "expirationDate": due, "currency": "EUR", "paymentCountry": "US",
            "paymentMethodId": subscription["paymentMethodId"],
        });
        let taken = deliver(world, "subscriptionReadyForPaymentCapture", &data).await;
        assert_eq!(taken.status, 200, "{}", taken.text);
    }
}

/// How often these were asked for.
async fn requests(world: &World, operations: [&str; 2]) -> usize {
    let [one, other] = operations;
    usize::try_from(world.requests(one).await + world.requests(other).await).unwrap()
}

/// Waits until Cleeng's sums say so for every customer, each with so many payments and refunds.
async fn all_told(world: &World, customers: &[u64], sum: &str, minor: i64, lists: (usize, usize)) {
    for customer in customers {
        let what = format!("{sum} of customer {customer} is {minor}");
        let found = world
            .eventually(&what, async |world| {
                let found = world.statement(*customer).await;
                (found["totals"]["EUR"][sum] == minor).then_some(found)
            })
            .await;
        let count = |list: &str| found[list].as_array().unwrap().len();
        assert_eq!((count("payments"), count("refunds")), lists, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_killed_at_any_moment_renew_each_subscription_once() {
    let (world, _others, mut workers, customers) = started().await;
    let charges = ["stripe.confirm", "simulated.charge"];
    for operation in charges.into_iter().chain(["stripe.create"]) {
        slow(&world, operation).await;
    }
    let before = requests(&world, charges).await;
    ask_for_renewals(&world, &customers).await;
    kill_at_random(&world, 5, "worker", &mut workers, async |world| {
        requests(world, charges).await - before
    })
    .await;
    all_told(&world, &customers, "capturedMinor", 2 * 999, (2, 0)).await;
    for (gateway, _) in GATEWAYS {
        assert_eq!(world.taken_by(gateway).await, 24 * 999, "{gateway}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_killed_at_any_moment_make_each_refund_once() {
    let (world, _others, mut workers, customers) = started().await;
    let refunds = ["stripe.refund", "simulated.refund"];
    for operation in refunds {
        slow(&world, operation).await;
    }
    for customer in &customers {
        let payment = world.statement(*customer).await["payments"][0]["id"].clone();
        let wish = json!({ "paymentId": payment, "amountMinor": 400, "refundId": "r1" });
        world.at_cleeng("_refunds", wish).await;
    }
    kill_at_random(&world, 5, "worker", &mut workers, async |world| {
        requests(world, refunds).await
    })
    .await;
    all_told(&world, &customers, "refundedMinor", 400, (1, 1)).await;
    for (gateway, _) in GATEWAYS {
        assert_eq!(world.taken_by(gateway).await, 12 * 599, "{gateway}");
    }
}
