//! Subscriptions that a gateway bills itself: each of its events ends up at Cleeng, once and in order, whatever dies in between.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::control::operator;
use crate::harness::{Pair, Setup, World, statuses};
use crate::payments::on_both_pairs;

on_both_pairs![
    a_subscription_that_the_gateway_bills_is_given_renewed_cancelled_and_ended,
    a_bill_that_is_not_paid_is_a_rejection_and_gives_nothing,
    a_pass_is_given_made_longer_and_ended,
    a_subscription_follows_its_new_owner,
    an_event_that_comes_often_is_told_once,
    events_that_overtake_each_other_are_told_in_their_order,
    a_subscription_that_ran_out_before_its_renewal_came_is_revived,
    a_process_killed_between_the_record_and_the_access_gives_access_once,
    a_process_killed_while_access_is_given_finds_it_and_gives_no_second_one,
    the_lost_answer_of_an_access_is_found_by_its_external_id,
    the_lost_answer_of_a_record_goes_to_an_operator_and_is_not_sent_again,
    a_gateway_without_a_method_of_its_own_billing_tells_nothing,
];

const METHOD: &str = "CONNECTOR_GATEWAYS__SIMULATED__EXTERNAL_PAYMENT_METHOD_ID";
const OFFER: &str = "S900000007_US";
const MONTH: i64 = 30 * 24 * 3600;

fn setup(env: &[(&'static str, &str)]) -> Setup {
    let mut env: Vec<_> = env
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    env.push((METHOD, "100000003".to_owned()));
    Setup {
        env,
        ..Setup::default()
    }
}

async fn start(pair: Pair) -> World {
    World::start_with(pair, setup(&[])).await
}

/// So patient with Cleeng that a kill always comes first.
fn patient() -> Setup {
    setup(&[
        ("CONNECTOR_CLEENG__TIMEOUT", "5s"),
        ("CONNECTOR_CLEENG__SETTLE_TIME", "5500ms"),
    ])
}

fn new_customer() -> u64 {
    static CUSTOMERS: AtomicU64 = AtomicU64::new(300_000_000);
    CUSTOMERS.fetch_add(1, Ordering::Relaxed)
}

/// The gateway does this, and tells; what it tells.
async fn gateway(world: &World, wish: Value) -> Value {
    world.at_cleeng("_gateway/subscriptions", wish).await
}

/// The gateway's id of a new subscription whose first bill is paid.
async fn begin(world: &World, customer: u64, offer: &str) -> (String, Value) {
    let wish = json!({
        "act": "pay", "customerId": customer, "offerId": offer, "netMinor": 812, "taxMinor": 187, "country": "DE",
    });
    let event = gateway(world, wish).await;
    (
        event["subscription"]["id"].as_str().unwrap().to_owned(),
        event,
    )
}

async fn told(world: &World, state: &str, events: i64) {
    let what = format!("{events} events are {state}");
    let query =
        format!("SELECT COUNT(*) FROM demands WHERE topic = 'external' AND state = '{state}'");
    world
        .eventually(&what, async |world| {
            (world.stores.count(&query).await == events).then_some(())
        })
        .await;
}

async fn outcomes(world: &World, outcome: &str) -> i64 {
    let query =
        format!("SELECT COUNT(*) FROM demands WHERE topic = 'external' AND outcome = '{outcome}'");
    world.stores.count(&query).await
}

/// Each payment and subscription is there once, and the subscription is as it should be.
async fn assert_at_cleeng(world: &World, customer: u64, payments: &[&str], status: &str) -> Value {
    let found = world.statement(customer).await;
    let all = found["payments"].as_array().unwrap();
    let all: Vec<&str> = all
        .iter()
        .map(|one| one["status"].as_str().unwrap())
        .collect();
    assert_eq!(all, payments, "{found}");
    assert_eq!(
        found["subscriptions"].as_array().unwrap().len(),
        1,
        "{found}"
    );
    assert_eq!(found["subscriptions"][0]["status"], status, "{found}");
    found
}

async fn a_subscription_that_the_gateway_bills_is_given_renewed_cancelled_and_ended(pair: Pair) {
    let world = start(pair).await;
    let customer = new_customer();
    let (id, first) = begin(&world, customer, OFFER).await;
    told(&world, "done", 1).await;
    let found = assert_at_cleeng(&world, customer, &["captured"], "active").await;
    assert_eq!(
        found["subscriptions"][0]["to"],
        first["subscription"]["periodEnd"]
    );
    assert_eq!(
        found["subscriptions"][0]["latestExternalPaymentId"],
        first["payment"]["id"]
    );
    assert_eq!(found["payments"][0]["amountMinor"], 999);
    assert_eq!(
        found["payments"][0]["externalPaymentId"],
        first["payment"]["id"]
    );

    let second = gateway(&world, json!({ "act": "pay", "id": id })).await;
    told(&world, "done", 2).await;
    let found = assert_at_cleeng(&world, customer, &["captured", "captured"], "active").await;
    assert_eq!(
        found["subscriptions"][0]["to"],
        second["subscription"]["periodEnd"]
    );
    assert_eq!(
        found["subscriptions"][0]["latestExternalPaymentId"],
        second["payment"]["id"]
    );
    assert_eq!(statuses(&found, "initial-payment"), ["captured"]);
    assert_eq!(statuses(&found, "recurring-payment"), ["captured"]);

    gateway(&world, json!({ "act": "cancel", "id": id })).await;
    told(&world, "done", 3).await;
    assert_at_cleeng(&world, customer, &["captured", "captured"], "stopped").await;
    gateway(
        &world,
        json!({ "act": "end", "id": id, "endReason": "unpaid" }),
    )
    .await;
    told(&world, "done", 4).await;
    let found = assert_at_cleeng(&world, customer, &["captured", "captured"], "terminated").await;
    assert_eq!(found["subscriptions"][0]["termination"], "paymentCancel");
    let line = "connector_demands_total{kind=\"external\",result=\"taken\"} 4";
    assert!(world.metrics().await.lines().any(|found| found == line));
}

async fn a_bill_that_is_not_paid_is_a_rejection_and_gives_nothing(pair: Pair) {
    let world = start(pair).await;
    let customer = new_customer();
    let wish = json!({ "act": "fail", "customerId": customer, "offerId": OFFER });
    let id = gateway(&world, wish).await["subscription"]["id"].clone();
    told(&world, "done", 1).await;
    let found = world.statement(customer).await;
    assert_eq!(statuses(&found, "initial-payment"), ["rejected"]);
    assert_eq!(found["payments"][0]["rejectedReason"], "insufficient_funds");
    assert_eq!(found["subscriptions"], json!([]));

    gateway(&world, json!({ "act": "pay", "id": id })).await;
    told(&world, "done", 2).await;
    gateway(&world, json!({ "act": "fail", "id": id })).await;
    told(&world, "done", 3).await;
    let all = ["rejected", "captured", "rejected"];
    let found = assert_at_cleeng(&world, customer, &all, "active").await;
    assert_eq!(statuses(&found, "recurring-payment"), ["rejected"]);
}

async fn a_pass_is_given_made_longer_and_ended(pair: Pair) {
    let world = start(pair).await;
    let customer = new_customer();
    let (id, _) = begin(&world, customer, "P900000008_US").await;
    for (done, act) in (2..).zip(["pay", "cancel", "end"]) {
        gateway(&world, json!({ "act": act, "id": id })).await;
        told(&world, "done", done).await;
    }
    let found = world.statement(customer).await;
    assert_eq!(found["payments"].as_array().unwrap().len(), 2);
    assert_eq!(outcomes(&world, "access_given").await, 2);
    assert_eq!(outcomes(&world, "runs_out_by_itself").await, 1);
    assert_eq!(outcomes(&world, "ended").await, 1);
    let linked =
        "SELECT COUNT(*) FROM external_subscriptions WHERE kind = 'pass' AND ended_at IS NOT NULL";
    assert_eq!(world.stores.count(linked).await, 1);
}

async fn a_subscription_follows_its_new_owner(pair: Pair) {
    let world = start(pair).await;
    let (customer, other) = (new_customer(), new_customer());
    let (id, _) = begin(&world, customer, OFFER).await;
    gateway(
        &world,
        json!({ "act": "transfer", "id": id, "customerId": other }),
    )
    .await;
    told(&world, "done", 2).await;
    gateway(&world, json!({ "act": "pay", "id": id })).await;
    told(&world, "done", 3).await;
    let found = assert_at_cleeng(&world, other, &["captured"], "active").await;
    assert_eq!(found["subscriptions"][0]["completed"], 2);
    assert_eq!(world.statement(customer).await["subscriptions"], json!([]));
}

async fn resend(world: &World, event: &Value) {
    world
        .at_cleeng("_webhooks/resend", json!({ "eventId": event["id"] }))
        .await;
}

async fn an_event_that_comes_often_is_told_once(pair: Pair) {
    let world = start(pair).await;
    world
        .fault(json!({ "operation": "simulated.webhook", "fault": "webhook_duplicate", "probability": 1.0 }))
        .await;
    let customer = new_customer();
    let (id, first) = begin(&world, customer, OFFER).await;
    let second = gateway(&world, json!({ "act": "pay", "id": id })).await;
    told(&world, "done", 2).await;
    for event in [&first, &second, &first] {
        resend(&world, event).await;
    }
    let line = "connector_webhooks_total{gateway=\"simulated\",result=\"taken\"} 10";
    world
        .eventually(line, async |world| {
            let metrics = world.metrics().await;
            metrics.lines().any(|found| found == line).then_some(())
        })
        .await;
    told(&world, "done", 2).await;
    assert_at_cleeng(&world, customer, &["captured", "captured"], "active").await;
    assert_eq!(world.requests("cleeng.payment").await, 2);
}

async fn events_that_overtake_each_other_are_told_in_their_order(pair: Pair) {
    let world = start(pair).await;
    world
        .fault(json!({ "operation": "simulated.webhook", "fault": "webhook_lost", "probability": 1.0 }))
        .await;
    let customer = new_customer();
    let (id, first) = begin(&world, customer, OFFER).await;
    let second = gateway(&world, json!({ "act": "pay", "id": id })).await;
    let cancelled = gateway(&world, json!({ "act": "cancel", "id": id })).await;
    world.clear_faults().await;
    resend(&world, &cancelled).await;
    resend(&world, &second).await;
    told(&world, "open", 2).await;
    assert_eq!(world.statement(customer).await["payments"], json!([]));
    resend(&world, &first).await;
    told(&world, "done", 3).await;
    let found = assert_at_cleeng(&world, customer, &["captured", "captured"], "stopped").await;
    assert_eq!(
        found["subscriptions"][0]["to"],
        second["subscription"]["periodEnd"]
    );
    assert_eq!(statuses(&found, "recurring-payment"), ["captured"]);
}

async fn a_subscription_that_ran_out_before_its_renewal_came_is_revived(pair: Pair) {
    let world = start(pair).await;
    let customer = new_customer();
    let (id, first) = begin(&world, customer, OFFER).await;
    told(&world, "done", 1).await;
    world.at_cleeng("_clock", json!({ "advance": "31d" })).await;
    assert_at_cleeng(&world, customer, &["captured"], "terminated").await;
    let end = first["subscription"]["periodEnd"].as_i64().unwrap() + MONTH;
    let wish = json!({ "act": "pay", "id": id, "periodEnd": end });
    let second = gateway(&world, wish).await;
    told(&world, "done", 2).await;
    let found = assert_at_cleeng(&world, customer, &["captured", "captured"], "active").await;
    assert_eq!(found["subscriptions"][0]["to"], end);
    assert_eq!(
        found["subscriptions"][0]["latestExternalPaymentId"],
        second["payment"]["id"]
    );
}

/// Begins a subscription while `fault` strikes Cleeng's calls about access, and kills the process when Cleeng's books are so.
async fn killed_in(pair: Pair, fault: &str, subscriptions: usize) -> (World, u64) {
    let mut world = World::prepare(pair, patient()).await;
    world.run("all", &[]);
    world.ready(&world.ops).await;
    world
        .fault(json!({ "operation": "cleeng.subscription", "fault": fault, "times": 1 }))
        .await;
    let customer = new_customer();
    begin(&world, customer, OFFER).await;
    world
        .eventually("Cleeng is asked for access", async |world| {
            let found = world.statement(customer).await;
            let is_asked = world.requests("cleeng.subscription").await == 1;
            let given = found["subscriptions"].as_array()?.len();
            (is_asked && given == subscriptions).then_some(())
        })
        .await;
    world.roles.get_mut("all").unwrap().kill();
    told(&world, "open", 1).await;
    world.run("all", &[]);
    world.ready(&world.ops).await;
    told(&world, "done", 1).await;
    (world, customer)
}

async fn a_process_killed_between_the_record_and_the_access_gives_access_once(pair: Pair) {
    let (world, customer) = killed_in(pair, "hang", 0).await;
    assert_at_cleeng(&world, customer, &["captured"], "active").await;
    assert_eq!(world.requests("cleeng.payment").await, 1);
    assert_eq!(world.requests("cleeng.subscription").await, 2);
}

async fn a_process_killed_while_access_is_given_finds_it_and_gives_no_second_one(pair: Pair) {
    let (world, customer) = killed_in(pair, "commit_then_hang", 1).await;
    assert_at_cleeng(&world, customer, &["captured"], "active").await;
    assert_eq!(world.requests("cleeng.payment").await, 1);
    assert_eq!(world.requests("cleeng.subscription").await, 1);
}

async fn the_lost_answer_of_an_access_is_found_by_its_external_id(pair: Pair) {
    let world = start(pair).await;
    let customer = new_customer();
    for fault in ["commit_then_drop", "commit_then_500"] {
        world
            .fault(json!({ "operation": "cleeng.subscription", "fault": fault, "times": 1 }))
            .await;
    }
    let (id, _) = begin(&world, customer, OFFER).await;
    told(&world, "done", 1).await;
    gateway(&world, json!({ "act": "pay", "id": id })).await;
    told(&world, "done", 2).await;
    let found = assert_at_cleeng(&world, customer, &["captured", "captured"], "active").await;
    assert_eq!(found["subscriptions"][0]["completed"], 2);
    assert_eq!(world.requests("cleeng.subscription").await, 2);
}

async fn the_lost_answer_of_a_record_goes_to_an_operator_and_is_not_sent_again(pair: Pair) {
    let world = start(pair).await;
    let customer = new_customer();
    world
        .fault(json!({ "operation": "cleeng.payment", "fault": "commit_then_drop", "times": 1 }))
        .await;
    let (_, _) = begin(&world, customer, OFFER).await;
    told(&world, "kept", 1).await;
    assert_eq!(outcomes(&world, "payment_answer_lost").await, 1);
    let found = world.statement(customer).await;
    assert_eq!(statuses(&found, "initial-payment"), ["captured"]);
    assert_eq!(found["subscriptions"], json!([]));
    // Looked at again it is as it was; only the operator's word has it sent once more.
    let replay = ["dead-letters", "replay", "--all"];
    world
        .eventually("it lies with the dead letters", async |world| {
            operator(world, &replay)
                .contains("1 replayed")
                .then_some(())
        })
        .await;
    world
        .eventually("it is replayed, forced", async |world| {
            let forced = operator(world, &[replay.as_slice(), &["--force"]].concat());
            forced.contains("1 replayed").then_some(())
        })
        .await;
    told(&world, "done", 1).await;
    assert_at_cleeng(&world, customer, &["captured", "captured"], "active").await;
    assert_eq!(world.requests("cleeng.payment").await, 2);
}

async fn a_gateway_without_a_method_of_its_own_billing_tells_nothing(pair: Pair) {
    let world = World::start(pair).await;
    begin(&world, new_customer(), OFFER).await;
    let line = "connector_webhooks_total{gateway=\"simulated\",result=\"not_ours\"} 1";
    world
        .eventually(line, async |world| {
            let metrics = world.metrics().await;
            metrics.lines().any(|found| found == line).then_some(())
        })
        .await;
    told(&world, "done", 0).await;
}
