//! The drill: every role, the broker and the database are killed, paused and cut off under load, with the gateways and
//! Cleeng misbehaving all the while; afterwards every payment is accounted for. `scripts/drill` runs the long form.

mod chaos;
mod fleet;
mod load;
mod operator;
mod verdict;

use std::time::Instant;

use serde_json::json;

use crate::harness::OwnServers;
use fleet::Fleet;

/// How much of everything; the short form is part of every test run.
#[derive(Debug, Clone, Copy)]
struct Plan {
    payments: usize,
    faults: usize,
    /// Payments begun each second.
    rate: usize,
    seed: u64,
}

impl Plan {
    fn from_environment() -> Plan {
        Plan {
            payments: setting("DRILL_PAYMENTS", 150),
            faults: setting("DRILL_FAULTS", 8),
            rate: setting("DRILL_RATE", 15),
            seed: setting("DRILL_SEED", 20_261_124),
        }
    }
}

fn setting<T: std::str::FromStr>(variable: &str, default: T) -> T {
    #[expect(
        clippy::disallowed_methods,
        reason = "the drill's own settings come from the environment"
    )]
    let found = std::env::var(variable);
    match found {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{variable}={text}: not a number")),
        Err(_) => default,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_doubled_while_everything_fails() {
    let plan = Plan::from_environment();
    println!("drill: {plan:?}");
    let started = Instant::now();
    let servers = OwnServers::start("drill");
    let fleet = Fleet::start(&servers, plan.seed).await;
    misbehave(&fleet).await;
    let (payments, faults) =
        tokio::join!(load::run(&fleet, plan), chaos::run(&fleet, &servers, plan));
    fleet.world.clear_faults().await;
    fleet.all_up().await;
    verdict::settle(&fleet, &payments).await;
    let letters = operator::work(&fleet, &payments).await;
    let table = verdict::judge(&fleet, &payments).await;
    println!("{}", table.text(&faults, &letters, started.elapsed()));
    assert!(table.is_good(), "the drill failed: see the table");
}

/// What the gateways and Cleeng do now and then. Each number is the part of the calls that it strikes.
async fn misbehave(fleet: &Fleet) {
    for (operation, fault, probability) in [
        ("stripe.customer", "drop", 0.01),
        ("stripe.create", "commit_then_drop", 0.01),
        ("stripe.confirm", "commit_then_drop", 0.02),
        ("stripe.confirm", "commit_then_hang", 0.01),
        ("stripe.confirm", "commit_then_500", 0.01),
        ("stripe.confirm", "error_500", 0.01),
        ("stripe.confirm", "drop", 0.01),
        ("stripe.confirm", "rate_limited", 0.01),
        ("stripe.read", "error_503", 0.02),
        ("simulated.charge", "commit_then_drop", 0.02),
        ("simulated.charge", "commit_then_hang", 0.01),
        ("simulated.charge", "drop", 0.01),
        ("cleeng.order", "error_503", 0.01),
        ("cleeng.payment", "commit_then_drop", 0.02),
        ("cleeng.payment", "commit_then_hang", 0.01),
        ("cleeng.payment", "drop", 0.01),
        ("cleeng.payment", "rate_limited", 0.01),
        ("stripe.webhook", "webhook_duplicate", 0.05),
        ("stripe.webhook", "webhook_stale_first", 0.05),
        ("stripe.webhook", "webhook_delay", 0.05),
        ("simulated.webhook", "webhook_duplicate", 0.05),
        ("simulated.webhook", "webhook_delay", 0.05),
    ] {
        let rule = json!({
            "operation": operation, "fault": fault, "probability": probability, "delayMs": 1500
        });
        fleet.world.fault(rule).await;
    }
}
