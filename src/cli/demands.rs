//! `demands`: what Cleeng asked for with its webhooks, for an operator's eyes. It shows no token and no body.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;

use super::answer;
use super::ledger::with_ledger;
use crate::config::Config;
use crate::domain::demand::{Demand, DemandState};
use crate::domain::ids::GatewayName;
use crate::ledger::Ledger;
use crate::operator::document;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// The newest demands, and what became of them
    List(ListOptions),
}

#[derive(Debug, Args)]
pub(super) struct ListOptions {
    /// Only demands in this state
    #[arg(long, value_enum)]
    state: Option<State>,
    /// How many at most, 1 to 500
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=500))]
    limit: i64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum State {
    /// To be done, or being done
    Open,
    /// All that it asks for is done
    Done,
    /// Nothing is done about it by itself: an operator has to look
    Kept,
}

impl From<State> for DemandState {
    fn from(state: State) -> Self {
        match state {
            State::Open => DemandState::Open,
            State::Done => DemandState::Done,
            State::Kept => DemandState::Kept,
        }
    }
}

pub(super) fn demands(config: &Config, command: &Command) -> anyhow::Result<()> {
    let Command::List(options) = command;
    with_ledger(config, async |ledger| list(&ledger, options).await)
}

async fn list(ledger: &Ledger, options: &ListOptions) -> anyhow::Result<()> {
    let state = options.state.map(DemandState::from);
    let found = ledger.demands(state, options.limit).await?;
    if options.json {
        answer(
            &found
                .iter()
                .map(document::demand)
                .collect::<Value>()
                .to_string(),
        );
        return Ok(());
    }
    found.iter().for_each(|demand| answer(&line(demand)));
    answer(&format!("{} demands", found.len()));
    Ok(())
}

fn line(demand: &Demand) -> String {
    let gateway = demand.gateway.as_ref().map_or("-", GatewayName::as_str);
    let payment = demand.payment_id.map(|id| id.to_string());
    format!(
        "{}  {}  {:<15} {:<4}  {}  {gateway}  payment {}  updated {}",
        demand.received_at.rfc3339(),
        demand.id,
        demand.asked.label(),
        demand.state.label(),
        demand.outcome.as_deref().unwrap_or("-"),
        payment.as_deref().unwrap_or("-"),
        demand.updated_at.rfc3339(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::demand::{Asked, Released};
    use crate::domain::ids::{DemandId, PaymentDetailsId, PaymentId};
    use crate::domain::moment::Moment;
    use crate::domain::secret::Secret;
    use uuid::Uuid;

    #[test]
    fn a_demand_is_shown_without_its_token_and_its_body() {
        let secret = || Secret::new("canary".to_owned());
        let release = Asked::Release(Released {
            payment_details_id: PaymentDetailsId(8),
            customer_id: None,
            payment_method_id: None,
            token: Some(secret()),
        });
        let unknown = Asked::Unknown {
            topic: "canary".to_owned(),
            body: secret(),
        };
        for asked in [release, unknown] {
            let demand = Demand {
                id: DemandId(Uuid::from_u128(1)),
                gateway: Some("stripe".parse().unwrap()),
                asked,
                state: DemandState::Kept,
                outcome: Some("incomplete".to_owned()),
                payment_id: Some(PaymentId(Uuid::from_u128(2))),
                received_at: Moment(0),
                updated_at: Moment(60_000),
            };
            for shown in [line(&demand), document::demand(&demand).to_string()] {
                assert!(!shown.contains("canary"), "{shown}");
                for part in ["kept", "incomplete", "stripe", demand.asked.label()] {
                    assert!(shown.contains(part), "{part}: {shown}");
                }
            }
            let document = document::demand(&demand);
            assert_eq!(document["paymentId"], Uuid::from_u128(2).to_string());
            assert_eq!(document["updatedAt"], demand.updated_at.rfc3339());
        }
    }
}
