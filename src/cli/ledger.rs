//! The ledger of a command: opened for its work, and closed whatever came of it.

use anyhow::Context;

use crate::config::Config;
use crate::ledger::Ledger;

/// # Errors
/// With the setting that names the ledger.
pub(super) async fn open(config: &Config) -> anyhow::Result<Ledger> {
    Ledger::open(&config.ledger)
        .await
        .context("ledger.url: the ledger cannot be opened")
}

/// # Errors
/// When the ledger cannot be opened; else the work's own.
pub(super) fn with_ledger(
    config: &Config,
    work: impl AsyncFnOnce(Ledger) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    super::runtime()?.block_on(async {
        let ledger = open(config).await?;
        let done = work(ledger.clone()).await;
        ledger.close().await;
        done
    })
}
