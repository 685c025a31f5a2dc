//! Keeping a demand: written down, put into its gateway's billing queue, and what a repetition of it means.

use super::super::accept::ledger_away;
use super::super::problem::Problem;
use super::Ingest;
use super::fields::Lacking;
use super::whose::Whose;
use super::wire::{Letter, Unread};
use crate::broker::{Lane, Outgoing, Queue};
use crate::clock;
use crate::domain::demand::{Asked, Demand, DemandState};
use crate::domain::ids::GatewayName;
use crate::domain::message::{Body, Envelope};
use crate::telemetry::labels::{DemandKind, DemandResult};

/// No more of a topic's name is told.
const TOPIC_CHARACTERS: usize = 64;

/// What is to be done with a demand that the ledger has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// Into this gateway's queue.
    Queue(GatewayName, DemandResult),
    /// It was done, or nobody could do it: do it now.
    Reopen(GatewayName),
    /// Nothing more.
    Leave(DemandResult),
}

impl Ingest {
    /// Only when this is `Ok` may Cleeng be told 200.
    ///
    /// # Errors
    /// `Unavailable` when the ledger or the broker is away. Cleeng sends again, and what was written is found then.
    pub(super) async fn keep_demand(&self, letter: Letter) -> Result<(), Problem> {
        let whose = match letter.unread {
            None => Some(
                self.whose(&letter)
                    .await
                    .map_err(|cause| ledger_away(&cause))?,
            ),
            Some(_) => None,
        };
        let (demand, kept) = demand(&letter, whose);
        let known = self
            .ledger
            .take_demand(&demand)
            .await
            .map_err(|cause| ledger_away(&cause))?;
        let result = match next(&demand, kept, known.as_ref()) {
            Step::Queue(gateway, result) => {
                self.queue_demand(&demand, gateway).await?;
                result
            }
            Step::Reopen(gateway) => {
                // Open meanwhile: then another request has done the same.
                self.ledger
                    .reopen_demand(&demand)
                    .await
                    .map_err(|cause| ledger_away(&cause))?;
                self.queue_demand(&demand, gateway).await?;
                DemandResult::Repeated
            }
            Step::Leave(result) => result,
        };
        let detail = detail(&letter);
        let kind = DemandKind::of(&letter.asked);
        self.metrics
            .demand(kind, result, Some(demand.id), detail.as_deref());
        Ok(())
    }

    async fn queue_demand(&self, demand: &Demand, gateway: GatewayName) -> Result<(), Problem> {
        let body = Body::Demand {
            demand_id: demand.id,
        };
        let envelope = Envelope::new(demand.id.0, demand.received_at, None, body);
        let lane = Lane::Billing;
        let message = Outgoing::new(Queue::Commands { gateway, lane }, &envelope, None);
        // Its cause is told by the broker's own log.
        let published = self.publisher.publish(message).await;
        published.map_err(|_| Problem::Unavailable("The broker cannot take messages now"))
    }
}

/// The demand as it is to be written, and why it is only kept.
fn demand(letter: &Letter, whose: Option<Whose>) -> (Demand, Option<DemandResult>) {
    let (gateway, kept) = match (&letter.unread, whose) {
        (Some(Unread::OtherTopic), _) => (None, Some(DemandResult::OtherTopic)),
        (Some(Unread::Lacking(_)), _) => (None, Some(DemandResult::Incomplete)),
        (None, Some(Whose::Ours(gateway))) => (Some(gateway), None),
        (None, Some(Whose::Foreign)) => (None, Some(DemandResult::Foreign)),
        (None, Some(Whose::Nobodys) | None) => (None, Some(DemandResult::NoGateway)),
    };
    let now = clock::now();
    let demand = Demand {
        id: letter.id,
        gateway,
        asked: letter.asked.clone(),
        state: match kept {
            None => DemandState::Open,
            Some(_) => DemandState::Kept,
        },
        outcome: kept.map(|why| why.label().to_owned()),
        payment_id: None,
        received_at: now,
        updated_at: now,
    };
    (demand, kept)
}

/// Pure. `kept`: why nothing is done about it by itself.
fn next(new: &Demand, kept: Option<DemandResult>, known: Option<&Demand>) -> Step {
    let Some(known) = known else {
        return match (kept, &new.gateway) {
            (None, Some(gateway)) => Step::Queue(gateway.clone(), DemandResult::Taken),
            (Some(kept), _) => Step::Leave(kept),
            (None, None) => Step::Leave(DemandResult::NoGateway),
        };
    };
    let nothing = Step::Leave(DemandResult::Repeated);
    match (known.state, &known.gateway, &new.gateway) {
        // Its message may never have got into the queue; a worker looks before it does anything.
        (DemandState::Open, Some(gateway), _) | (DemandState::Open, None, Some(gateway)) => {
            Step::Queue(gateway.clone(), DemandResult::Repeated)
        }
        (DemandState::Done, _, Some(gateway)) if new.asked.may_be_repeated() => {
            Step::Reopen(gateway.clone())
        }
        (DemandState::Done, _, _) if may_be_another_refund(&new.asked) => {
            Step::Leave(DemandResult::RefundRepeated)
        }
        // Nobody could do it when it came first. What a worker has kept stays with the operator.
        (DemandState::Kept, None, Some(gateway)) => Step::Reopen(gateway.clone()),
        (DemandState::Open, None, None)
        | (DemandState::Done, _, _)
        | (DemandState::Kept, Some(_), _)
        | (DemandState::Kept, None, None) => nothing,
    }
}

/// Two refunds of one amount look the same when Cleeng gives them no id.
fn may_be_another_refund(asked: &Asked) -> bool {
    match asked {
        Asked::Refund(refund) => refund.refund_id.is_none(),
        Asked::Authorise(_)
        | Asked::Capture(_)
        | Asked::CaptureOne(_)
        | Asked::Terminate(_)
        | Asked::Release(_)
        | Asked::External(_)
        | Asked::Unknown { .. } => false,
    }
}

/// What helps an operator: the name of the field that is missing, or of the topic; no value out of the data.
fn detail(letter: &Letter) -> Option<String> {
    match (&letter.unread, &letter.asked) {
        (Some(Unread::Lacking(Lacking(field))), _) => Some(field.clone()),
        (Some(Unread::OtherTopic), Asked::Unknown { topic, .. }) => {
            Some(topic.chars().take(TOPIC_CHARACTERS).collect())
        }
        (Some(Unread::OtherTopic) | None, _) => None,
    }
}

#[cfg(test)]
mod tests;
