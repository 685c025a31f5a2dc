//! `payments`: what the ledger knows, for an operator's eyes.

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::json;

use super::ledger::with_ledger;
use super::{answer, resolve};
use crate::config::Config;
use crate::domain::ids::{OrderId, PaymentId};
use crate::domain::payment::{Known, Status};
use crate::domain::view::PaymentView;
use crate::ledger::{Ledger, PaymentFilter};
use crate::operator::document;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// The newest payments
    List(ListOptions),
    /// One payment with its attempts, confirmations and history
    Show(ShowOptions),
    /// Say what became of a payment that is in doubt or failed, after looking at the gateway's own pages
    Resolve(resolve::Options),
}

#[derive(Debug, Args)]
pub(super) struct ListOptions {
    /// Only payments with this status, such as in_doubt
    #[arg(long)]
    status: Option<String>,
    /// Only payments of this Cleeng order
    #[arg(long)]
    order: Option<u64>,
    /// Only the payment with this id at its gateway
    #[arg(long)]
    external_id: Option<String>,
    #[arg(long, default_value_t = 50)]
    limit: i64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ShowOptions {
    id: PaymentId,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn payments(config: &Config, command: &Command) -> anyhow::Result<()> {
    with_ledger(config, async |ledger| match command {
        Command::List(options) => list(&ledger, options).await,
        Command::Show(options) => show(&ledger, options).await,
        Command::Resolve(options) => resolve::resolve(config, &ledger, options).await,
    })
}

async fn list(ledger: &Ledger, options: &ListOptions) -> anyhow::Result<()> {
    let filter = PaymentFilter {
        status: options.status.as_deref().map(status).transpose()?,
        order_id: options
            .order
            .map(OrderId::try_from)
            .transpose()
            .context("--order")?,
        reference: options.external_id.clone(),
        limit: options.limit,
    };
    let found = ledger.list(&filter).await?;
    let views: Vec<PaymentView> = found.iter().map(PaymentView::of_known).collect();
    if options.json {
        answer(&document::shown(&json!(views)).to_string());
        return Ok(());
    }
    for (view, known) in views.iter().zip(&found) {
        let amount = view.amount.map_or("-".to_owned(), |money| {
            format!("{} {}", money.minor, money.currency)
        });
        let external = view
            .external_payment_id
            .as_ref()
            .map_or("-", |reference| reference.0.as_str());
        let order = view
            .order_id
            .map_or("-".to_owned(), |order| order.to_string());
        answer(&format!(
            "{}  {}  {:<15} order {}  {}  {amount}  {external}",
            view.created_at.rfc3339(),
            view.id,
            view.status.label(),
            order,
            view.gateway
        ));
        if let Some(evidence) = evidence(known) {
            answer(&evidence);
        }
    }
    answer(&format!("{} payments", views.len()));
    Ok(())
}

/// For a payment that needs an operator: what was asked last, what came of it, and the question that is left.
fn evidence(known: &Known) -> Option<String> {
    let payment = &known.payment;
    if !matches!(payment.status, Status::InDoubt | Status::Failed) {
        return None;
    }
    let question = match payment.reference() {
        Some(reference) => format!("what does the gateway say about {reference}?"),
        None => "has the gateway a payment for this key?".to_owned(),
    };
    let last = known.attempts.last().map(|attempt| {
        format!(
            "{} under key {} is {} (key alive until {})",
            attempt.request.stage.label(),
            attempt.id,
            document::state(attempt).0,
            attempt.key_expires_at.rfc3339()
        )
    });
    let last = last.unwrap_or_else(|| "no request was made".to_owned());
    Some(format!("    evidence: {last}; question: {question}"))
}

fn status(text: &str) -> anyhow::Result<Status> {
    let all = || Status::ALL.map(Status::label).join(", ");
    Status::from_label(text).with_context(|| format!("--status {text}: must be one of {}", all()))
}

async fn show(ledger: &Ledger, options: &ShowOptions) -> anyhow::Result<()> {
    let Some(known) = ledger.known(options.id).await? else {
        bail!("{}: the ledger has no such payment", options.id);
    };
    let history = ledger.history(options.id, 0).await?;
    let document = document::payment(&known, &history);
    answer(&if options.json {
        document.to_string()
    } else {
        format!("{document:#}")
    });
    Ok(())
}
