//! How each scenario is measured: its load, the window that counts, and what was spent in it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::floor::Floor;
use super::load::{self, Until};
use super::report::Row;
use super::rig::Rig;
use super::tally::{Tally, Window};
use super::usage::{Measure, Party, Reading};
use super::{Scenario, Settings, processes, wall};

/// Long enough for everything that is counted and not timed; what does not go on is ended by its own limits.
pub(super) const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a load runs before it is measured, and until when it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) warm_up: Duration,
    pub(super) seconds: Duration,
    /// Instead of the seconds.
    pub(super) payments: Option<u64>,
}

/// What was measured around a load.
pub(super) struct Measured {
    pub(super) window: Window,
    pub(super) from: Reading,
    pub(super) to: Reading,
    pub(super) peaks: BTreeMap<Party, Measure>,
}

impl Pace {
    pub(super) fn of(settings: &Settings) -> Pace {
        Pace {
            warm_up: settings.warm_up,
            seconds: settings.seconds,
            payments: settings.payments,
        }
    }

    pub(super) fn span(self) -> Duration {
        match self.payments {
            Some(_) => A_DAY,
            None => self.warm_up.saturating_add(self.seconds),
        }
    }

    fn until(self) -> anyhow::Result<Until> {
        Until::new(self.span(), self.payments)
    }
}

impl Rig<'_> {
    /// One scenario; most give one row.
    ///
    /// # Errors
    /// A process or a server failed.
    pub(super) async fn measure(
        &self,
        scenario: Scenario,
        tell: &(dyn Fn(&str) + Sync),
    ) -> anyhow::Result<Vec<Row>> {
        let pace = Pace::of(self.settings);
        let row = match scenario {
            Scenario::Floor => self.floor(pace).await?,
            Scenario::Saturation => self.saturation(scenario.to_string(), pace).await?,
            Scenario::Rate(rate) => self.open(scenario.to_string(), rate, pace).await?,
            Scenario::Overload => {
                let peak = self.peak.context("overload without saturation before it")?;
                self.open(scenario.to_string(), 2.0 * peak, pace).await?
            }
            Scenario::Backlog => return self.backlog(tell).await,
            Scenario::Growth => return self.growth(tell).await,
            Scenario::Renewals => return self.renewals(tell).await,
            Scenario::Scaling => bail!("scaling is not measured on one process"),
        };
        Ok(vec![row])
    }

    async fn floor(&self, pace: Pace) -> anyhow::Result<Row> {
        let Some(url) = self.stores.rabbit() else {
            bail!("no RabbitMQ to measure the floor of");
        };
        let floor =
            Floor::open(url, self.stores.name(), &processes::gateways(self.settings)).await?;
        let tally = Arc::new(Tally::default());
        let room = Arc::new(Semaphore::new(self.settings.room()));
        let load = floor.run(&tally, &room, pace.until()?);
        let (measured, result) = self.window(load, pace).await;
        result?;
        let row = self.row(Scenario::Floor.to_string(), None, &measured, &tally);
        floor.close().await;
        Ok(row)
    }

    pub(super) async fn saturation(&self, name: String, pace: Pace) -> anyhow::Result<Row> {
        self.room.forget_permits(Semaphore::MAX_PERMITS);
        self.room.add_permits(self.settings.room());
        let load = load::closed(
            &self.target,
            self.settings.submitters,
            &self.room,
            pace.until()?,
        );
        let (measured, ()) = self.window(load, pace).await;
        Ok(self.drained(name, None, &measured).await)
    }

    pub(super) async fn open(&self, name: String, rate: f64, pace: Pace) -> anyhow::Result<Row> {
        let stop = CancellationToken::new();
        let load = load::open(&self.target, rate, pace.span(), pace.payments, &stop);
        let (measured, result) = self.window(load, pace).await;
        result?;
        Ok(self.drained(name, Some(rate), &measured).await)
    }

    /// Warm-up and measured time of a load. It ends with the time, or where payments are counted, when the last of them is
    /// confirmed.
    pub(super) async fn window<T>(
        &self,
        load: impl Future<Output = T>,
        pace: Pace,
    ) -> (Measured, T) {
        let mut load = std::pin::pin!(load);
        let warm = if pace.warm_up.is_zero() {
            // The load begins in the window.
            None
        } else {
            tokio::select! {
                ended = &mut load => Some(ended),
                () = sleep(pace.warm_up) => None,
            }
        };
        self.parties.forget_peaks();
        let (from, reading) = (wall::micros(), self.parties.read());
        let ended = match (warm, pace.payments) {
            (Some(ended), _) => Some(ended),
            (None, Some(_)) => Some(load.as_mut().await),
            (None, None) => {
                let end = sleep(pace.seconds);
                let mut end = std::pin::pin!(end);
                tokio::select! {
                    ended = &mut load => {
                        end.await;
                        Some(ended)
                    }
                    () = &mut end => None,
                }
            }
        };
        if pace.payments.is_some() {
            self.follower.drained().await;
        }
        let window = Window {
            from,
            to: wall::micros(),
        };
        let measured = Measured {
            window,
            from: reading,
            to: self.parties.read(),
            peaks: self.parties.peaks(),
        };
        let ended = match ended {
            Some(ended) => ended,
            None => load.await,
        };
        (measured, ended)
    }

    pub(super) async fn drained(
        &self,
        scenario: String,
        offered: Option<f64>,
        measured: &Measured,
    ) -> Row {
        let drained = self.follower.drained().await;
        let mut row = self.row(scenario, offered, measured, &self.target.tally);
        row.drained = drained;
        row
    }

    pub(super) fn row(
        &self,
        scenario: String,
        offered: Option<f64>,
        measured: &Measured,
        tally: &Tally,
    ) -> Row {
        let counts = tally.count(measured.window);
        let (from, to) = (&measured.from, &measured.to);
        let cpu = self.parties.per_thousand(from, to, counts.confirmed);
        let mut row = Row::new(scenario, offered, measured.window, counts);
        row.cpu_seconds_per_thousand = cpu;
        row.peak_mib.clone_from(&measured.peaks);
        row
    }
}
