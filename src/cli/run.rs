//! `run`: the connector itself, with the roles that were asked for.

use std::collections::BTreeSet;

use anyhow::Context;
use clap::Args;
use tokio_util::sync::CancellationToken;

use super::Failure;
use crate::config::{Config, Role};
use crate::connector::{self, Plan};
use crate::domain::ids::GatewayName;
use crate::supervise::{self, Supervisor};
use crate::telemetry::logging;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// A role to run; repeat it for several. Default: all three
    #[arg(long, value_enum)]
    role: Vec<Role>,
    /// Take the commands of this gateway only; repeat it for several. Default: of all
    #[arg(long, value_name = "NAME")]
    gateway: Vec<GatewayName>,
}

pub(super) fn run(config: Config, options: &Options) -> Result<(), Failure> {
    let roles: BTreeSet<Role> = match options.role.as_slice() {
        [] => Role::ALL.into(),
        some => some.iter().copied().collect(),
    };
    let listed: Vec<Role> = roles.iter().copied().collect();
    crate::config::check_roles(&config, &listed).map_err(Failure::Configuration)?;
    let export = logging::init(&config.log, Some(&config.traces)).context("log.level, traces")?;
    let only: BTreeSet<GatewayName> = options.gateway.iter().cloned().collect();
    if let Some(unknown) = only
        .iter()
        .find(|name| !config.gateways.contains_key(*name))
    {
        return Err(anyhow::anyhow!("--gateway {unknown}: no such gateway is configured").into());
    }
    for advice in config.advice() {
        tracing::warn!(advice, "the configuration works and may surprise");
    }
    let grace = config.shutdown.grace;
    super::runtime()?.block_on(async {
        let stop = CancellationToken::new();
        let mut supervisor = Supervisor::new(stop.clone());
        let signals = supervise::signals().context("signals cannot be listened for")?;
        connector::start(
            Plan {
                config,
                roles,
                only,
                extra: None,
                export,
            },
            &mut supervisor,
            &stop,
        )
        .await?;
        supervisor.run(signals, grace).await?;
        Ok::<(), anyhow::Error>(())
    })?;
    Ok(())
}
