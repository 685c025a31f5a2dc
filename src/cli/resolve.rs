//! `payments resolve`: an operator's word about a payment that nothing else can settle.

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::answer;
use crate::broker::{DeadLetters, Outgoing, Queue};
use crate::clock;
use crate::config::Config;
use crate::domain::attempt::AttemptState;
use crate::domain::confirmation::{Confirmation, ConfirmationId};
use crate::domain::ids::{GatewayRef, PaymentId};
use crate::domain::message::Envelope;
use crate::domain::outcome::Outcome;
use crate::domain::payment::{self, Known, Resolution};
use crate::gateway;
use crate::http;
use crate::ledger::{Change, Committed, Ledger};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Verdict {
    /// The gateway's own pages show that the money was taken
    Captured,
    /// They show that no money was taken and none can be any more
    NotCharged,
}

#[derive(Debug, Args)]
pub(super) struct Options {
    id: PaymentId,
    /// What you have seen at the gateway
    #[arg(long = "as", value_enum)]
    verdict: Verdict,
    /// How you know; kept in the payment's history
    #[arg(long)]
    reason: String,
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
    for _ in 0..5 {
        let Some(known) = ledger.known(options.id).await? else {
            bail!("{}: the ledger has no such payment", options.id);
        };
        let resolution = resolution(config, &known, options).await?;
        let change = change(&known, &resolution, options)?;
        if let Committed::Version(_) = ledger.commit(&change).await? {
            let status = change.payment.status.label();
            let cleeng = match change.confirmations.first() {
                Some(confirmation) => {
                    queue(config, confirmation).await?;
                    "Cleeng is told."
                }
                None => "Cleeng is not told: nothing happened at the gateway.",
            };
            answer(&format!("{} is {status} now. {cleeng}", options.id));
            return Ok(());
        }
    }
    bail!(
        "{}: the payment changes all the time; try again",
        options.id
    )
}

/// Has Cleeng told. Should it fail, replaying the payment's dead letter does the same.
async fn queue(config: &Config, confirmation: &Confirmation) -> anyhow::Result<()> {
    let gateways = config.gateway_names();
    let message = Outgoing::new(
        Queue::Confirmations,
        &Envelope::of_confirmation(confirmation),
        None,
    );
    let context =
        "the payment is resolved, but Cleeng could not be told: replay the payment's dead letter";
    let mut broker = DeadLetters::open(&config.broker, &config.ledger.url, &gateways)
        .await
        .context(context)?;
    let put = broker.put(message).await.context(context);
    broker.close().await;
    put
}

fn change(known: &Known, resolution: &Resolution, options: &Options) -> anyhow::Result<Change> {
    let now = clock::now();
    let (payment, report) = payment::resolve(&known.payment, resolution, now)?;
    let mut after = known.clone();
    after.payment = payment;
    for attempt in &mut after.attempts {
        if attempt.state.is_open() {
            attempt.state = match resolution {
                Resolution::Captured { .. } => AttemptState::Answered,
                Resolution::NotCharged => AttemptState::Void,
            };
        }
    }
    if let Some(report) = report {
        let id = ConfirmationId(Uuid::now_v7());
        let owed = Confirmation::next(&known.confirmations, id, after.payment.id, report, now);
        after.confirmations.push(owed);
    }
    let reason = Some(options.reason.clone());
    Ok(Change::between(known, &after, "resolved", reason))
}

/// The operator's word, held against what the gateway says where it can be read.
async fn resolution(
    config: &Config,
    known: &Known,
    options: &Options,
) -> anyhow::Result<Resolution> {
    let given = options.external_id.clone().map(GatewayRef);
    let reference = match (given, known.payment.reference().cloned()) {
        (Some(given), Some(own)) if given != own => {
            bail!("--external-id {given}: the payment is known as {own} at its gateway")
        }
        (given, own) => own.or(given),
    };
    let seen = match &reference {
        Some(reference) if !options.unchecked => Some(look_up(config, known, reference).await?),
        Some(_) | None => None,
    };
    match (options.verdict, reference, seen) {
        (Verdict::Captured, None, _) => {
            bail!("--external-id: say the payment's id at the gateway; Cleeng needs it for refunds")
        }
        (
            Verdict::Captured,
            Some(_),
            Some(Outcome::Captured {
                reference,
                amount,
                stored,
            }),
        ) => {
            let asked = known.payment.order.as_ref().map(|order| order.amount);
            if asked != Some(amount) {
                bail!(
                    "the gateway took {} {}, which is not the order's amount",
                    amount.minor,
                    amount.currency
                );
            }
            Ok(Resolution::Captured { reference, stored })
        }
        (
            Verdict::NotCharged,
            _,
            Some(outcome @ (Outcome::Captured { .. } | Outcome::Authorized { .. })),
        )
        | (Verdict::Captured, _, Some(outcome)) => {
            bail!(
                "the gateway says that the payment is {}; --unchecked takes your word all the same",
                outcome.label()
            )
        }
        (Verdict::Captured, Some(reference), None) => Ok(Resolution::Captured {
            reference,
            stored: None,
        }),
        (Verdict::NotCharged, _, _) => Ok(Resolution::NotCharged),
    }
}

async fn look_up(
    config: &Config,
    known: &Known,
    reference: &GatewayRef,
) -> anyhow::Result<Outcome> {
    let name = &known.payment.gateway;
    let gateways = gateway::from_config(
        &config.gateways,
        &http::client()?,
        &CancellationToken::new(),
    )
    .map_err(|(name, fault)| anyhow::Error::new(fault).context(format!("gateways.{name}")))?;
    let gateway = gateways
        .get(name)
        .with_context(|| format!("no gateway {name} is configured here"))?;
    let seen = gateway.look_up(reference).await;
    seen.with_context(|| {
        format!("{reference}: the gateway cannot be read; --unchecked takes your word for it")
    })
}
