//! Growth: the cost of a payment with ever more of them in the ledger. The filling is real payments, too.

use std::time::Duration;

use anyhow::bail;
use tokio::sync::Semaphore;

use super::load::{self, Until};
use super::measuring::{A_DAY, Pace};
use super::report::Row;
use super::rig::Rig;

/// How many payments the ledger has when it is measured.
const SIZES: [u64; 4] = [10_000, 100_000, 300_000, 1_000_000];

/// Until the queues are as full as the closed model keeps them.
const WARM_UP: Duration = Duration::from_secs(3);

impl Rig<'_> {
    /// A row of saturation for each size.
    ///
    /// # Errors
    /// A process failed, or something did not come through.
    pub(super) async fn growth(&self, tell: &(dyn Fn(&str) + Sync)) -> anyhow::Result<Vec<Row>> {
        let most = self.settings.payments.unwrap_or(u64::MAX);
        let mut sizes: Vec<u64> = SIZES.into_iter().filter(|size| *size <= most).collect();
        if sizes.is_empty() {
            sizes.push(most);
        }
        let pace = Pace {
            // `--payments` takes the run's warm-up away; a window needs one here.
            warm_up: self.settings.warm_up.max(WARM_UP),
            seconds: self.settings.seconds,
            payments: None,
        };
        let mut rows = Vec::new();
        for size in sizes {
            tell(&format!("growth: {size} payments in the ledger …"));
            self.fill(size).await?;
            rows.push(self.saturation(format!("growth: {size}"), pace).await?);
        }
        Ok(rows)
    }

    async fn fill(&self, size: u64) -> anyhow::Result<()> {
        let (accepted, _) = self.target.tally.totals();
        let missing = size.saturating_sub(accepted);
        if missing == 0 {
            return Ok(());
        }
        self.room.forget_permits(Semaphore::MAX_PERMITS);
        self.room.add_permits(self.settings.room());
        let until = Until::new(A_DAY, Some(missing))?;
        load::closed(&self.target, self.settings.submitters, &self.room, until).await;
        match self.follower.drained().await {
            true => Ok(()),
            false => bail!("not all payments were confirmed while the ledger was filled"),
        }
    }
}
