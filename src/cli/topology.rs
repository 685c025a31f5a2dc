//! `topology`: what the broker must have, and whether it has it.

use anyhow::{Context, bail};
use clap::{Args, Subcommand};

use super::answer;
use crate::broker::topology::Topology;
use crate::broker::{self};
use crate::config::{BrokerUrl, Config};
use crate::domain::ids::GatewayName;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print exchanges, queues, bindings and arguments
    Print(Output),
    /// Declare what is missing
    Declare,
    /// Compare the broker with what it must have; exit code 1 when they differ
    Diff(Output),
}

#[derive(Debug, Args)]
pub(super) struct Output {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn topology(config: &Config, command: &Command) -> anyhow::Result<()> {
    let gateways: Vec<GatewayName> = config.gateways.keys().cloned().collect();
    let wanted = Topology::new(&config.broker.prefix, &gateways);
    let BrokerUrl::Amqp(url) = &config.broker.url else {
        bail!("broker.url is \"embedded\": its queues are made with the ledger's file, there is nothing to declare");
    };
    super::runtime()?.block_on(async {
        match command {
            Command::Print(output) => print(&wanted, output),
            Command::Declare => {
                broker::declare(url, &wanted).await.context("the topology could not be declared")?;
                answer("declared");
            }
            Command::Diff(output) => {
                let differences = broker::diff(url, &wanted).await.context("the broker could not be compared")?;
                if output.json {
                    answer(&serde_json::json!({ "differences": differences }).to_string());
                } else {
                    differences.iter().for_each(|line| answer(line));
                }
                if !differences.is_empty() {
                    bail!("{} differences; `topology declare` makes what is missing", differences.len());
                }
                if !output.json {
                    answer("the broker has everything, as it must be");
                }
            }
        }
        Ok(())
    })
}

fn print(wanted: &Topology, output: &Output) {
    answer(&if output.json { wanted.as_json().to_string() } else { wanted.as_table() });
}
