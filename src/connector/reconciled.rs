//! Holds gateways, ledger and Cleeng against each other on a schedule: one process at a time, which leaves its result in the ledger for
//! the metrics of all.

use std::time::{Duration, Instant};

use anyhow::Context;
use async_trait::async_trait;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::Parts;
use crate::clock;
use crate::domain::moment::Moment;
use crate::ledger::Ledger;
use crate::reconcile::{Books, Finding, Listener, Scope, Summary, Tally, reconcile};
use crate::telemetry::chain::error_chain;

/// How often it is looked whether it is time.
const LOOK_AT_MOST: Duration = Duration::from_secs(60);
/// The most disagreements of one run that are logged one by one; all are counted.
const MOST_LINES: u32 = 50;

/// Logs what is found, and keeps the lease.
struct Watch<'a> {
    ledger: &'a Ledger,
    logged: u32,
}

pub(super) async fn run(parts: &Parts, ledger: &Ledger, stop: &CancellationToken) {
    let every = parts.config.reconcile.every;
    if every.is_zero() {
        return;
    }
    if let Err(cause) = ledger.begin_reconciliation(clock::now()).await {
        warn!(
            error = error_chain(&cause),
            "the first reconciliation may come early"
        );
    }
    // Replicas look within moments of each other: the first one has it, the others find it claimed.
    let look = (every / 4).min(LOOK_AT_MOST);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(look) => {}
        }
        match ledger.claim_reconciliation(clock::now(), every).await {
            Ok(true) => {}
            Ok(false) => continue,
            Err(cause) => {
                warn!(
                    error = error_chain(&cause),
                    "a reconciliation was not begun"
                );
                continue;
            }
        }
        let compared = tokio::select! {
            () = stop.cancelled() => return,
            compared = once(parts, ledger) => compared,
        };
        if let Err(cause) = compared {
            warn!(
                error = error_chain(cause.as_ref()),
                "a reconciliation was broken off; the next one compares anew"
            );
        }
    }
}

async fn once(parts: &Parts, ledger: &Ledger) -> anyhow::Result<()> {
    let begun = Instant::now();
    let settings = &parts.config.reconcile;
    let window = i64::try_from(settings.window.as_millis()).unwrap_or(i64::MAX);
    let scope = Scope {
        since: Moment(clock::now().0.saturating_sub(window)),
        only: None,
        patience: settings.patience,
        rate: settings.rate_limit,
    };
    let books = Books {
        ledger,
        gateways: &parts.gateways,
        cleeng: &parts.cleeng,
    };
    let mut watch = Watch { ledger, logged: 0 };
    let tally = reconcile(books, scope, &mut watch).await?;
    for left_out in &tally.not_compared {
        warn!(what = left_out, "not compared");
    }
    info!(result = tally.line(), "reconciled");
    let now = clock::now();
    let summary = Summary {
        finished_at: now.0,
        took_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        disagreements: tally.by_kind(),
        cleeng: tally.by_evidence(),
        not_compared: u64::try_from(tally.not_compared.len()).unwrap_or(u64::MAX),
    };
    let text = serde_json::to_string(&summary).context("the result cannot be written")?;
    let kept = ledger.keep_reconciliation(&text, now).await;
    kept.context("the ledger cannot be used")
}

#[async_trait]
impl Listener for Watch<'_> {
    async fn found(&mut self, finding: &Finding) -> anyhow::Result<()> {
        self.logged = self.logged.saturating_add(1);
        if self.logged <= MOST_LINES {
            warn!(
                payment.id = finding.payment_id.map(tracing::field::display),
                gateway = %finding.gateway,
                reference = finding.reference.as_ref().map(tracing::field::display),
                kind = finding.kind.label(),
                at_gateway = finding.at_gateway,
                in_ledger = finding.in_ledger,
                at_cleeng = finding.at_cleeng,
                "gateway, ledger and Cleeng disagree"
            );
        }
        if self.logged == MOST_LINES {
            warn!("more disagreements are counted and not logged; `reconcile` lists all");
        }
        Ok(())
    }

    async fn progressed(&mut self, _: &Tally) -> anyhow::Result<()> {
        let kept = self.ledger.prolong_reconciliation(clock::now()).await;
        kept.context("the ledger cannot be used")
    }
}

/// What the last run left behind; none where there is nothing that this build can read.
pub(super) async fn last(ledger: &Ledger) -> Option<Summary> {
    let text = ledger.reconciliation().await.ok()??;
    serde_json::from_str(&text).ok()
}
