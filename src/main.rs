//! The executable: everything is behind the command line.

mod bench;
mod broker;
mod callers;
mod cleeng;
mod cli;
mod clock;
mod config;
mod connector;
mod console;
mod demo;
mod domain;
mod gateway;
mod http;
mod ledger;
mod operator;
mod reconcile;
mod roles;
mod simulator;
mod supervise;
mod telemetry;
mod tls;

/// Many small values are made and dropped for each payment, on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::main()
}
