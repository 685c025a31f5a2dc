//! Scaling: saturation with one, two and four worker processes, beside one ingest and one confirmer.

use super::child::{Child, free_address};
use super::measuring::Pace;
use super::report::Row;
use super::rig::Rig;
use super::usage::{Party, Place};

/// How many workers there are in each row.
const WORKERS: [usize; 3] = [1, 2, 4];

impl Rig<'_> {
    /// A row for each number of workers; its cost is that of all roles' processes together.
    ///
    /// # Errors
    /// A process failed, or something did not come through.
    pub(super) async fn scaling(
        &mut self,
        tell: &(dyn Fn(&str) + Sync),
    ) -> anyhow::Result<Vec<Row>> {
        let mut others = [self.ready("ingest").await?, self.ready("confirmer").await?];
        let mut workers = Vec::new();
        let mut rows = Vec::new();
        for count in WORKERS {
            tell(&format!("scaling: {count} workers …"));
            while workers.len() < count {
                workers.push(self.ready("worker").await?);
            }
            let ids = others.iter().chain(&workers).map(Child::id).collect();
            self.parties.set(Party::Connector, Place::Here(ids));
            let name = format!("scaling: {count}");
            let measured = self.saturation(name, Pace::of(self.settings));
            rows.push(self.followed(measured).await?);
            for child in others.iter_mut().chain(&mut workers) {
                child.check()?;
            }
        }
        self.caught_up().await?;
        Ok(rows)
    }

    async fn ready(&self, role: &str) -> anyhow::Result<Child> {
        let ops = free_address()?;
        let mut child = self.role(&[role], ops, &[])?;
        child.ready(ops, "/readyz").await?;
        Ok(child)
    }
}
