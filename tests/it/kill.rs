//! SIGKILL at the worst moments: whichever process dies, money moves once and Cleeng is told once.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{StreamExt, stream};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::harness::{Pair, Role, Setup, World, body};

/// Tokens whose charge is made, and whose answer does not come: once for each payment.
const HUNG: [(&str, &str); 2] = [
    ("stripe", "pm_sim_commit_then_hang"),
    ("simulated", "tok_sim_commit_then_hang"),
];
const GOOD: [(&str, &str); 2] = [("stripe", "pm_card_visa"), ("simulated", "tok_ok")];

/// Of the moments at which processes die.
const SEED: u64 = 20_260_117;

/// A payment and its order.
type Paid = (String, u64);

/// Calls are waited for so long that the kill always comes first; without webhooks the successor has to find out by itself.
fn patient() -> Setup {
    let env = [
        "CONNECTOR_GATEWAYS__STRIPE__TIMEOUT",
        "CONNECTOR_GATEWAYS__SIMULATED__TIMEOUT",
    ];
    let mut env: Vec<_> = env.map(|name| (name, "20s".to_owned())).into();
    env.push(("CONNECTOR_CLEENG__TIMEOUT", "3s".to_owned()));
    env.push(("CONNECTOR_CLEENG__SETTLE_TIME", "3500ms".to_owned()));
    Setup {
        env,
        no_webhooks: true,
        ..Setup::default()
    }
}

/// As few payments at once as the processes allow, so that there is always something in hand and something to come.
pub(crate) fn narrow() -> Setup {
    let env = [
        "CONNECTOR_WORKER__CONCURRENCY",
        "CONNECTOR_CONFIRMER__CONCURRENCY",
    ];
    Setup {
        env: env.map(|name| (name, "2".to_owned())).into(),
        ..Setup::default()
    }
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

/// For each round: a charge that the gateway makes and does not answer, and SIGKILL before anything is written of it.
async fn kill_after_the_yes(
    world: &World,
    rounds: usize,
    start: impl Fn(&World) -> Role,
) -> (Role, Vec<Paid>) {
    let mut doomed = start(world);
    let mut paid = Vec::new();
    for (gateway, token) in HUNG.into_iter().cycle().take(rounds) {
        world.ready(&doomed.ops).await;
        let (id, order) = world.pay(gateway, token).await;
        world
            .eventually("the gateway has taken the money", async |world| {
                (world.records(&id, order).await.moved == 1).then_some(())
            })
            .await;
        assert_eq!(world.payment(&id).await["status"], "processing");
        doomed.process.kill();
        doomed = start(world);
        paid.push((id, order));
    }
    (doomed, paid)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_killed_between_the_gateways_yes_and_the_ledgers_write_charges_once() {
    let world = World::without_roles(patient()).await;
    let (ingest, _confirmer) = (world.role("ingest"), world.role("confirmer"));
    world.ready(&ingest.ops).await;
    let (_worker, paid) = kill_after_the_yes(&world, 20, |world| world.role("worker")).await;
    assert_charged_and_recorded_once(&world, &paid).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_process_killed_between_the_gateways_yes_and_the_ledgers_write_charges_once() {
    let world = World::prepare(Pair::Embedded, patient()).await;
    let (all, paid) = kill_after_the_yes(&world, 5, |world| world.process("all", &[])).await;
    world.ready(&all.ops).await;
    assert_charged_and_recorded_once(&world, &paid).await;
}

/// Makes every call of this operation last a while.
pub(crate) async fn slow(world: &World, operation: &str) {
    world
        .fault(
            json!({ "operation": operation, "fault": "slow", "probability": 1.0, "delayMs": 150 }),
        )
        .await;
}

/// What the simulator has of everything.
async fn outside(world: &World) -> Value {
    world
        .http
        .get(&format!("{}/_ledger", world.simulator))
        .await
        .json()
}

async fn charges(world: &World) -> usize {
    let moved = outside(world).await["moneyMoved"]
        .as_object()
        .unwrap()
        .clone();
    moved.values().filter(|count| **count != 0).count()
}

async fn cleeng_records(world: &World) -> usize {
    outside(world).await["cleeng"]["payments"]
        .as_array()
        .unwrap()
        .len()
}

async fn pay_many(world: &World, count: usize) -> Vec<Paid> {
    let mut paid = Vec::new();
    for (gateway, token) in GOOD.into_iter().cycle().take(count) {
        paid.push(world.pay(gateway, token).await);
    }
    paid
}

/// Kills one of `processes` and starts the next, each time after a few more of what `progress` counts.
pub(crate) async fn kill_at_random(
    world: &World,
    kills: usize,
    role: &str,
    processes: &mut [Role],
    progress: impl AsyncFn(&World) -> usize,
) {
    let mut dice = StdRng::seed_from_u64(SEED);
    let mut enough = 0;
    for _ in 0..kills {
        enough += dice.random_range(2..6);
        let what = format!("{enough} are done before the next kill of a {role}");
        world
            .eventually(&what, async |world| {
                (progress(world).await >= enough).then_some(())
            })
            .await;
        let victim = dice.random_range(0..processes.len());
        processes[victim].process.kill();
        processes[victim] = world.role(role);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_killed_at_any_moment_charge_each_of_forty_payments_once() {
    let world = World::without_roles(narrow()).await;
    let (ingest, _confirmer) = (world.role("ingest"), world.role("confirmer"));
    world.ready(&ingest.ops).await;
    for operation in ["stripe.create", "stripe.confirm", "simulated.charge"] {
        slow(&world, operation).await;
    }
    let paid = pay_many(&world, 40).await;
    let mut workers = [world.role("worker"), world.role("worker")];
    kill_at_random(&world, 6, "worker", &mut workers, charges).await;
    assert_charged_and_recorded_once(&world, &paid).await;
}

/// What a good front end does: the same request under the same key, until it is taken.
async fn submit_until_taken(
    world: &World,
    gateway: &str,
    token: &str,
    answered: &AtomicUsize,
) -> Paid {
    let order = world.order(gateway).await;
    let (url, key, request) = (
        format!("{}/v1/payments", world.base),
        format!("key-{order}"),
        body(order, gateway, token),
    );
    let id = world
        .eventually("the payment is taken", async |world| {
            let answer = world
                .http
                .try_post_with(&url, &[("Idempotency-Key", &key)], &request)
                .await?;
            if answer.status == 202 {
                return Some(answer.json()["id"].as_str().unwrap().to_owned());
            }
            assert!(
                ["idempotency-key-in-flight", "unavailable"].contains(&answer.problem().as_str()),
                "{}",
                answer.text
            );
            None
        })
        .await;
    answered.fetch_add(1, Ordering::Relaxed);
    (id, order)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_ingest_answered_before_it_was_killed_is_charged_once() {
    let world = World::without_roles(Setup::default()).await;
    let (_worker, _confirmer) = (world.role("worker"), world.role("confirmer"));
    let mut ingests = [world.role("ingest")];
    world.ready(&ingests[0].ops).await;
    let answered = AtomicUsize::new(0);
    let requests = GOOD.into_iter().cycle().take(40);
    let submissions = stream::iter(requests)
        .map(|(gateway, token)| submit_until_taken(&world, gateway, token, &answered))
        .buffer_unordered(4)
        .collect::<Vec<Paid>>();
    let killer = kill_at_random(&world, 6, "ingest", &mut ingests, async |_| {
        answered.load(Ordering::Relaxed)
    });
    let (paid, ()) = tokio::join!(submissions, killer);
    world.ready(&ingests[0].ops).await;
    assert_charged_and_recorded_once(&world, &paid).await;
    assert_eq!(
        charges(&world).await,
        paid.len(),
        "something was charged that nobody was told of"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmer_killed_while_it_reports_reads_back_and_reports_once() {
    const ROUNDS: usize = 6;
    let world = World::without_roles(patient()).await;
    let (ingest, _worker) = (world.role("ingest"), world.role("worker"));
    world.ready(&ingest.ops).await;
    let mut confirmer = world.role("confirmer");
    let mut paid = Vec::new();
    for (gateway, token) in GOOD.into_iter().cycle().take(ROUNDS) {
        world
            .fault(
                json!({ "operation": "cleeng.payment", "fault": "commit_then_hang", "times": 1 }),
            )
            .await;
        let (id, order) = world.pay(gateway, token).await;
        world
            .eventually("Cleeng has recorded it", async |world| {
                (world.records(&id, order).await.cleeng.len() == 1).then_some(())
            })
            .await;
        confirmer.process.kill();
        let payment = world.payment(&id).await;
        assert_eq!(
            (&payment["status"], &payment["confirmation"]["status"]),
            (&json!("captured"), &json!("queued"))
        );
        confirmer = world.role("confirmer");
        paid.push((id, order));
    }
    assert_charged_and_recorded_once(&world, &paid).await;
    // Each was sent once, and only read after that.
    assert_eq!(
        world.requests("cleeng.payment").await,
        u64::try_from(ROUNDS).unwrap()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn confirmers_killed_at_any_moment_report_each_payment_once() {
    let world = World::without_roles(narrow()).await;
    let (ingest, _worker) = (world.role("ingest"), world.role("worker"));
    world.ready(&ingest.ops).await;
    slow(&world, "cleeng.payment").await;
    let paid = pay_many(&world, 24).await;
    let mut confirmers = [world.role("confirmer"), world.role("confirmer")];
    kill_at_random(&world, 4, "confirmer", &mut confirmers, cleeng_records).await;
    assert_charged_and_recorded_once(&world, &paid).await;
}
