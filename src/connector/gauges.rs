//! Keeps the gauges that have to be asked for: what can be used, payments in doubt and the depth of the queues.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::readiness::Readiness;
use super::{Parts, reconciled};
use crate::broker::Queue;
use crate::clock;
use crate::config::Role;
use crate::domain::moment::Moment;
use crate::ledger::Ledger;
use crate::telemetry::ops::Readiness as _;

const EVERY: Duration = Duration::from_secs(5);

pub(super) async fn refresh(parts: &Parts, ledger: &Ledger, stop: &CancellationToken) {
    let mut queues = Vec::new();
    if parts.roles.contains(&Role::Worker) {
        queues.extend(super::lanes::worker_queues(parts));
    }
    if parts.roles.contains(&Role::Confirmer) {
        queues.extend([Queue::Confirmations, Queue::Dead]);
    }
    let readiness = Readiness::of(parts);
    loop {
        for (check, result) in readiness.check().await {
            parts.metrics.ready(check, result.is_ok());
        }
        if parts.roles.contains(&Role::Worker)
            && let Ok(doubts) = ledger.doubts().await
        {
            let age = doubts.oldest.map(|oldest| clock::now().since(oldest));
            parts.metrics.doubts(doubts.count, age);
        }
        if parts.roles.contains(&Role::Worker)
            && let Some(found) = reconciled::last(ledger).await
        {
            let (took, ended) = (found.took_ms, Moment(found.finished_at));
            parts.metrics.reconciled(
                &found.disagreements,
                &found.cleeng,
                Duration::from_millis(took),
                ended,
            );
        }
        for queue in &queues {
            match parts.broker.depth(queue).await {
                Ok(depth) => parts
                    .metrics
                    .depth(queue, i64::try_from(depth).unwrap_or(i64::MAX)),
                Err(cause) => {
                    debug!(%queue, error = %cause, "the depth of a queue could not be read")
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}
