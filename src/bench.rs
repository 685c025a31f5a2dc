//! The load test of the whole path: our own executable as connector and as outside, in processes of their own, under a load
//! that is counted to the last payment.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use url::Url;
use uuid::Uuid;

use report::{Circumstances, Report};
use rig::Rig;
use stores::Stores;

mod backlog;
mod batch;
mod books;
mod child;
mod floor;
mod growth;
mod line;
mod load;
mod measuring;
mod processes;
mod procfs;
mod quantiles;
mod renewals;
mod report;
mod rig;
mod scaling;
mod scenario;
mod stores;
mod table;
mod tally;
mod usage;
mod verify;
mod wall;

pub(crate) use report::Report as BenchReport;
pub(crate) use scenario::Scenario;
pub(crate) use stores::Profile;
pub(crate) use table::table;

/// For each submitter of the closed model, so many payments may be accepted and not yet confirmed: the queues are never
/// empty, and never grow.
const ROOM_PER_SUBMITTER: usize = 8;

/// What to measure, and on what.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) profile: Profile,
    pub(crate) broker_url: Option<Url>,
    pub(crate) database_url: Option<Url>,
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) gateway: Gateway,
    /// As the simulator takes it.
    pub(crate) gateway_latency: String,
    pub(crate) seconds: Duration,
    pub(crate) warm_up: Duration,
    /// Submitters of the closed model.
    pub(crate) submitters: usize,
    /// So many in each scenario, instead of a time.
    pub(crate) payments: Option<u64>,
}

/// Which of the simulated gateways charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Gateway {
    /// One request takes the money
    Simulated,
    /// Two requests: the payment object, then the money
    Stripe,
}

impl Gateway {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Gateway::Simulated => "simulated",
            Gateway::Stripe => "stripe",
        }
    }

    fn token(self) -> &'static str {
        match self {
            Gateway::Simulated => "tok_ok",
            Gateway::Stripe => "pm_card_visa",
        }
    }

    /// Cleeng's number of the payment method.
    fn method(self) -> u64 {
        match self {
            Gateway::Stripe => 100_000_001,
            Gateway::Simulated => 100_000_002,
        }
    }
}

impl Settings {
    fn room(&self) -> usize {
        self.submitters.saturating_mul(ROOM_PER_SUBMITTER)
    }
}

/// Runs everything and takes away what it made. The logs stay, in a folder that the error names, when something fails or the
/// books do not agree.
///
/// # Errors
/// It could not be measured.
pub(crate) async fn run(
    settings: &Settings,
    tell: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<Report> {
    let folder = std::env::temp_dir().join(format!(
        "cleeng-connector-bench-{}",
        Uuid::new_v4().simple()
    ));
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("{}: cannot make this folder", folder.display()))?;
    let kept = || format!("the logs are in {}", folder.display());
    let report = match with_stores(settings, &folder, tell).await {
        Ok(report) => report,
        // Nothing had been started yet: an empty folder helps nobody.
        Err(error) if std::fs::remove_dir(&folder).is_ok() => return Err(error),
        Err(error) => return Err(error.context(kept())),
    };
    if report.is_sound() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("{}: cannot remove this folder", folder.display()))?;
    } else {
        tell(&kept());
    }
    Ok(report)
}

async fn with_stores(
    settings: &Settings,
    folder: &Path,
    tell: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<Report> {
    let stores = Stores::make(
        settings.profile,
        settings.broker_url.as_ref(),
        settings.database_url.as_ref(),
        folder,
    )
    .await?;
    let signals = crate::supervise::signals().context("signals cannot be listened for")?;
    let mut signals = std::pin::pin!(signals);
    // Dropped when it is done or interrupted, and its processes with it: they hold what is removed next.
    let measured = tokio::select! {
        measured = measure(settings, &stores, folder, tell) => measured,
        _ = futures_util::StreamExt::next(&mut signals) => Err(anyhow::anyhow!("interrupted")),
    };
    let gateways = processes::gateways(settings);
    let removed = stores
        .remove(&gateways, &floor::queues(stores.name()))
        .await;
    let report = measured?;
    removed
        .with_context(|| format!("queues and database {} could not be removed", stores.name()))?;
    Ok(report)
}

async fn measure(
    settings: &Settings,
    stores: &Stores,
    folder: &Path,
    tell: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<Report> {
    let durability = stores.durability().await?;
    let mut rig = Rig::start(settings, stores, folder).await?;
    let circumstances = Circumstances {
        version: env!("CARGO_PKG_VERSION"),
        build: if cfg!(debug_assertions) {
            "debug"
        } else {
            "release"
        },
        profile: settings.profile.name(),
        gateway: settings.gateway.name(),
        gateway_latency: settings.gateway_latency.clone(),
        cores: std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        memory_mib: fact("/proc/meminfo", "MemTotal:", procfs::kib).map(|kib| kib / 1024),
        processor: fact("/proc/cpuinfo", "model name", |text| {
            Some(text.trim_start_matches([' ', '\t', ':']).to_owned())
        }),
        durability,
        warm_up_seconds: settings.warm_up.as_secs_f64(),
        seconds: settings.seconds.as_secs_f64(),
        submitters: settings.submitters,
        in_flight: settings.room(),
        start_up_seconds: rig.start_up.as_secs_f64(),
    };
    let scenarios = rig.run(tell).await?;
    let verification = rig.verify().await?;
    let mut report = Report {
        circumstances,
        scenarios,
        verification,
    };
    report.set_shares();
    Ok(report)
}

/// What the kernel's table says behind a name.
fn fact<T>(file: &str, name: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    let text = std::fs::read_to_string(PathBuf::from(file)).ok()?;
    text.lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(read)
}
