//! Stopping, sharing the work between processes, and what an operator finds: dead letters and metrics.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Pair, Queues, Setup, World};
use crate::payments::on_both_pairs;

on_both_pairs![
    a_stopped_process_finishes_its_work_or_hands_it_back,
    a_second_signal_does_not_wait_for_the_work,
    a_process_for_one_gateway_leaves_the_other_alone,
    the_promised_metrics_are_there,
];

const GOOD: [(&str, &str); 2] = [("stripe", "pm_card_visa"), ("simulated", "tok_ok")];
const GRACE: Duration = Duration::from_secs(10);

/// The gateways answer only after this.
async fn slow_gateways(world: &World, delay: Duration) {
    let delay = u64::try_from(delay.as_millis()).unwrap();
    for operation in ["stripe.confirm", "simulated.charge"] {
        world
            .fault(json!({ "operation": operation, "fault": "slow", "times": 1, "delayMs": delay }))
            .await;
    }
}

fn stopping() -> Setup {
    let calls = [
        "CONNECTOR_GATEWAYS__STRIPE__TIMEOUT",
        "CONNECTOR_GATEWAYS__SIMULATED__TIMEOUT",
    ];
    let mut env: Vec<_> = calls.map(|name| (name, "20s".to_owned())).into();
    env.push(("CONNECTOR_SHUTDOWN__GRACE", format!("{}s", GRACE.as_secs())));
    Setup {
        env,
        no_webhooks: true,
        ..Setup::default()
    }
}

/// One payment at each gateway, both being charged at this moment.
async fn charges_in_flight(world: &World) -> Vec<(String, u64)> {
    let mut paid = Vec::new();
    for (gateway, token) in GOOD {
        paid.push(world.pay(gateway, token).await);
    }
    for operation in ["stripe.confirm", "simulated.charge"] {
        world
            .eventually("the gateway was asked", async |world| {
                (world.requests(operation).await == 1).then_some(())
            })
            .await;
    }
    paid
}

async fn assert_once(world: &World, paid: &[(String, u64)]) {
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

async fn a_stopped_process_finishes_its_work_or_hands_it_back(pair: Pair) {
    let world = World::prepare(pair, stopping()).await;
    let mut first = world.process("all", &[]);
    world.ready(&first.ops).await;
    slow_gateways(&world, Duration::from_secs(1)).await;
    let paid = charges_in_flight(&world).await;
    let begun = Instant::now();
    first.process.terminate();
    let status = first.process.wait(GRACE);
    assert!(status.success(), "{status}");
    assert!(begun.elapsed() < GRACE);
    let next = world.process("all", &[]);
    world.ready(&next.ops).await;
    assert_once(&world, &paid).await;
    // What was in hand was finished: nothing had to be asked for twice.
    assert_eq!(world.requests("simulated.charge").await, 1);
}

async fn a_second_signal_does_not_wait_for_the_work(pair: Pair) {
    let world = World::prepare(pair, stopping()).await;
    let mut first = world.process("all", &[]);
    world.ready(&first.ops).await;
    slow_gateways(&world, Duration::from_secs(2)).await;
    let paid = charges_in_flight(&world).await;
    first.process.terminate();
    world
        .eventually("the first signal is heard", async |world| {
            world.logs().contains("\"stopping\"").then_some(())
        })
        .await;
    first.process.terminate();
    let status = first.process.wait(Duration::from_secs(2));
    assert_eq!(status.code(), Some(1), "{status}");
    let next = world.process("all", &[]);
    world.ready(&next.ops).await;
    assert_once(&world, &paid).await;
}

async fn a_process_for_one_gateway_leaves_the_other_alone(pair: Pair) {
    let world = World::prepare(pair, Setup::default()).await;
    let mut some = world.process("all", &["--gateway", "simulated"]);
    world.ready(&some.ops).await;
    let (left, left_order) = world.pay("stripe", "pm_card_visa").await;
    let (taken, order) = world.pay("simulated", "tok_ok").await;
    assert_once(&world, &[(taken, order)]).await;
    assert_eq!(world.payment(&left).await["status"], "accepted");
    assert_eq!(world.requests("stripe.create").await, 0);
    some.process.terminate();
    assert!(some.process.wait(GRACE).success());
    let rest = world.process("all", &["--gateway", "stripe"]);
    world.ready(&rest.ops).await;
    assert_once(&world, &[(left, left_order)]).await;
}

async fn the_promised_metrics_are_there(pair: Pair) {
    // An event makes the worker look once more, and that counts as an answer too.
    let world = World::start_with(
        pair,
        Setup {
            no_webhooks: true,
            ..Setup::default()
        },
    )
    .await;
    world
        .fault(json!({ "operation": "simulated.charge", "fault": "error_503", "times": 1 }))
        .await;
    let mut paid = Vec::new();
    for (gateway, token) in GOOD {
        paid.push(world.pay(gateway, token).await);
    }
    assert_once(&world, &paid).await;
    let metrics = world.metrics().await;
    for name in [
        "connector_accepted_total",
        "connector_outcomes_total",
        "connector_confirmations_total",
        "connector_retries_total",
        "connector_dead_letters_total",
        "connector_gateway_seconds",
        "connector_cleeng_seconds",
        "connector_accepted_to_confirmed_seconds",
        "connector_in_flight",
        "connector_in_doubt",
        "connector_in_doubt_oldest_seconds",
    ] {
        assert!(
            metrics.contains(&format!("# HELP {name} ")),
            "{name} is missing"
        );
    }
    for line in [
        "connector_accepted_total{gateway=\"stripe\"} 1",
        "connector_outcomes_total{gateway=\"simulated\",outcome=\"captured\"} 1",
        "connector_confirmations_total{report=\"captured\",result=\"delivered\"} 2",
        "connector_accepted_to_confirmed_seconds_count 2",
        "connector_retries_total{queue_kind=\"checkout\"} 1",
        "connector_retries_total{queue_kind=\"confirmations\"} 0",
        "connector_in_doubt 0",
    ] {
        let name = line.split(['{', ' ']).next().unwrap();
        let found: Vec<&str> = metrics
            .lines()
            .filter(|found| found.starts_with(name))
            .collect();
        assert!(found.contains(&line), "{line} is not in {found:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_worked_on_becomes_a_dead_letter_with_its_bytes() {
    let world = World::start(Pair::Servers).await;
    let queues = Queues::of(&world).await;
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    let message = |schema: &str| {
        let at = 1_767_225_600_000_i64;
        json!({ "version": 1, "messageId": id, "occurredAt": at, "schema": { schema: { "paymentId": id, "confirmationId": id } } })
            .to_string()
            .into_bytes()
    };
    let unknown_payment = json!({ "version": 1, "messageId": id, "occurredAt": 0, "schema": { "charge": { "paymentId": id } } });
    for (queue, body, reason) in [
        (
            "commands.stripe.checkout",
            b"\xff\x00not a message".to_vec(),
            "undecodable",
        ),
        (
            "gateway-events",
            b"{\"version\":99}".to_vec(),
            "undecodable",
        ),
        ("confirmations", b"".to_vec(), "undecodable"),
        (
            "commands.simulated.billing",
            unknown_payment.to_string().into_bytes(),
            "unknown_payment",
        ),
        ("confirmations", message("confirm"), "unknown_payment"),
        (
            "commands.stripe.checkout",
            message("confirm"),
            "wrong_queue",
        ),
    ] {
        queues.put(queue, &body).await;
        let letter = world
            .eventually("it is a dead letter", async |_| queues.take("dead").await)
            .await;
        assert_eq!(letter.body, body, "{queue}");
        assert_eq!(
            letter.header("x-reason").as_deref(),
            Some(reason),
            "{queue}"
        );
        assert_eq!(letter.header("x-source").as_deref(), Some(queue));
        assert!(
            letter
                .header("x-last-error")
                .is_some_and(|error| !error.is_empty()),
            "{queue}"
        );
    }
}
