//! The rig: the simulators and the connector as processes, the load, and one scenario after the other on it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use super::batch::Batch;
use super::books::{self, Follower};
use super::child::{Child, free_address};
use super::load::Target;
use super::report::Row;
use super::stores::Stores;
use super::tally::Tally;
use super::usage::{Parties, Party, Place};
use super::verify::{self, Verification};
use super::{Scenario, Settings, processes};
use crate::simulator::{Recorded, Taken};

/// How long the connector's ledger may lag behind Cleeng's book at the end.
const LEDGER_LAG: Duration = Duration::from_secs(20);

/// Everything that runs.
pub(crate) struct Rig<'a> {
    pub(super) settings: &'a Settings,
    pub(super) stores: &'a Stores,
    folder: PathBuf,
    simulator: Child,
    pub(super) simulator_address: SocketAddr,
    /// The process with all roles; absent while each role has its own.
    connector: Option<Child>,
    /// From its start to its readiness.
    pub(crate) start_up: Duration,
    pub(super) target: Target,
    pub(super) follower: Follower,
    pub(super) batch: Arc<Batch>,
    /// What the closed model may still have accepted; filled by the follower.
    pub(super) room: Arc<Semaphore>,
    pub(super) parties: Parties,
    /// Confirmed a second in saturation.
    pub(super) peak: Option<f64>,
}

impl<'a> Rig<'a> {
    /// Starts the simulators and the connector, and waits until they are ready.
    ///
    /// # Errors
    /// One of them does not start.
    pub(crate) async fn start(
        settings: &'a Settings,
        stores: &'a Stores,
        folder: &Path,
    ) -> anyhow::Result<Rig<'a>> {
        let (outside, http) = (free_address()?, free_address()?);
        let arguments = processes::simulator_arguments(settings, outside);
        let mut simulator = Child::start("simulator", folder, &arguments, &[])?;
        simulator.ready(outside, "/").await?;
        let (tally, room) = (Arc::new(Tally::default()), Arc::new(Semaphore::new(0)));
        let batch = Arc::new(Batch::default());
        let parties = Parties::new([
            (Party::Simulator, Place::Here(vec![simulator.id()])),
            (Party::Broker, stores.broker_place()),
            (Party::Database, stores.database_place()),
        ]);
        let target = Target {
            address: http,
            gateway: settings.gateway.name(),
            token: settings.gateway.token(),
            tally: Arc::clone(&tally),
        };
        let mut rig = Rig {
            settings,
            stores,
            folder: folder.to_owned(),
            simulator,
            simulator_address: outside,
            connector: None,
            start_up: Duration::ZERO,
            target,
            follower: Follower::new(outside, tally, Arc::clone(&room), Arc::clone(&batch)),
            batch,
            room,
            parties,
            peak: None,
        };
        rig.start_connector().await?;
        Ok(rig)
    }

    /// All scenarios, one after another.
    ///
    /// # Errors
    /// A process ended, or one of the servers fails.
    pub(crate) async fn run(&mut self, tell: &(dyn Fn(&str) + Sync)) -> anyhow::Result<Vec<Row>> {
        let mut rows = Vec::new();
        for scenario in &self.settings.scenarios {
            tell(&format!("{scenario} …"));
            if matches!(scenario, Scenario::Backlog | Scenario::Scaling) {
                // Its place is taken by processes of single roles.
                self.caught_up().await?;
                self.connector = None;
            }
            let measured = if *scenario == Scenario::Scaling {
                self.scaling(tell).await?
            } else {
                self.followed(self.measure(*scenario, tell)).await?
            };
            if *scenario == Scenario::Saturation {
                self.peak = measured.first().map(|row| row.confirmed_per_second);
            }
            rows.extend(measured);
            match &mut self.connector {
                Some(connector) => connector.check()?,
                None => self.start_connector().await?,
            }
            self.simulator.check()?;
        }
        Ok(rows)
    }

    /// Does this while what Cleeng records is read along.
    ///
    /// # Errors
    /// The work's own, or the simulator's book ended.
    pub(super) async fn followed<T>(
        &self,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        tokio::select! {
            done = work => done,
            ended = self.follower.follow() => Err(ended.err().context("the simulator's book ended")?),
        }
    }

    /// Starts the process with all roles.
    async fn start_connector(&mut self) -> anyhow::Result<()> {
        let ops = free_address()?;
        let mut connector = self.role(&[], ops, &[])?;
        self.start_up = connector.ready(ops, "/readyz").await?;
        let place = Place::Here(vec![connector.id()]);
        self.parties.set(Party::Connector, place);
        self.connector = Some(connector);
        Ok(())
    }

    /// A process of the connector with these roles (none are all), and these variables beside the usual ones.
    ///
    /// # Errors
    /// It cannot be started.
    pub(super) fn role(
        &self,
        roles: &[&str],
        ops: SocketAddr,
        more: &[(&str, &str)],
    ) -> anyhow::Result<Child> {
        let mut variables = self.stores.variables();
        variables.extend(processes::connector_variables(
            self.settings.gateway,
            self.simulator_address,
            self.target.address,
            ops,
        ));
        variables.extend(
            more.iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let roles_named = roles.iter().flat_map(|role| ["--role", *role]);
        let arguments: Vec<String> = std::iter::once("run")
            .chain(roles_named)
            .map(str::to_owned)
            .collect();
        let name = roles.first().map_or("connector", |role| *role);
        Child::start(name, &self.folder, &arguments, &variables)
    }

    /// Waits until the ledger counts what Cleeng has: its answer is written down a moment after Cleeng has written, and who is killed
    /// in that moment leaves a report whose answer is lost. What the ledger counts then, or when the time is over.
    ///
    /// # Errors
    /// The book or the ledger cannot be read.
    pub(super) async fn caught_up(&self) -> anyhow::Result<u64> {
        let wanted = u64::try_from(books::length(self.simulator_address, "cleeng").await?)?;
        let begun = Instant::now();
        loop {
            let delivered = self.stores.delivered().await?;
            if delivered >= wanted || begun.elapsed() > LEDGER_LAG {
                return Ok(delivered);
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Compares everything that was ever sent with both books and with the connector's ledger.
    ///
    /// # Errors
    /// A book or the ledger cannot be read.
    pub(crate) async fn verify(&self) -> anyhow::Result<Verification> {
        let delivered = self.caught_up().await?;
        let taken: Vec<Taken> =
            books::all(self.simulator_address, self.settings.gateway.name()).await?;
        let recorded: Vec<Recorded> = books::all(self.simulator_address, "cleeng").await?;
        let mut sent = self.target.tally.sent();
        sent.extend(self.batch.bought());
        let mut found = verify::verify(&sent, &self.batch.renewals(), &taken, &recorded);
        found.compare_ledger(delivered);
        Ok(found)
    }
}
