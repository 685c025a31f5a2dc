//! The command line: what can be asked of the executable, and with which exit code it answers.

mod bench;
mod check;
mod dead_letters;
mod demands;
mod demo;
mod doctor;
mod ledger;
mod openapi;
mod operator_log;
mod pause;
mod payments;
mod reconcile;
mod resolve;
mod run;
mod signature;
mod simulate;
mod topology;
mod webhooks;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, Faults};

/// Configuration is wrong: nothing was opened (sysexits' EX_CONFIG).
const EXIT_CONFIGURATION: u8 = 78;
/// As clap answers what it finds by itself.
const EXIT_USAGE: u8 = 2;

/// Charges payments through your own gateway and registers every one of them at Cleeng.
#[derive(Debug, Parser)]
#[command(name = "cleeng-connector", version, about, after_help = AFTER_HELP)]
struct Arguments {
    /// A TOML file that overlays the defaults (config/default.toml documents every key). The environment overlays both:
    /// CONNECTOR_SECTION__KEY, and …_FILE to read a value from a file.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "Exit codes: 0 done, 1 failed, 2 usage, 78 configuration.";

#[derive(Debug, Subcommand)]
enum Command {
    /// All roles with embedded stores, a simulated gateway and a simulated Cleeng; prints the URL to open
    Demo(demo::Options),
    /// Run the connector
    Run(run::Options),
    /// Read and check the configuration; print every fault at once
    CheckConfig(check::Options),
    /// Look at everything that the connector needs, and say what to do; exit code 1 with a fault
    Doctor(doctor::Options),
    /// The queues that the broker must have
    #[command(subcommand)]
    Topology(topology::Command),
    /// Look at payments
    #[command(subcommand)]
    Payments(payments::Command),
    /// Look at dead letters, send them back to where they came from, or discard them
    #[command(subcommand)]
    DeadLetters(dead_letters::Command),
    /// Look at what Cleeng asked for with its webhooks
    #[command(subcommand)]
    Demands(demands::Command),
    /// Look at what operators did by hand, and why
    #[command(subcommand)]
    OperatorLog(operator_log::Command),
    /// Have Cleeng send its webhooks here, or see whether it does
    #[command(subcommand)]
    Webhooks(webhooks::Command),
    /// Hold gateways, ledger and Cleeng against each other; exit code 1 when they disagree
    Reconcile(reconcile::Options),
    /// Hold back a gateway's commands, or the confirmations, in every process
    Pause(pause::PauseOptions),
    /// End a pause
    Resume(pause::ResumeOptions),
    /// Print the OpenAPI document of the public API, as /openapi.json serves it
    Openapi,
    /// The simulated gateways and Cleeng as servers on loopback, with fault knobs
    Simulator(simulate::Options),
    /// Measure the whole path under load, with the simulators as its outside, and verify every payment in the end
    Bench(bench::Options),
}

/// Why a command did not do what it was asked.
enum Failure {
    Usage(String),
    Configuration(Faults),
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Failure::Failed(error)
    }
}

/// Reads the command line, does what it says, and tells the exit code.
pub(crate) fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match perform(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(mistake)) => {
            complain(&format!("error: {mistake}"));
            ExitCode::from(EXIT_USAGE)
        }
        Err(Failure::Configuration(faults)) => {
            complain(&faults.to_string());
            ExitCode::from(EXIT_CONFIGURATION)
        }
        Err(Failure::Failed(error)) => {
            complain(&format!("cleeng-connector: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn perform(arguments: Arguments) -> Result<(), Failure> {
    let file = arguments.config.as_deref();
    let load = || Config::load(file).map_err(Failure::Configuration);
    match arguments.command {
        Command::Demo(options) => Ok(demo::demo(&options)?),
        Command::Run(options) => run::run(load()?, &options),
        Command::CheckConfig(options) => check::check(load(), &options),
        Command::Doctor(options) => doctor::doctor(load(), &options),
        Command::Topology(command) => Ok(topology::topology(&load()?, &command)?),
        Command::Payments(command) => Ok(payments::payments(&load()?, &command)?),
        Command::DeadLetters(command) => Ok(dead_letters::dead_letters(&load()?, &command)?),
        Command::Demands(command) => Ok(demands::demands(&load()?, &command)?),
        Command::OperatorLog(command) => Ok(operator_log::operator_log(&load()?, &command)?),
        Command::Webhooks(command) => webhooks::webhooks(&load()?, &command),
        Command::Reconcile(options) => reconcile::reconcile(&load()?, &options),
        Command::Pause(options) => Ok(pause::pause(&load()?, &options)?),
        Command::Resume(options) => Ok(pause::resume(&load()?, &options)?),
        Command::Openapi => {
            openapi::openapi();
            Ok(())
        }
        Command::Simulator(options) => Ok(simulate::simulate(&options)?),
        Command::Bench(options) => Ok(bench::bench(&options)?),
    }
}

/// The runtime of every command.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?)
}

#[expect(
    clippy::print_stderr,
    reason = "the one place that tells a person what went wrong"
)]
fn complain(text: &str) {
    eprintln!("{text}");
}

#[expect(
    clippy::print_stdout,
    reason = "the one place that prints a command's answer"
)]
fn answer(text: &str) {
    println!("{text}");
}
