//! Broker or ledger away: nothing is half-accepted, nothing is lost, and the process heals by itself.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Answer, Pair, Proxy, Setup, Wire, World, body};

const BROKER: &str = "CONNECTOR_BROKER__URL";
const LEDGER: &str = "CONNECTOR_LEDGER__URL";

/// The promise: whatever is away, an answer within this.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Everything but the connector, with a wire to the store that this variable names.
async fn world_by_wire(variable: &str) -> (World, Proxy) {
    let mut world = World::prepare(Pair::Servers, Setup::default()).await;
    let wire = Proxy::to(&world.env[variable]).await;
    world.env.insert(variable.to_owned(), wire.url());
    (world, wire)
}

async fn start(world: &mut World) {
    world.run("all", &[]);
    world.ready(&world.ops.clone()).await;
}

/// A payment that cannot be taken now is refused in time, and says when to come again.
pub(crate) async fn assert_refused_in_time(world: &World, key: &str, order: u64) {
    let begun = Instant::now();
    let answer = world.submit(key, &body(order, "simulated", "tok_ok")).await;
    let took = begun.elapsed();
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (503, "unavailable"),
        "{}",
        answer.text
    );
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=5).contains(&seconds), "Retry-After: {seconds}");
    assert!(took < ANSWER_WITHIN, "the answer took {took:?}");
}

async fn assert_alive_and_not_ready(world: &World) {
    world
        .eventually("readyz says 503", async |world| {
            let answer = world.http.get(&format!("{}/readyz", world.ops)).await;
            (answer.status == 503).then_some(())
        })
        .await;
    assert_eq!(
        world.http.get(&format!("{}/livez", world.ops)).await.status,
        200
    );
}

/// The request again and again, until it is taken.
pub(crate) async fn taken(world: &World, key: &str, order: u64) -> Answer {
    world
        .eventually("the payment is taken", async |world| {
            let answer = world.submit(key, &body(order, "simulated", "tok_ok")).await;
            assert!([202, 409, 503].contains(&answer.status), "{}", answer.text);
            (answer.status == 202).then_some(answer)
        })
        .await
}

pub(crate) async fn assert_once(world: &World, id: &str, order: u64) {
    world.settled(id, "captured", "delivered").await;
    let records = world.records(id, order).await;
    assert_eq!(
        (records.moved, records.statuses()),
        (1, vec!["captured"]),
        "payment {id}"
    );
    // Whatever else was tried for the order: one payment at the gateway, one record.
    let charges = world
        .http
        .get(&format!("{}/_ledger?orderId={order}", world.simulator))
        .await
        .json();
    let of_order = charges["cleeng"]["payments"].as_array().unwrap().len();
    assert_eq!(of_order, 1, "order {order}");
}

async fn the_same_key_and_another_work_after(variable: &str, outage: Wire) {
    let (mut world, wire) = world_by_wire(variable).await;
    start(&mut world).await;
    let (repeated, renewed) = (
        world.order("simulated").await,
        world.order("simulated").await,
    );
    wire.set(outage);
    assert_refused_in_time(&world, "same", repeated).await;
    assert_refused_in_time(&world, "first", renewed).await;
    assert_alive_and_not_ready(&world).await;
    wire.set(Wire::Whole);
    world.ready(&world.ops).await;
    for (key, order) in [("same", repeated), ("second", renewed)] {
        let id = taken(&world, key, order).await.json()["id"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_once(&world, &id, order).await;
    }
    let ledger = world
        .http
        .get(&format!("{}/_ledger", world.simulator))
        .await
        .json();
    assert_eq!(
        ledger["moneyMoved"].as_object().unwrap().len(),
        2,
        "{ledger}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_refused_while_the_broker_was_cut_off_is_charged_once_when_it_is_back() {
    the_same_key_and_another_work_after(BROKER, Wire::Cut).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_refused_while_the_broker_was_mute_is_charged_once_when_it_is_back() {
    the_same_key_and_another_work_after(BROKER, Wire::Stalled).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_refused_while_the_ledger_was_cut_off_is_charged_once_when_it_is_back() {
    the_same_key_and_another_work_after(LEDGER, Wire::Cut).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_refused_while_the_ledger_was_mute_is_charged_once_when_it_is_back() {
    the_same_key_and_another_work_after(LEDGER, Wire::Stalled).await;
}

/// Payments of both gateways in all stages of their way while the store goes away.
async fn work_in_flight_survives(variable: &str) {
    let (mut world, wire) = world_by_wire(variable).await;
    start(&mut world).await;
    for operation in ["stripe.confirm", "simulated.charge", "cleeng.payment"] {
        world.fault(json!({ "operation": operation, "fault": "slow", "probability": 1.0, "delayMs": 400 })).await;
    }
    for outage in [Wire::Cut, Wire::Stalled] {
        let mut paid = Vec::new();
        for (gateway, token) in [("stripe", "pm_card_visa"), ("simulated", "tok_ok")]
            .into_iter()
            .cycle()
            .take(8)
        {
            paid.push(world.pay(gateway, token).await);
        }
        let (last, order) = paid[7].clone();
        world
            .eventually("money moves", async |world| {
                (world.records(&last, order).await.moved == 1).then_some(())
            })
            .await;
        wire.set(outage);
        assert_alive_and_not_ready(&world).await;
        wire.set(Wire::Whole);
        world.ready(&world.ops).await;
        for (id, order) in paid {
            assert_once(&world, &id, order).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_in_flight_while_the_broker_goes_away_is_charged_and_recorded_once() {
    work_in_flight_survives(BROKER).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_in_flight_while_the_ledger_goes_away_is_charged_and_recorded_once() {
    work_in_flight_survives(LEDGER).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_starts_before_its_stores_waits_for_them() {
    for outage in [Wire::Cut, Wire::Stalled] {
        let (mut world, broker) = world_by_wire(BROKER).await;
        let ledger = Proxy::to(&world.env[LEDGER]).await;
        world.env.insert(LEDGER.to_owned(), ledger.url());
        broker.set(outage);
        ledger.set(outage);
        world.run("all", &[]);
        world
            .eventually("the process answers", async |world| {
                world.http.try_get(&format!("{}/livez", world.ops)).await
            })
            .await;
        assert_alive_and_not_ready(&world).await;
        let order = world.order("simulated").await;
        assert_refused_in_time(&world, "early", order).await;
        ledger.set(Wire::Whole);
        assert_refused_in_time(&world, "early", order).await;
        assert_alive_and_not_ready(&world).await;
        broker.set(Wire::Whole);
        world.ready(&world.ops).await;
        let id = taken(&world, "early", order).await.json()["id"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_once(&world, &id, order).await;
    }
}
