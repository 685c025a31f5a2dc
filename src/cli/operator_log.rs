//! `operator-log`: who did what by hand, when and why.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::answer;
use super::ledger::with_ledger;
use crate::config::Config;
use crate::domain::deed::Deed;
use crate::domain::ids::PaymentId;
use crate::ledger::Ledger;
use crate::operator::document;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// The newest entries
    List(ListOptions),
}

#[derive(Debug, Args)]
pub(super) struct ListOptions {
    /// Only what was done about this payment, in its order
    #[arg(long, value_name = "ID")]
    payment: Option<PaymentId>,
    /// How many at most, 1 to 500
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=500))]
    limit: i64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn operator_log(config: &Config, command: &Command) -> anyhow::Result<()> {
    let Command::List(options) = command;
    with_ledger(config, async |ledger| list(&ledger, options).await)
}

async fn list(ledger: &Ledger, options: &ListOptions) -> anyhow::Result<()> {
    let found = match options.payment {
        Some(payment) => {
            let mut about = ledger.deeds_about(payment).await?;
            about.truncate(usize::try_from(options.limit)?);
            about
        }
        None => ledger.deeds(None, options.limit).await?,
    };
    if options.json {
        let listed: Value = found.iter().map(document::deed).collect();
        answer(&listed.to_string());
        return Ok(());
    }
    found.iter().for_each(|deed| answer(&line(deed)));
    answer(&format!("{} entries", found.len()));
    Ok(())
}

fn line(deed: &Deed) -> String {
    let operator = &deed.operator;
    let payment = deed.payment.map(|id| format!("  payment {id}"));
    format!(
        "{}  {:<8} {}{}  by {} ({}): {}",
        deed.at.rfc3339(),
        deed.kind.label(),
        deed.subject,
        payment.as_deref().unwrap_or_default(),
        operator.by(),
        operator.via().label(),
        operator.because(),
    )
}
