//! `reconcile`: gateways, ledger and Cleeng held against each other, and with `--repair` what is owed put on its way.

mod repair;
mod since;

use anyhow::{Context, bail};
use async_trait::async_trait;
use clap::Args;
use serde_json::{Value, json};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

use super::{Failure, answer, complain};
use crate::cleeng::Cleeng;
use crate::clock;
use crate::config::{Config, span};
use crate::domain::ids::GatewayName;
use crate::gateway::{self, Gateways};
use crate::http;
use crate::ledger::Ledger;
use crate::reconcile::{Books, Finding, Listener, Scope, Tally, reconcile as compare};
use crate::telemetry::logging;
use repair::{Fate, Mender};
use since::Since;

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// A name or a reason is a line, not a report.
const LONGEST_LINE: usize = 300;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// What was accepted, or made at the gateway, since then: a time such as 2026-11-24T00:00:00Z, or a span back from now such as
    /// 24h. What has not settled is compared whatever its age
    #[arg(long, value_name = "TIME", value_parser = since::read)]
    since: Since,
    /// Only this gateway
    #[arg(long, value_name = "NAME")]
    gateway: Option<GatewayName>,
    /// A payment that changed within this time is under way, and no difference counts
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = span)]
    patience: Duration,
    /// Reads a second, beside the limits of each gateway and of Cleeng; 0 for no more than those
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    rate: u32,
    /// Queue what is owed: the reading of what the gateway has and the ledger does not know, and news for Cleeng. No money is moved
    #[arg(long, requires = "by", requires = "reason")]
    repair: bool,
    /// Who has it repaired; kept in the payment's history
    #[arg(long, value_name = "NAME", value_parser = line, requires = "repair")]
    by: Option<String>,
    /// Why; kept in the payment's history
    #[arg(long, value_name = "TEXT", value_parser = line, requires = "repair")]
    reason: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Hears of each disagreement: repairs it where that is asked for, and keeps what is to be printed.
struct Desk<'a> {
    mender: Option<Mender<'a>>,
    as_json: bool,
    /// Those that are said to be repaired, and those that a repair failed for.
    repaired: u64,
    failed: u64,
    told_at: tokio::time::Instant,
}

pub(super) fn reconcile(config: &Config, options: &Options) -> Result<(), Failure> {
    if let Some(name) = &options.gateway
        && !config.gateways.contains_key(name)
    {
        let mistake = format!("--gateway {name}: no such gateway is configured");
        return Err(Failure::Usage(mistake));
    }
    logging::init(&config.log, None).context("log.level")?;
    Ok(super::runtime()?.block_on(run(config, options))?)
}

async fn run(config: &Config, options: &Options) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let client = http::client()?;
    let gateways = gateway::from_config(&config.gateways, &client, &stop)
        .map_err(|(name, fault)| anyhow::Error::new(fault).context(format!("gateways.{name}")))?;
    let cleeng = Cleeng::new(&config.cleeng, client, &stop).context("cleeng.publisher_token")?;
    let ledger = super::ledger::open(config).await?;
    let done = compared(config, options, &ledger, &gateways, &cleeng).await;
    ledger.close().await;
    done
}

async fn compared(
    config: &Config,
    options: &Options,
    ledger: &Ledger,
    gateways: &Gateways,
    cleeng: &Cleeng,
) -> anyhow::Result<()> {
    let since = options.since.moment(clock::now());
    let mut desk = Desk {
        mender: match (&options.by, &options.reason) {
            (Some(by), Some(reason)) => Some(Mender::open(config, ledger, by, reason).await?),
            (_, _) => None,
        },
        as_json: options.json,
        repaired: 0,
        failed: 0,
        told_at: tokio::time::Instant::now(),
    };
    let scope = Scope {
        since,
        only: options.gateway.clone(),
        patience: options.patience,
        rate: options.rate,
    };
    let books = Books {
        ledger,
        gateways,
        cleeng,
    };
    let tally = compare(books, scope, &mut desk).await;
    if let Some(mender) = &mut desk.mender {
        mender.close().await;
    }
    desk.close(&tally?, &since.rfc3339())
}

#[async_trait]
impl Listener for Desk<'_> {
    async fn found(&mut self, finding: &Finding) -> anyhow::Result<()> {
        let fate = match &mut self.mender {
            Some(mender) => Some(mender.mend(finding).await?),
            None => None,
        };
        match fate {
            Some(Fate::Queued(_)) => self.repaired = self.repaired.saturating_add(1),
            Some(Fate::Failed(_)) => self.failed = self.failed.saturating_add(1),
            Some(Fate::Left(_)) | None => {}
        }
        if self.as_json {
            let mut line = finding.document();
            if let (Value::Object(fields), Some(fate)) = (&mut line, &fate) {
                fields.insert("repair".to_owned(), fate.document());
            }
            // Read by a machine, a document at a time.
            answer(&line.to_string());
            return Ok(());
        }
        answer(&finding.line());
        if let Some(fate) = fate {
            answer(&format!("    repair: {fate}"));
        }
        Ok(())
    }

    async fn progressed(&mut self, tally: &Tally) -> anyhow::Result<()> {
        if self.told_at.elapsed() >= TELL_EVERY {
            self.told_at = tokio::time::Instant::now();
            complain(&format!("so far: {}", tally.line()));
        }
        Ok(())
    }
}

impl Desk<'_> {
    fn close(self, tally: &Tally, since: &str) -> anyhow::Result<()> {
        if self.as_json {
            let mut summary = tally.document();
            if let Value::Object(fields) = &mut summary {
                fields.insert("since".to_owned(), json!(since));
                fields.insert("repaired".to_owned(), json!(self.repaired));
                fields.insert("repairsFailed".to_owned(), json!(self.failed));
            }
            answer(&json!({ "summary": summary }).to_string());
        } else {
            answer(&format!("since {since}: {}", tally.line()));
            for left_out in &tally.not_compared {
                answer(&format!("not compared: {left_out}"));
            }
            if self.mender.is_some() {
                answer(&format!(
                    "{} repairs queued, {} failed",
                    self.repaired, self.failed
                ));
            }
        }
        if !tally.is_clean() {
            bail!(
                "{} disagreements, {} not compared",
                tally.disagreements(),
                tally.not_compared.len()
            );
        }
        Ok(())
    }
}

fn line(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST_LINE || text.contains(char::is_control) {
        return Err(format!("one line of 1 to {LONGEST_LINE} characters"));
    }
    Ok(text.to_owned())
}
