//! `pause` and `resume`: hold back a gateway's commands, or the confirmations, in every process; the queue keeps them.

use anyhow::{Context, bail};
use clap::Args;
use serde_json::Value;

use super::answer;
use super::ledger::with_ledger;
use super::signature::Signature;
use crate::config::Config;
use crate::domain::ids::GatewayName;
use crate::domain::pause::Side;
use crate::ledger::Ledger;
use crate::operator::{document, pausing};

/// A reason is a line, not a report.
const LONGEST_REASON: usize = 300;

#[derive(Debug, Args)]
pub(super) struct PauseOptions {
    #[command(flatten)]
    what: ToPause,
    /// Why, for those who find it paused; it is logged and listed. Default: "no reason given"
    #[arg(long, value_name = "TEXT", value_parser = reason, conflicts_with = "list")]
    because: Option<String>,
    #[command(flatten)]
    signature: Signature,
    /// Print everything that is paused now as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ResumeOptions {
    #[command(flatten)]
    what: ToResume,
    /// Why; kept in the operator log. Default: "no reason given"
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    because: Option<String>,
    #[command(flatten)]
    signature: Signature,
    /// Print everything that is still paused as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct ToPause {
    /// The commands for this gateway; its events are taken on
    #[arg(long, value_name = "GATEWAY")]
    gateway: Option<GatewayName>,
    /// What Cleeng has to be told
    #[arg(long)]
    confirmations: bool,
    /// Nothing: only show what is paused, since when and why
    #[arg(long)]
    list: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct ToResume {
    /// The commands for this gateway
    #[arg(long, value_name = "GATEWAY")]
    gateway: Option<GatewayName>,
    /// What Cleeng has to be told
    #[arg(long)]
    confirmations: bool,
}

pub(super) fn pause(config: &Config, options: &PauseOptions) -> anyhow::Result<()> {
    let side = side(options.what.gateway.as_ref(), options.what.confirmations);
    if let Some(Side::Gateway(name)) = &side
        && !config.gateways.contains_key(name)
    {
        bail!("--gateway {name}: no such gateway is configured");
    }
    let because = options.because.as_deref();
    let operator = options.signature.operator(because)?;
    with_ledger(config, async |ledger| {
        if let Some(side) = &side {
            let done = pausing::pause(&ledger, side, because, &operator).await?;
            tell(options.json, &paused(side, done.anew));
        }
        list(&ledger, options.json, options.what.list).await
    })
}

pub(super) fn resume(config: &Config, options: &ResumeOptions) -> anyhow::Result<()> {
    // A gateway that is no longer configured may still be paused.
    let side = side(options.what.gateway.as_ref(), options.what.confirmations)
        .context("nothing to resume")?;
    let operator = options.signature.operator(options.because.as_deref())?;
    with_ledger(config, async |ledger| {
        let ended = pausing::resume(&ledger, &side, &operator).await?;
        let told = if ended {
            format!("{side}: resumed; every process takes it up within 5 seconds")
        } else {
            format!("{side}: was not paused")
        };
        tell(options.json, &told);
        list(&ledger, options.json, false).await
    })
}

fn side(gateway: Option<&GatewayName>, confirmations: bool) -> Option<Side> {
    match (gateway, confirmations) {
        (Some(name), _) => Some(Side::Gateway(name.clone())),
        (None, true) => Some(Side::Confirmations),
        (None, false) => None,
    }
}

async fn list(ledger: &Ledger, as_json: bool, as_text: bool) -> anyhow::Result<()> {
    if !as_json && !as_text {
        return Ok(());
    }
    let pauses = ledger.pauses().await?;
    if as_json {
        answer(&Value::Array(pauses.iter().map(document::pause).collect()).to_string());
        return Ok(());
    }
    for pause in &pauses {
        let because = pause.because.as_deref().unwrap_or("-");
        let (since, side) = (pause.since.rfc3339(), &pause.side);
        answer(&format!("{since}  {side}  {because}"));
    }
    answer(&format!("{} paused", pauses.len()));
    Ok(())
}

fn paused(side: &Side, anew: bool) -> String {
    if anew {
        format!("{side}: paused; every process obeys within 5 seconds, what is in hand is finished")
    } else {
        format!("{side}: was paused before, and stays so")
    }
}

fn tell(as_json: bool, text: &str) {
    if !as_json {
        answer(text);
    }
}

fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST_REASON || text.contains(char::is_control) {
        return Err(format!("one line of 1 to {LONGEST_REASON} characters"));
    }
    Ok(text.to_owned())
}
