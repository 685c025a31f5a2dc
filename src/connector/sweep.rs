//! Looks after payments that have not settled: a command for each, from one process at a time, on a schedule.

use std::time::Duration;

use anyhow::Context;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use super::Parts;
use crate::broker::{Headers, Lane, Outgoing, Publish, Queue};
use crate::clock;
use crate::domain::message::{Body, Envelope};
use crate::domain::moment::Moment;
use crate::ledger::{Ledger, Stalled};
use crate::telemetry::chain::error_chain;

pub(super) async fn run(parts: &Parts, ledger: &Ledger, stop: &CancellationToken) {
    let every = parts.config.worker.sweep_every;
    let publisher = parts.publisher();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
        if let Err(cause) = sweep(ledger, publisher.as_ref(), every).await {
            warn!(
                error = error_chain(cause.as_ref()),
                "a sweep of unsettled payments was broken off"
            );
        }
    }
}

async fn sweep(ledger: &Ledger, publisher: &dyn Publish, every: Duration) -> anyhow::Result<()> {
    let now = clock::now();
    // Replicas wake within moments of each other: the first one has it, the others find it claimed.
    if !ledger
        .claim_sweep(now, every / 2)
        .await
        .context("the ledger cannot be used")?
    {
        return Ok(());
    }
    let rested = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
    let stalled = ledger
        .stalled(Moment(now.0.saturating_sub(rested)))
        .await
        .context("the ledger cannot be used")?;
    for payment in &stalled {
        publisher
            .publish(recheck(payment, now))
            .await
            .context("the broker cannot be used")?;
    }
    if !stalled.is_empty() {
        info!(
            payments = stalled.len(),
            "unsettled payments are looked at again"
        );
    }
    Ok(())
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
    Outgoing {
        queue: Queue::Commands {
            gateway: payment.gateway.clone(),
            lane: Lane::Billing,
        },
        delay: None,
        message_id,
        body: envelope.encode(),
        headers: Headers::default(),
    }
}
