//! What is done to the processes and servers, in an order that the seed decides.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::sleep;

use super::Plan;
use super::fleet::Fleet;
use crate::harness::OwnServers;

/// One thing that is done to the drill's machines.
#[derive(Debug, Clone, Copy)]
enum Fault {
    KillRole,
    CutConnections,
    RestartBroker,
    KillBroker,
    PauseBroker,
    RestartDatabase,
    KillDatabase,
    PauseDatabase,
}

/// Of twenty faults, how many are which.
const MIX: [Fault; 20] = [
    Fault::KillRole,
    Fault::KillRole,
    Fault::KillRole,
    Fault::KillRole,
    Fault::KillRole,
    Fault::KillRole,
    Fault::KillRole,
    Fault::KillRole,
    Fault::KillRole,
    Fault::KillRole,
    Fault::CutConnections,
    Fault::CutConnections,
    Fault::CutConnections,
    Fault::RestartBroker,
    Fault::KillBroker,
    Fault::PauseBroker,
    Fault::RestartDatabase,
    Fault::RestartDatabase,
    Fault::KillDatabase,
    Fault::PauseDatabase,
];

/// Carries out the plan's faults, spread over its load; what was done, counted by kind.
pub(super) async fn run(
    fleet: &Fleet,
    servers: &OwnServers,
    plan: Plan,
) -> BTreeMap<String, usize> {
    let mut dice = StdRng::seed_from_u64(plan.seed ^ 0xfa17);
    let load = Duration::from_secs_f64(plan.payments as f64 / plan.rate as f64);
    let pause = load / u32::try_from(plan.faults.max(1)).unwrap() / 2;
    let mut done = BTreeMap::new();
    // Each kind is drawn once before any comes again: a short drill sees most of them.
    let mut deck: Vec<Fault> = Vec::new();
    for _ in 0..plan.faults {
        sleep(pause.mul_f64(dice.random_range(0.5..1.5))).await;
        if deck.is_empty() {
            deck = MIX.to_vec();
        }
        let fault = deck.swap_remove(dice.random_range(0..deck.len()));
        let what = inflict(fleet, servers, fault, &mut dice).await;
        *done.entry(what).or_insert(0) += 1;
    }
    done
}

async fn inflict(fleet: &Fleet, servers: &OwnServers, fault: Fault, dice: &mut StdRng) -> String {
    match fault {
        Fault::KillRole => {
            let names: Vec<&'static str> = Fleet::names().collect();
            let name = names[dice.random_range(0..names.len())];
            fleet.kill(name);
            sleep(Duration::from_millis(dice.random_range(0..800))).await;
            fleet.revive(name);
            let role = name.split('-').next().unwrap_or(name);
            return format!("SIGKILL of a role: {role}");
        }
        Fault::CutConnections => {
            close_all_connections(servers).await;
            "broker closes all connections"
        }
        Fault::RestartBroker => {
            servers.tell(&["restart-broker"]).await;
            "broker restarted"
        }
        Fault::KillBroker => {
            servers.tell(&["kill-broker"]).await;
            servers.tell(&["start-broker"]).await;
            "broker SIGKILLed and started"
        }
        Fault::PauseBroker => {
            servers.tell(&["pause-broker"]).await;
            sleep(Duration::from_millis(dice.random_range(1000..4000))).await;
            servers.tell(&["resume-broker"]).await;
            "broker paused (SIGSTOP)"
        }
        Fault::RestartDatabase => {
            servers.tell(&["restart-database"]).await;
            "database restarted"
        }
        Fault::KillDatabase => {
            servers.tell(&["kill-database"]).await;
            servers.tell(&["start-database"]).await;
            "database SIGKILLed and started"
        }
        Fault::PauseDatabase => {
            servers.tell(&["pause-database"]).await;
            sleep(Duration::from_millis(dice.random_range(500..3000))).await;
            servers.tell(&["resume-database"]).await;
            "database paused (SIGSTOP)"
        }
    }
    .to_owned()
}

/// One that ends by itself between the command's look and its closing makes the command fail halfway: what is left is closed by
/// the next try.
async fn close_all_connections(servers: &OwnServers) {
    let command = ["ctl", "close_all_connections", "drill"];
    for _ in 0..4 {
        match servers.attempt(&command).await {
            Ok(()) => return,
            Err(complaint) => println!("drill: {complaint}"),
        }
        sleep(Duration::from_millis(200)).await;
    }
    servers.tell(&command).await;
}
