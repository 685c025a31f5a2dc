//! `bench`: the load test of the whole path, as a table or as JSON.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::{Args, ValueEnum};
use url::Url;

use super::{answer, complain};
use crate::bench::{self, BenchReport, Gateway, Profile, Scenario, Settings};
use crate::config::span;

/// As payment gateways are: median and 99th percentile.
const REALISTIC: &str = "120ms/380ms";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Options {
    /// The stores to measure on
    #[arg(long, value_enum, default_value = "embedded")]
    profile: Profile,
    /// RabbitMQ, for the profiles that have one: amqp://user:password@host:5672/%2f
    #[arg(long, value_name = "URL")]
    broker_url: Option<Url>,
    /// A PostgreSQL database from which the run's own database can be made: postgres://user:password@host:5432/database
    #[arg(long, value_name = "URL")]
    database_url: Option<Url>,
    /// What to measure, in this order; repeat it for several: floor (the same two hops with bare lapin), saturation (as much
    /// as goes through), RATE/s (a fixed rate of arrivals, such as 50/s), overload (twice what saturation showed), backlog (one
    /// process for each role; 100,000 payments, or --payments, wait before the next role begins), growth (saturation with
    /// 10,000 to 1,000,000 payments in the ledger, or up to --payments), renewals (20 payments a second, idle and while a batch of
    /// 10,000 renewals, or --payments, goes through), scaling (saturation with 1, 2 and 4 worker processes). Default: floor
    /// where there is a RabbitMQ, saturation, 50/s, 500/s, overload
    #[arg(long = "scenario", value_name = "NAME")]
    scenarios: Vec<Scenario>,
    /// The gateway that charges
    #[arg(long, value_enum, default_value = "simulated")]
    gateway: Gateway,
    /// How long the gateway takes over each call
    #[arg(long, value_enum, default_value = "none")]
    gateway_latency: GatewayLatency,
    /// How long each scenario is measured
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// How long each scenario runs before it is measured
    #[arg(long, default_value_t = 5)]
    warm_up: u64,
    /// Clients that send at once in the closed model (floor, saturation); eight times as many payments may be accepted and not
    /// yet confirmed
    #[arg(long, default_value_t = 64, value_name = "N")]
    in_flight: usize,
    /// Measure so many payments in each scenario, without a warm-up, instead of a time
    #[arg(long, value_name = "N", conflicts_with = "warm_up")]
    payments: Option<u64>,
    /// Write everything as JSON to this file, or instead of the table to the standard output (-)
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

const HELP: &str = "\
The connector and the simulators are processes of this executable, with settings of their own; CONNECTOR_… variables of the
caller apply to them where the bench sets none. It makes queues and a database with random names and removes them in the end.
Exit code 0 only when every accepted payment and every renewal was charged and recorded once and nothing else was.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum GatewayLatency {
    /// It answers at once
    None,
    /// Log-normal, median 120 ms, 99th percentile 380 ms
    Realistic,
}

pub(super) fn bench(options: &Options) -> anyhow::Result<()> {
    let settings = settings(options)?;
    let report = super::runtime()?.block_on(bench::run(&settings, &complain))?;
    tell(options, &report)?;
    match report.verification.violations {
        0 => Ok(()),
        violations => Err(anyhow!(
            "{violations} violations: the books do not agree with what was accepted"
        )),
    }
}

fn settings(options: &Options) -> anyhow::Result<Settings> {
    let scenarios = match options.scenarios.as_slice() {
        [] => Scenario::usual(options.profile),
        some => some.to_vec(),
    };
    Scenario::check(&scenarios, options.profile).map_err(|why| anyhow!("--scenario: {why}"))?;
    if options.in_flight == 0 || options.in_flight > 512 {
        bail!("--in-flight: 1 to 512");
    }
    let latency = match options.gateway_latency {
        GatewayLatency::None => "none",
        GatewayLatency::Realistic => REALISTIC,
    };
    let seconds = |seconds: u64| span(&format!("{seconds}s")).map_err(|why| anyhow!("{why}"));
    let warm_up = match options.payments {
        Some(_) => Duration::ZERO,
        None => seconds(options.warm_up)?,
    };
    Ok(Settings {
        profile: options.profile,
        broker_url: options.broker_url.clone(),
        database_url: options.database_url.clone(),
        scenarios,
        gateway: options.gateway,
        gateway_latency: latency.to_owned(),
        seconds: seconds(options.seconds)?,
        warm_up,
        submitters: options.in_flight,
        payments: options.payments,
    })
}

fn tell(options: &Options, report: &BenchReport) -> anyhow::Result<()> {
    let Some(file) = &options.json else {
        answer(&bench::table(report));
        return Ok(());
    };
    let text = serde_json::to_string_pretty(report)?;
    if file.as_os_str() == "-" {
        answer(&text);
        return Ok(());
    }
    answer(&bench::table(report));
    std::fs::write(file, format!("{text}\n")).with_context(|| format!("--json {}", file.display()))
}
