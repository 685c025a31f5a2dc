//! What holds the work back: an operator's pause, a breaker that opens by itself, limits. Nothing is lost, nothing is doubled.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Pair, Setup, World, run};
use crate::payments::on_both_pairs;

on_both_pairs![
    a_paused_gateway_takes_payments_in_and_charges_them_after_the_resume,
    paused_confirmations_wait_for_the_resume,
];

/// How long a pause or its end may take to reach every process.
const OBEDIENCE: Duration = Duration::from_secs(5);

/// A payment and its order.
type Paid = (String, u64);

async fn pay_many(world: &World, gateway: &str, count: usize) -> Vec<Paid> {
    let token = if gateway == "stripe" {
        "pm_card_visa"
    } else {
        "tok_ok"
    };
    let mut paid = Vec::new();
    for _ in 0..count {
        paid.push(world.pay(gateway, token).await);
    }
    paid
}

async fn assert_charged_and_recorded_once(world: &World, paid: &[Paid]) {
    for (id, order) in paid {
        world.settled(id, "captured", "delivered").await;
        let records = world.records(id, *order).await;
        assert_eq!(
            (records.moved, records.statuses()),
            (1, vec!["captured"]),
            "payment {id}"
        );
    }
}

/// Runs a command of the connector that has to succeed; what it printed.
fn operator(world: &World, arguments: &[&str]) -> String {
    let (code, out, complaint) = run(arguments, &world.env);
    assert_eq!(code, 0, "{complaint}");
    out
}

/// Waits until the gauge of every process says so, and holds it to its time.
async fn obeyed(world: &World, ports: &[&str], gauge: &str) {
    let begun = Instant::now();
    for ops in ports {
        let url = format!("{ops}/metrics");
        let what = format!("{gauge} at {ops}");
        world
            .eventually(&what, async |world| {
                let metrics = world.http.try_get(&url).await?;
                metrics.text.lines().any(|line| line == gauge).then_some(())
            })
            .await;
        let ready = world.http.get(&format!("{ops}/readyz")).await;
        assert_eq!(ready.status, 200, "{}", ready.text);
    }
    assert!(begun.elapsed() <= OBEDIENCE, "{gauge}: {begun:?}");
}

fn paused(queue: &str, yes: bool) -> String {
    format!(
        "connector_lane_paused{{queue=\"{queue}\"}} {}",
        u8::from(yes)
    )
}

async fn a_paused_gateway_takes_payments_in_and_charges_them_after_the_resume(pair: Pair) {
    let world = World::start(pair).await;
    let ops = [world.ops.as_str()];
    operator(
        &world,
        &["pause", "--gateway", "stripe", "--because", "maintenance"],
    );
    for lane in ["commands.stripe.checkout", "commands.stripe.billing"] {
        obeyed(&world, &ops, &paused(lane, true)).await;
    }
    let listed = operator(&world, &["pause", "--list", "--json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(
        (&listed[0]["gateway"], &listed[0]["because"]),
        (&"stripe".into(), &"maintenance".into())
    );
    let waiting = pay_many(&world, "stripe", 5).await;
    // The other gateway goes on.
    let others = pay_many(&world, "simulated", 3).await;
    assert_charged_and_recorded_once(&world, &others).await;
    for (id, _) in &waiting {
        assert_eq!(world.payment(id).await["status"], "accepted");
    }
    assert_eq!(world.requests("stripe.create").await, 0);
    operator(&world, &["resume", "--gateway", "stripe"]);
    obeyed(&world, &ops, &paused("commands.stripe.checkout", false)).await;
    assert_charged_and_recorded_once(&world, &waiting).await;
    assert_eq!(operator(&world, &["pause", "--list"]), "0 paused\n");
}

async fn paused_confirmations_wait_for_the_resume(pair: Pair) {
    let world = World::start(pair).await;
    let ops = [world.ops.as_str()];
    operator(&world, &["pause", "--confirmations"]);
    obeyed(&world, &ops, &paused("confirmations", true)).await;
    let mut paid = pay_many(&world, "stripe", 2).await;
    paid.extend(pay_many(&world, "simulated", 2).await);
    for (id, order) in &paid {
        world.settled(id, "captured", "queued").await;
        let records = world.records(id, *order).await;
        assert_eq!((records.moved, records.cleeng.len()), (1, 0));
    }
    operator(&world, &["resume", "--confirmations"]);
    assert_charged_and_recorded_once(&world, &paid).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_worker_obeys_a_pause_also_one_that_starts_into_it() {
    let world = World::without_roles(Setup::default()).await;
    let ingest = world.role("ingest");
    let confirmer = world.role("confirmer");
    let (one, two) = (world.role("worker"), world.role("worker"));
    for role in [&ingest, &confirmer, &one, &two] {
        world.ready(&role.ops).await;
    }
    // Work is under way when the pause comes.
    let mut paid = pay_many(&world, "stripe", 10).await;
    operator(&world, &["pause", "--gateway", "stripe"]);
    let queue = "commands.stripe.checkout";
    obeyed(&world, &[&one.ops, &two.ops], &paused(queue, true)).await;
    let three = world.role("worker");
    world.ready(&three.ops).await;
    obeyed(&world, &[&three.ops], &paused(queue, true)).await;
    let before = world.requests("stripe.create").await;
    let waiting = pay_many(&world, "stripe", 10).await;
    let others = pay_many(&world, "simulated", 5).await;
    assert_charged_and_recorded_once(&world, &others).await;
    assert_eq!(world.requests("stripe.create").await, before);
    operator(&world, &["resume", "--gateway", "stripe"]);
    let all = [one.ops.as_str(), &two.ops, &three.ops];
    obeyed(&world, &all, &paused(queue, false)).await;
    paid.extend(waiting);
    assert_charged_and_recorded_once(&world, &paid).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_of_nothing_or_of_an_unknown_gateway_is_refused() {
    let world = World::prepare(Pair::Embedded, Setup::default()).await;
    for usage in [
        &["pause"][..],
        &["resume"],
        &["pause", "--gateway", "stripe", "--confirmations"],
        &["pause", "--list", "--because", "x"],
        &["pause", "--confirmations", "--because", " "],
        &["pause", "--gateway", "No"],
    ] {
        assert_eq!(run(usage, &world.env).0, 2, "{usage:?}");
    }
    let (code, _, complaint) = run(&["pause", "--gateway", "paypal"], &world.env);
    assert_eq!(code, 1);
    assert!(complaint.contains("no such gateway"), "{complaint}");
    let told = operator(&world, &["resume", "--confirmations"]);
    assert!(told.contains("was not paused"), "{told}");
}
