//! What holds the work back: an operator's pause, a breaker that opens by itself, limits. Nothing is lost, nothing is doubled.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Pair, Setup, World, body, run};
use crate::payments::on_both_pairs;

on_both_pairs![
    a_paused_gateway_takes_payments_in_and_charges_them_after_the_resume,
    paused_confirmations_wait_for_the_resume,
    a_gateway_that_is_away_is_probed_and_burns_no_attempts,
    while_cleeng_is_away_the_news_wait_and_orders_are_probed,
    calls_to_a_gateway_and_to_cleeng_keep_their_rate,
    calls_to_a_gateway_and_to_cleeng_keep_their_number_at_once,
];

/// How long a pause or its end may take to reach every process.
const OBEDIENCE: Duration = Duration::from_secs(5);

/// A payment and its order.
type Paid = (String, u64);

/// Payments of as many customers: what Cleeng has of one cannot be taken for another's.
async fn pay_many(world: &World, gateway: &str, count: u64) -> Vec<Paid> {
    static CUSTOMER: AtomicU64 = AtomicU64::new(200_000_000);
    let token = if gateway == "stripe" {
        "pm_card_visa"
    } else {
        "tok_ok"
    };
    let mut paid = Vec::new();
    for _ in 0..count {
        let customer = CUSTOMER.fetch_add(1, Ordering::Relaxed);
        let order = world
            .order_with(gateway, json!({ "customerId": customer }))
            .await;
        let answer = world
            .submit(&format!("key-{order}"), &body(order, gateway, token))
            .await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        paid.push((answer.json()["id"].as_str().unwrap().to_owned(), order));
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
pub(crate) fn operator(world: &World, arguments: &[&str]) -> String {
    let (code, out, complaint) = run(arguments, &world.env);
    assert_eq!(code, 0, "{complaint}");
    out
}

/// Waits until the gauge of every process says so, and holds it to its time.
pub(crate) async fn obeyed(world: &World, ports: &[&str], gauge: &str) {
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

pub(crate) fn paused(queue: &str, yes: bool) -> String {
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
    assert_eq!(world.requests("stripe.customer").await, 0);
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
    let before = world.requests("stripe.customer").await;
    let waiting = pay_many(&world, "stripe", 10).await;
    let others = pay_many(&world, "simulated", 5).await;
    assert_charged_and_recorded_once(&world, &others).await;
    assert_eq!(world.requests("stripe.customer").await, before);
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

/// The value of a metric without labels that differ, or with exactly these.
async fn metric(world: &World, name: &str) -> u64 {
    let text = world.metrics().await;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|value| value.trim().parse().ok())
        .unwrap_or(0)
}

async fn opened(world: &World, target: &str, yes: bool) {
    let name = format!("connector_breaker_open{{target=\"{target}\"}}");
    let what = format!("{name} is {yes}");
    world
        .eventually(&what, async |world| {
            (metric(world, &name).await == u64::from(yes)).then_some(())
        })
        .await;
}

/// How many lines of the log have both texts.
pub(crate) fn told(world: &World, level: &str, text: &str) -> usize {
    let logs = world.logs();
    let lines = logs.lines();
    lines
        .filter(|line| line.contains(level) && line.contains(text))
        .count()
}

async fn a_gateway_that_is_away_is_probed_and_burns_no_attempts(pair: Pair) {
    let env = vec![(
        "CONNECTOR_GATEWAYS__STRIPE__BREAKER_FAILURES",
        "5".to_owned(),
    )];
    let setup = Setup {
        env,
        no_webhooks: true,
        ..Setup::default()
    };
    let world = World::start_with(pair, setup).await;
    world
        .fault(json!({ "operation": "stripe.*", "fault": "error_503", "probability": 1.0 }))
        .await;
    let waiting = pay_many(&world, "stripe", 30).await;
    opened(&world, "stripe", true).await;
    let others = pay_many(&world, "simulated", 2).await;
    assert_charged_and_recorded_once(&world, &others).await;
    let before = world.requests("stripe.customer").await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let probes = world.requests("stripe.customer").await - before;
    assert!((1..=5).contains(&probes), "{probes} calls in 4 s");
    assert!(before <= 40, "{before} calls until the breaker was open");
    world.clear_faults().await;
    assert_charged_and_recorded_once(&world, &waiting).await;
    opened(&world, "stripe", false).await;
    for (id, _) in &waiting {
        let shown: Value =
            serde_json::from_str(&operator(&world, &["payments", "show", id, "--json"])).unwrap();
        // The customer, the payment, the charge: each request was written down once.
        assert_eq!(shown["attempts"].as_array().unwrap().len(), 3, "{shown}");
    }
    // Those that failed before it was open came back by the ladder, and no other.
    let retries = metric(&world, "connector_retries_total{queue_kind=\"checkout\"}").await;
    assert!(retries <= 5, "{retries} retries");
    assert_eq!(told(&world, "ERROR", "no answer to call after call"), 1);
    assert_eq!(told(&world, "INFO", "it answers again"), 1);
}

async fn while_cleeng_is_away_the_news_wait_and_orders_are_probed(pair: Pair) {
    let env = vec![
        ("CONNECTOR_CLEENG__BREAKER_FAILURES", "3".to_owned()),
        ("CONNECTOR_CLEENG__TIMEOUT", "400ms".to_owned()),
        ("CONNECTOR_CLEENG__SETTLE_TIME", "500ms".to_owned()),
    ];
    let setup = Setup {
        env,
        ..Setup::default()
    };
    let world = World::start_with(pair, setup).await;
    operator(&world, &["pause", "--confirmations"]);
    let ops = [world.ops.as_str()];
    obeyed(&world, &ops, &paused("confirmations", true)).await;
    let mut paid = pay_many(&world, "simulated", 8).await;
    for (id, _) in &paid {
        world.settled(id, "captured", "queued").await;
    }
    world
        .fault(json!({ "operation": "cleeng.*", "fault": "error_503", "probability": 1.0 }))
        .await;
    operator(&world, &["resume", "--confirmations"]);
    opened(&world, "cleeng", true).await;
    // New payments are not charged, since their order cannot be read.
    let late = pay_many(&world, "simulated", 3).await;
    let before = world.requests("cleeng.payment").await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(world.requests("cleeng.payment").await, before);
    for (id, order) in &late {
        assert_eq!(world.records(id, *order).await.moved, 0);
    }
    world.clear_faults().await;
    paid.extend(late);
    assert_charged_and_recorded_once(&world, &paid).await;
    opened(&world, "cleeng", false).await;
    let dead = "connector_dead_letters_total{queue_kind=\"confirmations\"";
    let metrics = world.metrics().await;
    let mut letters = metrics.lines().filter(|line| line.starts_with(dead));
    assert!(letters.all(|line| line.ends_with(" 0")), "{metrics}");
}

/// How long ten payments take to be charged and told, all sent at once.
async fn ten_payments(pair: Pair, key: &'static str, value: &str, faults: &[Value]) -> Duration {
    let env = vec![(key, value.to_owned())];
    let setup = Setup {
        env,
        no_webhooks: true,
        ..Setup::default()
    };
    let world = World::start_with(pair, setup).await;
    for fault in faults {
        world.fault(fault.clone()).await;
    }
    let begun = Instant::now();
    let paid = pay_many(&world, "simulated", 10).await;
    for (id, _) in &paid {
        world.settled(id, "captured", "delivered").await;
    }
    let took = begun.elapsed();
    assert_charged_and_recorded_once(&world, &paid).await;
    took
}

async fn calls_to_a_gateway_and_to_cleeng_keep_their_rate(pair: Pair) {
    // Ten charges begin within nine gaps of 200 ms; ten orders and ten reports within nineteen of 100 ms.
    for (key, rate) in [
        ("CONNECTOR_GATEWAYS__SIMULATED__RATE_LIMIT", "5"),
        ("CONNECTOR_CLEENG__RATE_LIMIT", "10"),
    ] {
        let took = ten_payments(pair, key, rate, &[]).await;
        assert!(took >= Duration::from_millis(1800), "{key}: {took:?}");
    }
}

async fn calls_to_a_gateway_and_to_cleeng_keep_their_number_at_once(pair: Pair) {
    // Ten calls of 400 ms each, two at once.
    for (key, operation) in [
        (
            "CONNECTOR_GATEWAYS__SIMULATED__CONCURRENCY",
            "simulated.charge",
        ),
        ("CONNECTOR_CLEENG__CONCURRENCY", "cleeng.payment"),
    ] {
        let slow =
            json!({ "operation": operation, "fault": "slow", "delayMs": 400, "probability": 1.0 });
        let took = ten_payments(pair, key, "2", &[slow]).await;
        assert!(took >= Duration::from_secs(2), "{key}: {took:?}");
    }
}
