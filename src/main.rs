//! The executable: reads the command line and hands over to the command.

mod broker;
mod cleeng;
mod clock;
mod config;
mod domain;
mod gateway;
mod http;
mod ledger;
mod simulator;

fn main() {}
