//! The backlog: all payments accepted before the worker starts, all charged before the confirmer does. It shows what each role
//! needs by itself, and that neither memory nor cost follows what waits.

use std::time::Duration;

use anyhow::bail;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use super::child::{Child, free_address};
use super::load::{self, Until};
use super::measuring::{A_DAY, Measured};
use super::report::Row;
use super::rig::Rig;
use super::tally::{Tally, Window};
use super::usage::{Parties, Party, Place, Reading, float};
use super::{books, wall};

/// How many payments wait when nobody says how many.
const WAITING: u64 = 100_000;

/// Waiting takes long here: a payment must not expire over it, and none is refused because many wait.
const PATIENT: [(&str, &str); 2] = [
    ("CONNECTOR_CHECKOUT__DEADLINE", "24h"),
    ("CONNECTOR_CHECKOUT__MAX_WAITING", "0"),
];

/// So long without a charge, and the rest will not come.
const STUCK: Duration = Duration::from_secs(45);

/// One role at work on all payments.
struct Phase {
    parties: Parties,
    from: i64,
    reading: Reading,
}

impl Rig<'_> {
    /// Three rows: accepting, charging and confirming, each with the cost and the memory of its own role.
    ///
    /// # Errors
    /// A process failed, or something did not come through.
    pub(super) async fn backlog(&self, tell: &(dyn Fn(&str) + Sync)) -> anyhow::Result<Vec<Row>> {
        let waiting = self.settings.payments.unwrap_or(WAITING);
        let charged_before =
            books::length(self.simulator_address, self.settings.gateway.name()).await?;
        let mut rows = Vec::new();

        let ingest = self.start_role("ingest").await?;
        self.room.add_permits(Semaphore::MAX_PERMITS >> 1);
        let phase = self.begin(&ingest);
        let until = Until::new(A_DAY, Some(waiting))?;
        load::closed(&self.target, self.settings.submitters, &self.room, until).await;
        self.room.forget_permits(Semaphore::MAX_PERMITS);
        rows.push(self.end("backlog: accepting", &phase, waiting));

        tell("backlog: charging …");
        let worker = self.start_role("worker").await?;
        let phase = self.begin(&worker);
        self.charged(charged_before.saturating_add(usize::try_from(waiting)?))
            .await?;
        let mut row = self.end("backlog: charging", &phase, waiting);
        row.charged_per_second = Some(float(waiting) / row.seconds);
        rows.push(row);

        tell("backlog: confirming …");
        let confirmer = self.start_role("confirmer").await?;
        let phase = self.begin(&confirmer);
        if !self.follower.drained().await {
            bail!("not all of the backlog was confirmed");
        }
        rows.push(self.end("backlog: confirming", &phase, waiting));
        self.caught_up().await?;
        drop(confirmer);
        Ok(rows)
    }

    async fn start_role(&self, role: &str) -> anyhow::Result<Child> {
        let ops = free_address()?;
        let mut child = self.role(&[role], ops, &PATIENT)?;
        child.ready(ops, "/readyz").await?;
        Ok(child)
    }

    fn begin(&self, child: &Child) -> Phase {
        let mut parties = self.parties.clone();
        parties.set(Party::Connector, Place::Here(vec![child.id()]));
        Phase {
            from: wall::micros(),
            reading: parties.read(),
            parties,
        }
    }

    fn end(&self, name: &str, phase: &Phase, payments: u64) -> Row {
        let window = Window {
            from: phase.from,
            to: wall::micros(),
        };
        let measured = Measured {
            window,
            from: phase.reading.clone(),
            to: phase.parties.read(),
            peaks: phase.parties.peaks(),
        };
        let tally: &Tally = &self.target.tally;
        let mut row = self.row(name.to_owned(), None, &measured, tally);
        // Each role's own payments, whether they are confirmed by then or not.
        row.cpu_seconds_per_thousand =
            phase
                .parties
                .per_thousand(&measured.from, &measured.to, payments);
        row
    }

    /// Waits until the gateway's book has so many entries.
    async fn charged(&self, wanted: usize) -> anyhow::Result<()> {
        let (mut last, mut since) = (0, Instant::now());
        loop {
            let length =
                books::length(self.simulator_address, self.settings.gateway.name()).await?;
            if length >= wanted {
                return Ok(());
            }
            if length != last {
                (last, since) = (length, Instant::now());
            }
            if since.elapsed() > STUCK {
                bail!("not all of the backlog was charged: {length} of {wanted}");
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
}
