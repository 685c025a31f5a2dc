//! More payments than can be taken: refused early and whole, and taken as soon as fewer wait.

use serde_json::Value;

use crate::control::{obeyed, operator, paused, told};
use crate::harness::{Answer, Pair, Setup, World, body};
use crate::payments::on_both_pairs;

on_both_pairs![while_too_many_wait_new_payments_are_refused_and_after_it_taken];

const MOST: usize = 20;
const GATEWAYS: [(&str, &str); 2] = [("simulated", "tok_ok"), ("stripe", "pm_card_visa")];

/// What is to be repeated, and the answer.
struct Asked {
    key: String,
    order: u64,
    answer: Answer,
}

async fn ask(world: &World, (gateway, token): (&str, &str)) -> Asked {
    let order = world.order(gateway).await;
    let key = format!("key-{order}");
    let answer = world.submit(&key, &body(order, gateway, token)).await;
    Asked { key, order, answer }
}

/// Payments until one is refused: those taken in, and the one that was not.
async fn fill(world: &World, gateway: (&str, &str)) -> (Vec<Asked>, Asked) {
    let mut taken = Vec::new();
    loop {
        let asked = ask(world, gateway).await;
        if asked.answer.status == 202 {
            taken.push(asked);
            assert!(taken.len() <= MOST, "{} were taken in", taken.len());
        } else {
            // A look at the queue and what is added meanwhile may count a payment twice, for a moment.
            assert!(taken.len() >= MOST / 2, "only {} taken in", taken.len());
            return (taken, asked);
        }
    }
}

fn assert_shed(answer: &Answer) {
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (503, "overloaded"),
        "{}",
        answer.text
    );
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=5).contains(&seconds), "Retry-After: {seconds}");
}

fn payments_of(world: &World, order: u64) -> usize {
    let order = order.to_string();
    let listed = operator(world, &["payments", "list", "--order", &order, "--json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    listed.as_array().unwrap().len()
}

async fn assert_gauge(world: &World, gateway: &str, value: u8) {
    let line = format!("connector_shedding{{gateway=\"{gateway}\"}} {value}");
    world
        .eventually(&line, async |world| {
            let metrics = world.metrics().await;
            metrics.lines().any(|found| found == line).then_some(())
        })
        .await;
}

async fn while_too_many_wait_new_payments_are_refused_and_after_it_taken(pair: Pair) {
    let setup = Setup {
        env: vec![("CONNECTOR_CHECKOUT__MAX_WAITING", MOST.to_string())],
        ..Setup::default()
    };
    let world = World::start_with(pair, setup).await;
    for (gateway, _) in GATEWAYS {
        operator(&world, &["pause", "--gateway", gateway]);
        let queue = format!("commands.{gateway}.checkout");
        obeyed(&world, &[&world.ops], &paused(&queue, true)).await;
    }
    let (taken, refused) = fill(&world, GATEWAYS[0]).await;
    assert_shed(&refused.answer);
    assert_eq!(payments_of(&world, refused.order), 0);
    assert_eq!(payments_of(&world, taken[0].order), 1);
    assert_gauge(&world, "simulated", 1).await;
    assert_gauge(&world, "stripe", 0).await;

    // The other gateway's queue is its own. When both are full, nobody reads a body any more.
    let (others, other) = fill(&world, GATEWAYS[1]).await;
    assert_shed(&other.answer);
    let url = format!("{}/v1/payments", world.base);
    for _ in 0..20 {
        assert_shed(&world.http.post_raw(&url, &[], "not read").await);
    }
    let ready = world.http.get(&format!("{}/readyz", world.ops)).await;
    assert_eq!(ready.status, 200, "{}", ready.text);
    let lines = told(&world, "WARN", "new payments are refused");
    assert!((2..=6).contains(&lines), "{lines} lines");

    for (gateway, _) in GATEWAYS {
        operator(&world, &["resume", "--gateway", gateway]);
    }
    for (again, (gateway, token)) in [&refused, &other].into_iter().zip(GATEWAYS) {
        let answer = world
            .eventually("it is taken in again", async |world| {
                let request = body(again.order, gateway, token);
                let answer = world.submit(&again.key, &request).await;
                assert!([202, 503].contains(&answer.status), "{}", answer.text);
                (answer.status == 202).then_some(answer)
            })
            .await;
        assert_gauge(&world, gateway, 0).await;
        assert_once(&world, &answer, again.order).await;
    }
    for before in taken.iter().chain(&others) {
        assert_once(&world, &before.answer, before.order).await;
    }
}

async fn assert_once(world: &World, answer: &Answer, order: u64) {
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    world.settled(&id, "captured", "delivered").await;
    let records = world.records(&id, order).await;
    assert_eq!((records.moved, records.statuses()), (1, vec!["captured"]));
}
