//! The payers of the drill: each repeats its request under its key until it is taken, and does what the bank asks for.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::Plan;
use super::fleet::Fleet;
use crate::harness::body;

/// How long a payer tries: longer than any outage of the drill.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a payer's card does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Card {
    Approved,
    Declined,
    Authenticated,
    Pending,
}

/// A payment that was taken.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    pub(super) id: String,
    pub(super) order: u64,
    pub(super) card: Card,
}

/// Begins the plan's payments at its rate; all that were taken.
pub(super) async fn run(fleet: &Fleet, plan: Plan) -> Vec<Taken> {
    let mut dice = StdRng::seed_from_u64(plan.seed);
    let every = Duration::from_secs_f64(1.0 / plan.rate as f64);
    let payers = (0..plan.payments).map(|number| {
        let (gateway, token, card) = choose(&mut dice);
        let due = every * u32::try_from(number).unwrap();
        async move {
            sleep(due).await;
            pay(fleet, number, gateway, token, card).await
        }
    });
    join_all(payers).await
}

fn choose(dice: &mut StdRng) -> (&'static str, &'static str, Card) {
    match dice.random_range(0..100) {
        0..45 => ("stripe", "pm_card_visa", Card::Approved),
        45..65 => ("simulated", "tok_ok", Card::Approved),
        65..75 => (
            "stripe",
            "pm_card_chargeDeclinedInsufficientFunds",
            Card::Declined,
        ),
        75..80 => ("simulated", "tok_declined", Card::Declined),
        80..87 => (
            "stripe",
            "pm_card_threeDSecure2Required",
            Card::Authenticated,
        ),
        87..94 => ("simulated", "tok_3ds", Card::Authenticated),
        _ => ("stripe", "pm_card_pending", Card::Pending),
    }
}

async fn pay(fleet: &Fleet, number: usize, gateway: &str, token: &str, card: Card) -> Taken {
    let order = fleet.world.order(gateway).await;
    let request = body(order, gateway, token);
    let key = format!("drill-{number}");
    let answer = insist(number, async |turn: usize| {
        let url = format!("{}/v1/payments", fleet.bases[turn % 2]);
        let answer = fleet
            .world
            .http
            .try_post(&url, &[("Idempotency-Key", &key)], &request)
            .await?;
        match answer.status {
            202 => Some(answer.json()),
            // Away, busy, or the first try is still under way: the same request again.
            503 | 409 | 429 => None,
            other => panic!("payment {number}: {other} {}", answer.text),
        }
    })
    .await;
    let id = answer["id"].as_str().unwrap().to_owned();
    if card == Card::Authenticated {
        authenticate(fleet, number, &id).await;
    }
    Taken { id, order, card }
}

/// Waits for the bank's page, approves there, and says so.
async fn authenticate(fleet: &Fleet, number: usize, id: &str) {
    let page = insist(number, async |turn: usize| {
        let payment = fleet.look(turn, id).await?;
        match payment["status"].as_str()? {
            "requires_action" => payment["nextAction"]["url"].as_str().map(str::to_owned),
            "accepted" | "processing" | "in_doubt" => None,
            other => panic!("payment {number} is {other} instead of requires_action"),
        }
    })
    .await;
    let approve = format!("{page}/approve");
    insist(number, async |_turn: usize| {
        fleet.world.http.try_post(&approve, &[], &json!({})).await
    })
    .await;
    insist(number, async |turn: usize| {
        let url = format!("{}/v1/payments/{id}/continue", fleet.bases[turn % 2]);
        let answer = fleet
            .world
            .http
            .try_post(&url, &[], &json!({ "details": {} }))
            .await?;
        matches!(answer.status, 202 | 409).then_some(())
    })
    .await;
}

/// Tries again and again, at one ingest and the other.
async fn insist<T>(number: usize, attempt: impl AsyncFn(usize) -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    for turn in number.. {
        if let Some(done) = attempt(turn).await {
            return done;
        }
        assert!(
            Instant::now() < end,
            "payer {number} gave up after {PATIENCE:?}"
        );
        sleep(Duration::from_millis(250)).await;
    }
    unreachable!("the turns do not end")
}

impl Fleet {
    /// The payment as one of the ingests shows it; nothing while that one is away.
    pub(super) async fn look(&self, turn: usize, id: &str) -> Option<Value> {
        let url = format!("{}/v1/payments/{id}", self.bases[turn % 2]);
        let answer = self.world.http.try_get(&url).await?;
        (answer.status == 200).then(|| answer.json())
    }
}
