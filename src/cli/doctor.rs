//! `doctor`: looks at everything that the connector needs, from the outside in, and says what to do. It changes nothing.

mod broker;
mod ledger;
mod line;
mod outside;

use std::time::Duration;

use anyhow::bail;
use clap::Args;
use serde_json::json;

use super::{Failure, answer};
use crate::config::Config;
use crate::http;
use line::{Grade, Line};

/// However slow the other side is, a check ends; no time-out of ours that it waits for is longer than a gateway's own.
const CHECK: Duration = Duration::from_secs(20);

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A wrong configuration is told whole, as `check-config` does: nothing else can be looked at then.
pub(super) fn doctor(loaded: Result<Config, Failure>, options: &Options) -> Result<(), Failure> {
    let config = match loaded {
        Ok(config) => config,
        Err(Failure::Configuration(faults)) => {
            if options.json {
                answer(&json!({ "ok": false, "faults": faults.as_json() }).to_string());
            }
            return Err(Failure::Configuration(faults));
        }
        Err(failed @ (Failure::Usage(_) | Failure::Failed(_))) => return Err(failed),
    };
    let lines = super::runtime()?.block_on(examine(&config))?;
    Ok(tell(&lines, options)?)
}

/// All at once: what one waits for does not hold up, or hide, the others.
async fn examine(config: &Config) -> anyhow::Result<Vec<Line>> {
    let client = http::client()?;
    let (broker, ledger, gateways, cleeng, process) = tokio::join!(
        within("broker", broker::check(config)),
        within("ledger", ledger::check(config)),
        outside::gateways(config, &client),
        within("Cleeng", outside::cleeng(config, &client)),
        within("running process", outside::process(config, &client)),
    );
    let mut lines = configuration(config);
    for part in [broker, ledger, gateways, cleeng, process] {
        lines.extend(part);
    }
    Ok(lines)
}

async fn within(what: &str, check: impl Future<Output = Vec<Line>>) -> Vec<Line> {
    tokio::time::timeout(CHECK, check)
        .await
        .unwrap_or_else(|_| {
            let detail = format!("no end within {} s", CHECK.as_secs());
            vec![Line::fault(
                what,
                detail,
                "is it overloaded, or lost on the way?",
            )]
        })
}

fn configuration(config: &Config) -> Vec<Line> {
    let mut lines = vec![Line::ok("configuration", "every key is usable")];
    let advice = config.advice().into_iter();
    lines.extend(
        advice.map(|advice| Line::warning("configuration", advice, "see config/default.toml")),
    );
    lines
}

fn tell(lines: &[Line], options: &Options) -> anyhow::Result<()> {
    let count = |grade: Grade| lines.iter().filter(|line| line.grade == grade).count();
    let (warnings, faults) = (count(Grade::Warning), count(Grade::Fault));
    if options.json {
        let all: Vec<_> = lines.iter().map(Line::document).collect();
        let document =
            json!({ "ok": faults == 0, "warnings": warnings, "faults": faults, "checks": all });
        answer(&document.to_string());
    } else {
        lines.iter().for_each(|line| answer(&line.to_string()));
    }
    if faults > 0 {
        bail!("{faults} faults, {warnings} warnings");
    }
    if !options.json {
        answer(&format!("no faults, {warnings} warnings"));
    }
    Ok(())
}
