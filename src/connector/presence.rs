//! Tells the ledger every few seconds that this process is there, what it counted and what it holds back: the console shows all
//! processes, whichever it runs in.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::debug;
use uuid::Uuid;

use super::Parts;
use crate::clock;
use crate::domain::flow::{Counts, Flow};
use crate::domain::ids::GatewayName;
use crate::domain::moment::Moment;
use crate::domain::presence::Presence;
use crate::ledger::Ledger;
use crate::telemetry::chain::error_chain;

const EVERY: Duration = Duration::from_secs(5);

/// Until `stop`; then it tells that it leaves.
pub(super) async fn tell(parts: &Parts, ledger: &Ledger, stop: &CancellationToken) {
    let id = Uuid::now_v7();
    let started_at = clock::now();
    let mut flow = Flow::empty(started_at);
    let mut before = Counts::default();
    loop {
        let left = stop.is_cancelled();
        let now = clock::now();
        let counts = parts.metrics.counts();
        flow.add(counts.since(before), now);
        before = counts;
        let presence = presence(parts, &flow, started_at, left);
        if let Err(cause) = ledger.tell_presence(id, &presence, now).await {
            debug!(
                error = error_chain(&cause),
                "the ledger was not told of this process"
            );
        }
        if left {
            return;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

fn presence(parts: &Parts, flow: &Flow, started_at: Moment, left: bool) -> Presence {
    let held = parts.metrics.held();
    let roles = parts.roles.iter().map(|role| role.label().to_owned());
    Presence {
        roles: roles.collect(),
        only: parts.only.iter().map(GatewayName::to_string).collect(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: started_at.0,
        left,
        away: held.systems,
        shut: held.queues,
        shedding: held.gateways_shed,
        flow: flow.clone(),
    }
}
