//! The rig: the simulators and the connector as processes, the load, and one scenario after the other on it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use super::books::{self, Follower};
use super::child::{Child, free_address};
use super::floor::Floor;
use super::load::{self, Target, Until};
use super::report::Row;
use super::stores::Stores;
use super::tally::{FIRST_ORDER, ORDERS, Tally, Window};
use super::usage::{Measure, Parties, Party, Place, Reading};
use super::verify::{self, Verification};
use super::{Gateway, Scenario, Settings, wall};
use crate::domain::ids::GatewayName;
use crate::simulator::{Recorded, Taken};

/// How long the connector's ledger may lag behind Cleeng's book at the end.
const LEDGER_LAG: Duration = Duration::from_secs(20);

/// Everything that runs.
pub(crate) struct Rig<'a> {
    settings: &'a Settings,
    stores: &'a Stores,
    simulator: Child,
    simulator_address: SocketAddr,
    connector: Child,
    pub(crate) start_up: Duration,
    target: Target,
    follower: Follower,
    /// What the closed model may still have accepted; filled by the follower.
    room: Arc<Semaphore>,
    parties: Parties,
    /// Confirmed a second in saturation.
    peak: Option<f64>,
}

/// What was measured around a load.
struct Measured {
    window: Window,
    from: Reading,
    to: Reading,
    peaks: BTreeMap<Party, Measure>,
}

/// What the connector of a run is configured with.
pub(crate) fn gateways() -> Vec<GatewayName> {
    [Gateway::Simulated, Gateway::Stripe]
        .iter()
        .filter_map(|gateway| gateway.name().parse().ok())
        .collect()
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
        let (outside, http, ops) = (free_address()?, free_address()?, free_address()?);
        let mut simulator = Child::start(
            "simulator",
            folder,
            &simulator_arguments(settings, outside),
            &[],
        )?;
        simulator.ready(outside, "/").await?;
        let mut variables = stores.variables();
        variables.extend(connector_variables(outside, http, ops));
        let mut connector = Child::start("connector", folder, &["run".to_owned()], &variables)?;
        let start_up = connector.ready(ops, "/readyz").await?;
        let (tally, room) = (Arc::new(Tally::default()), Arc::new(Semaphore::new(0)));
        let parties = Parties::new([
            (Party::Connector, Place::Here(vec![connector.id()])),
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
        Ok(Rig {
            settings,
            stores,
            simulator,
            simulator_address: outside,
            connector,
            start_up,
            target,
            follower: Follower::new(outside, tally, Arc::clone(&room)),
            room,
            parties,
            peak: None,
        })
    }

    /// All scenarios, one after another.
    ///
    /// # Errors
    /// A process ended, or one of the servers fails.
    pub(crate) async fn run(&mut self, tell: &(dyn Fn(&str) + Sync)) -> anyhow::Result<Vec<Row>> {
        let mut rows = Vec::new();
        for scenario in &self.settings.scenarios {
            tell(&format!("{scenario} …"));
            let row = tokio::select! {
                row = self.one(*scenario) => row?,
                ended = self.follower.follow() => return Err(ended.err().context("the simulator's book ended")?),
            };
            if *scenario == Scenario::Saturation {
                self.peak = Some(row.confirmed_per_second);
            }
            self.connector.check()?;
            self.simulator.check()?;
            rows.push(row);
        }
        Ok(rows)
    }

    async fn one(&self, scenario: Scenario) -> anyhow::Result<Row> {
        match scenario {
            Scenario::Floor => self.floor().await,
            Scenario::Saturation => self.saturation().await,
            Scenario::Rate(rate) => self.open(scenario, rate).await,
            Scenario::Overload => {
                let peak = self.peak.context("overload without saturation before it")?;
                self.open(scenario, 2.0 * peak).await
            }
        }
    }

    async fn floor(&self) -> anyhow::Result<Row> {
        let Some(url) = self.stores.rabbit() else {
            bail!("no RabbitMQ to measure the floor of");
        };
        let floor = Floor::open(url, self.stores.name(), &gateways()).await?;
        let tally = Arc::new(Tally::default());
        let room = Arc::new(Semaphore::new(self.settings.room()));
        let load = floor.run(&tally, &room, self.until()?);
        let (measured, result) = self.window(load).await;
        result?;
        let row = self.row(Scenario::Floor, None, &measured, &tally);
        floor.close().await?;
        Ok(row)
    }

    async fn saturation(&self) -> anyhow::Result<Row> {
        self.room.forget_permits(Semaphore::MAX_PERMITS);
        self.room.add_permits(self.settings.room());
        let load = load::closed(
            &self.target,
            self.settings.submitters,
            &self.room,
            self.until()?,
        );
        let (measured, ()) = self.window(load).await;
        Ok(self.drained(Scenario::Saturation, None, &measured).await)
    }

    async fn open(&self, scenario: Scenario, rate: f64) -> anyhow::Result<Row> {
        let load = load::open(&self.target, rate, self.span(), self.settings.payments);
        let (measured, result) = self.window(load).await;
        result?;
        Ok(self.drained(scenario, Some(rate), &measured).await)
    }

    /// Warm-up and measured time of a load. It ends with the time, or where payments are counted, when the last of them is
    /// confirmed.
    async fn window<T>(&self, load: impl Future<Output = T>) -> (Measured, T) {
        let mut load = std::pin::pin!(load);
        let warm = tokio::select! {
            biased;
            // Without a warm-up the load begins in the window.
            () = sleep(self.settings.warm_up) => None,
            ended = &mut load => Some(ended),
        };
        self.parties.forget_peaks();
        let (from, reading) = (wall::micros(), self.parties.read());
        let ended = match (warm, self.settings.payments) {
            (Some(ended), _) => Some(ended),
            (None, Some(_)) => Some(load.as_mut().await),
            (None, None) => {
                let end = sleep(self.settings.seconds);
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
        if self.settings.payments.is_some() {
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

    async fn drained(&self, scenario: Scenario, offered: Option<f64>, measured: &Measured) -> Row {
        let drained = self.follower.drained().await;
        let mut row = self.row(scenario, offered, measured, &self.target.tally);
        row.drained = drained;
        row
    }

    fn row(
        &self,
        scenario: Scenario,
        offered: Option<f64>,
        measured: &Measured,
        tally: &Tally,
    ) -> Row {
        let counts = tally.count(measured.window);
        let (from, to) = (&measured.from, &measured.to);
        let cpu = self.parties.per_thousand(from, to, counts.confirmed);
        let mut row = Row::new(scenario.to_string(), offered, measured.window, counts);
        row.cpu_seconds_per_thousand = cpu;
        row.peak_mib.clone_from(&measured.peaks);
        row
    }

    fn until(&self) -> anyhow::Result<Until> {
        Until::new(self.span(), self.settings.payments)
    }

    fn span(&self) -> Duration {
        match self.settings.payments {
            // As long as they take: the processes' own time-outs end what does not go on.
            Some(_) => Duration::from_secs(24 * 60 * 60),
            None => self.settings.warm_up.saturating_add(self.settings.seconds),
        }
    }

    /// Compares everything that was ever sent with both books and with the connector's ledger.
    ///
    /// # Errors
    /// A book or the ledger cannot be read.
    pub(crate) async fn verify(&self) -> anyhow::Result<Verification> {
        let recorded: Vec<Recorded> = books::all(self.simulator_address, "cleeng").await?;
        let wanted = u64::try_from(recorded.len())?;
        let begun = Instant::now();
        // The answer of Cleeng is written down a moment after Cleeng has written.
        let delivered = loop {
            let delivered = self.stores.delivered().await?;
            if delivered >= wanted || begun.elapsed() > LEDGER_LAG {
                break delivered;
            }
            sleep(Duration::from_millis(200)).await;
        };
        let taken: Vec<Taken> =
            books::all(self.simulator_address, self.settings.gateway.name()).await?;
        let recorded: Vec<Recorded> = books::all(self.simulator_address, "cleeng").await?;
        let mut found = verify::verify(&self.target.tally.sent(), &taken, &recorded);
        found.compare_ledger(delivered);
        Ok(found)
    }
}

fn simulator_arguments(settings: &Settings, listen: SocketAddr) -> Vec<String> {
    let last = FIRST_ORDER.saturating_add(ORDERS);
    let pairs = [
        ("--listen", listen.to_string()),
        ("--standing-orders", format!("{FIRST_ORDER}-{last}")),
        ("--payment-method-id", settings.gateway.method().to_string()),
        ("--gateway-latency", settings.gateway_latency.clone()),
    ];
    let pairs = pairs
        .into_iter()
        .flat_map(|(name, value)| [name.to_owned(), value]);
    std::iter::once("simulator".to_owned())
        .chain(pairs)
        .collect()
}

/// What the connector needs to find the simulators; everything else is its default, or what the caller's environment says.
fn connector_variables(
    outside: SocketAddr,
    http: SocketAddr,
    ops: SocketAddr,
) -> Vec<(String, String)> {
    let stripe = Gateway::Stripe.method();
    let simulated = Gateway::Simulated.method();
    [
        ("HTTP__LISTEN", http.to_string()),
        ("OPS__LISTEN", ops.to_string()),
        ("CLEENG__BASE_URL", format!("http://{outside}/cleeng/3.1")),
        (
            "CLEENG__PUBLISHER_TOKEN",
            "simulated-publisher-token".to_owned(),
        ),
        ("CLEENG__PUBLISHER_ID", "558186818".to_owned()),
        (
            "GATEWAYS__STRIPE__BASE_URL",
            format!("http://{outside}/stripe"),
        ),
        (
            "GATEWAYS__STRIPE__SECRET_KEY",
            "sk_test_simulated".to_owned(),
        ),
        (
            "GATEWAYS__STRIPE__PUBLISHABLE_KEY",
            "pk_test_simulated".to_owned(),
        ),
        (
            "GATEWAYS__STRIPE__WEBHOOK_SECRET",
            "whsec_simulated".to_owned(),
        ),
        ("GATEWAYS__STRIPE__PAYMENT_METHOD_ID", stripe.to_string()),
        (
            "GATEWAYS__SIMULATED__BASE_URL",
            format!("http://{outside}/simulated"),
        ),
        (
            "GATEWAYS__SIMULATED__SECRET_KEY",
            "simulated-secret-key".to_owned(),
        ),
        (
            "GATEWAYS__SIMULATED__WEBHOOK_SECRET",
            "simulated-webhook-secret".to_owned(),
        ),
        (
            "GATEWAYS__SIMULATED__PAYMENT_METHOD_ID",
            simulated.to_string(),
        ),
    ]
    .into_iter()
    .map(|(name, value)| (format!("CONNECTOR_{name}"), value))
    .collect()
}
