//! `payments resolve`: an operator's word about a payment that nothing else can settle.

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use tokio_util::sync::CancellationToken;

use super::answer;
use super::signature::Signature;
use crate::broker::{Outgoing, Queue};
use crate::config::Config;
use crate::domain::confirmation::Confirmation;
use crate::domain::ids::{GatewayRef, PaymentId};
use crate::domain::message::Envelope;
use crate::gateway::{self, Gateways};
use crate::http;
use crate::ledger::Ledger;
use crate::operator::desk::DeskPlan;
use crate::operator::resolve::{self, Word};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Verdict {
    /// The gateway's own pages show that the money was taken
    Captured,
    /// They show that no money was taken and none can be any more
    NotCharged,
}

impl From<Verdict> for resolve::Verdict {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Captured => resolve::Verdict::Captured,
            Verdict::NotCharged => resolve::Verdict::NotCharged,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Options {
    id: PaymentId,
    /// What you have seen at the gateway
    #[arg(long = "as", value_enum)]
    verdict: Verdict,
    /// How you know; kept in the payment's history and in the operator log
    #[arg(long, visible_alias = "because")]
    reason: String,
    #[command(flatten)]
    signature: Signature,
    /// The payment's id at the gateway, where the connector does not know it
    #[arg(long)]
    external_id: Option<String>,
    /// Do not ask the gateway whether it agrees
    #[arg(long)]
    unchecked: bool,
}

pub(super) async fn resolve(
    config: &Config,
    ledger: &Ledger,
    options: &Options,
) -> anyhow::Result<()> {
    if options.reason.trim().is_empty() {
        bail!("--reason: say how you know; it is kept in the payment's history");
    }
    let operator = options.signature.operator(Some(&options.reason))?;
    let word = Word {
        verdict: options.verdict.into(),
        reference: options.external_id.clone().map(GatewayRef),
        unchecked: options.unchecked,
    };
    let gateways = gateways(config)?;
    let resolved = resolve::resolve(ledger, &gateways, options.id, &word, &operator).await?;
    let cleeng = match &resolved.owed {
        Some(confirmation) => {
            queue(config, confirmation).await?;
            "Cleeng is told."
        }
        None => "Cleeng is not told: nothing happened at the gateway.",
    };
    let status = resolved.status.label();
    answer(&format!("{} is {status} now. {cleeng}", options.id));
    Ok(())
}

/// Has Cleeng told. Should it fail, replaying the payment's dead letter does the same.
async fn queue(config: &Config, confirmation: &Confirmation) -> anyhow::Result<()> {
    let message = Outgoing::new(
        Queue::Confirmations,
        &Envelope::of_confirmation(confirmation),
        None,
    );
    let context =
        "the payment is resolved, but Cleeng could not be told: replay the payment's dead letter";
    let mut broker = DeskPlan::of(config).letters().await.context(context)?;
    let put = broker.put(message).await.context(context);
    broker.close().await;
    put
}

fn gateways(config: &Config) -> anyhow::Result<Gateways> {
    gateway::from_config(
        &config.gateways,
        &http::client()?,
        &CancellationToken::new(),
    )
    .map_err(|(name, fault)| anyhow::Error::new(fault).context(format!("gateways.{name}")))
}
