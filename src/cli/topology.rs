//! `topology`: what the broker must have, and whether it has it.

use anyhow::{Context, bail};
use clap::{Args, Subcommand};

use super::answer;
use crate::broker;
use crate::broker::topology::{Difference, Topology};
use crate::config::{BrokerUrl, Config};

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
    let gateways = config.gateway_names();
    if let BrokerUrl::Embedded = config.broker.url {
        bail!(
            "broker.url is \"embedded\": its queues are made with the ledger's file, there is nothing to declare"
        );
    }
    super::runtime()?.block_on(async {
        match command {
            Command::Print(output) => {
                print(&Topology::new(&config.broker.prefix, &gateways), output)
            }
            Command::Declare => {
                broker::declare(&config.broker, &gateways)
                    .await
                    .context("the topology could not be declared")?;
                answer("declared");
                Ok(())
            }
            Command::Diff(output) => {
                let found = broker::diff(&config.broker, &gateways).await;
                tell(&found.context("the broker could not be compared")?, output)
            }
        }
    })
}

fn print(wanted: &Topology, output: &Output) -> anyhow::Result<()> {
    if output.json {
        answer(&serde_json::to_string(wanted)?);
        return Ok(());
    }
    for exchange in &wanted.exchanges {
        answer(&format!(
            "exchange {}  {}",
            exchange.name,
            serde_json::to_string(&exchange.kind)?
        ));
    }
    for queue in &wanted.queues {
        answer(&format!(
            "queue {}  bound to {} by {:?}",
            queue.name, queue.exchange, queue.routing_key
        ));
        for (name, value) in &queue.arguments {
            answer(&format!("    {name} = {}", serde_json::to_string(value)?));
        }
    }
    Ok(())
}

fn tell(differences: &[Difference], output: &Output) -> anyhow::Result<()> {
    if output.json {
        answer(&serde_json::json!({ "differences": differences }).to_string());
    } else {
        differences
            .iter()
            .for_each(|difference| answer(&difference.to_string()));
    }
    if !differences.is_empty() {
        bail!(
            "{} differences; `topology declare` makes what is missing",
            differences.len()
        );
    }
    if !output.json {
        answer("the broker has everything, as it must be");
    }
    Ok(())
}
