//! Looks after payments that have not settled: a command for each, from one process at a time, on a schedule.

use std::time::Duration;

use anyhow::Context;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use super::Parts;
use crate::broker::{Lane, Outgoing, Publish, PublishError, Queue};
use crate::clock;
use crate::domain::message::{Body, Envelope};
use crate::domain::moment::Moment;
use crate::ledger::{Ledger, Stalled};
use crate::telemetry::chain::error_chain;

pub(super) async fn run(parts: &Parts, ledger: &Ledger, stop: &CancellationToken) {
    let every = parts.config.worker.sweep_every;
    let publisher = parts.publisher();
    // Where the last sweep ended: payments that only an operator can settle stay, and must not hide those behind them.
    let mut last = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
        match sweep(ledger, publisher.as_ref(), every, last.as_ref()).await {
            Ok(reached) => last = reached,
            Err(cause) => {
                warn!(
                    error = error_chain(cause.as_ref()),
                    "a sweep of unsettled payments was broken off"
                );
            }
        }
    }
}

/// The last payment that was reached; nothing when that was the end of the list.
async fn sweep(
    ledger: &Ledger,
    publisher: &dyn Publish,
    every: Duration,
    last: Option<&Stalled>,
) -> anyhow::Result<Option<Stalled>> {
    let now = clock::now();
    // Replicas wake within moments of each other: the first one has it, the others find it claimed.
    if !ledger
        .claim_sweep(now, every / 2)
        .await
        .context("the ledger cannot be used")?
    {
        return Ok(last.cloned());
    }
    let rested = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
    let before = Moment(now.0.saturating_sub(rested));
    let mut stalled = ledger
        .stalled(before, last)
        .await
        .context("the ledger cannot be used")?;
    for payment in &stalled {
        match publisher.publish(recheck(payment, now)).await {
            // Its gateway is not configured any more; the others' are.
            Ok(()) | Err(PublishError::Unroutable) => {}
            Err(cause) => return Err(cause).context("the broker cannot be used"),
        }
    }
    if !stalled.is_empty() {
        info!(
            payments = stalled.len(),
            "unsettled payments are looked at again"
        );
    }
    Ok(stalled.pop())
}

fn recheck(payment: &Stalled, now: Moment) -> Outgoing {
    let message_id = Uuid::now_v7();
    let envelope = Envelope::new(
        message_id,
        now,
        None,
        Body::Recheck {
            payment_id: payment.id,
        },
    );
    let queue = Queue::Commands {
        gateway: payment.gateway.clone(),
        lane: Lane::Billing,
    };
    Outgoing::new(queue, &envelope, None)
}
