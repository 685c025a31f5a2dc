//! What Cleeng asks for: it is held against what the ledger has, and becomes commands about payments. The commands do the work;
//! a demand is done when they are queued, or when there is nothing (left) to do.

mod endings;
mod new_renewal;
mod one_payment;
mod refunds;
mod renewals;

use std::time::Duration;

use tracing::{error, info, warn};
use uuid::Uuid;

use super::{Interrupted, Worker};
use crate::broker::{Delivery, Lane, Outgoing, Queue, Verdict};
use crate::clock;
use crate::domain::dead::DeadReason;
use crate::domain::demand::{Asked, Demand, DemandState};
use crate::domain::failure::CallError;
use crate::domain::ids::{DemandId, GatewayName, PaymentId};
use crate::domain::message::{Body, Envelope};
use crate::domain::retry;
use crate::roles::trace_of;
use crate::telemetry::chain::error_chain;
use crate::telemetry::trace::TraceContext;

/// One delivery of a demand.
struct Turn<'a> {
    demand: &'a Demand,
    gateway: &'a GatewayName,
    failures: u32,
    age: Duration,
    trace: Option<TraceContext>,
}

impl Worker {
    pub(super) async fn meet(&self, id: DemandId, delivery: &Delivery) -> Verdict {
        match self.meet_demand(id, delivery).await {
            Ok(verdict) => verdict,
            Err(interrupted) => Verdict::Hold {
                error: error_chain(&interrupted),
            },
        }
    }

    async fn meet_demand(&self, id: DemandId, delivery: &Delivery) -> Result<Verdict, Interrupted> {
        let found = self.ledger.demand(id).await.map_err(Interrupted::Ledger)?;
        let Some(demand) = found else {
            let error = "the ledger has no such demand";
            return Ok(Verdict::park(DeadReason::UnknownDemand, error));
        };
        let replayed = delivery.headers.replayed > 0;
        match (demand.state, &demand.gateway) {
            (DemandState::Done, _) => Ok(Verdict::Done),
            // Looked at again only on an operator's word; an earlier run may have been killed before its dead letter was there.
            (DemandState::Kept, _) if !replayed => {
                let why = demand.outcome.as_deref().unwrap_or("kept");
                Ok(Verdict::park(DeadReason::DemandKept, why))
            }
            (DemandState::Open | DemandState::Kept, None) => {
                let error = "no gateway of ours can do what Cleeng asks for";
                Ok(Verdict::park(DeadReason::UnknownGateway, error))
            }
            (DemandState::Open | DemandState::Kept, Some(gateway)) => {
                let turn = Turn {
                    gateway,
                    failures: delivery.headers.failures,
                    age: delivery.headers.age(clock::now()),
                    trace: trace_of(delivery),
                    demand: &demand,
                };
                self.look_at(&turn).await
            }
        }
    }

    async fn look_at(&self, turn: &Turn<'_>) -> Result<Verdict, Interrupted> {
        match &turn.demand.asked {
            Asked::Authorise(due) => self.authorise(turn, due).await,
            Asked::Capture(due) => self.capture(turn, due).await,
            Asked::CaptureOne(one) => self.capture_one(turn, one).await,
            Asked::Refund(asked) => self.want_refund(turn, asked).await,
            Asked::Terminate(ending) => self.terminate(turn, ending).await,
            Asked::Release(released) => self.release(turn, released).await,
            Asked::Unknown { .. } => self.keep(turn, "unknown").await,
            // The confirmer's: no gateway is asked for anything.
            Asked::External(_) => Ok(Verdict::park(
                DeadReason::WrongQueue,
                "a gateway's own billing is not a command",
            )),
        }
    }

    /// Queues a command about a payment; its own work from there on.
    async fn command(&self, turn: &Turn<'_>, id: Uuid, body: Body) -> Result<(), Interrupted> {
        let envelope = Envelope::new(id, clock::now(), None, body);
        let queue = Queue::Commands {
            gateway: turn.gateway.clone(),
            lane: Lane::Billing,
        };
        let message = Outgoing::new(queue, &envelope, turn.child_trace());
        self.publisher
            .publish(message)
            .await
            .map_err(Interrupted::Queue)
    }

    /// All that it asks for is done, or another message's work.
    async fn settle_demand(
        &self,
        turn: &Turn<'_>,
        outcome: &str,
        payment: Option<PaymentId>,
    ) -> Result<Verdict, Interrupted> {
        let demand = turn.demand;
        self.ledger
            .settle_demand(demand.id, DemandState::Done, outcome, payment, clock::now())
            .await
            .map_err(Interrupted::Ledger)?;
        info!(demand.id = %demand.id, asked = demand.asked.label(), outcome,
            payment.id = payment.map(tracing::field::display), "Cleeng's demand is met");
        Ok(Verdict::Done)
    }

    /// It cannot be done by itself: it is kept, and lies with the dead letters until an operator has looked.
    async fn keep(&self, turn: &Turn<'_>, why: &str) -> Result<Verdict, Interrupted> {
        let demand = turn.demand;
        self.ledger
            .settle_demand(demand.id, DemandState::Kept, why, None, clock::now())
            .await
            .map_err(Interrupted::Ledger)?;
        error!(demand.id = %demand.id, asked = demand.asked.label(), why, "what Cleeng asks for cannot be done by itself; it needs an operator");
        Ok(Verdict::park(DeadReason::DemandKept, why))
    }

    /// Another try after a while; after its maximum age it is an operator's.
    fn wait(&self, turn: &Turn<'_>, retry_after: Option<Duration>, error: &str) -> Verdict {
        if turn.age > self.limits.max_age {
            warn!(demand.id = %turn.demand.id, error, "a demand is given up after its maximum age");
            return Verdict::park(DeadReason::TooOld, error);
        }
        let delay = retry::delay(turn.failures.saturating_add(1), retry_after, rand::random());
        Verdict::Later {
            delay,
            error: error.to_owned(),
        }
    }

    /// Cleeng, or the gateway, could not be asked.
    fn unread(&self, turn: &Turn<'_>, what: &str, failure: CallError) -> Verdict {
        match failure {
            CallError::NotDone { retry_after, cause } => {
                self.wait(turn, retry_after, &format!("{what}: {cause}"))
            }
            CallError::Unknown { cause } => self.wait(turn, None, &format!("{what}: {cause}")),
            CallError::Broken { code } => Verdict::Hold {
                error: format!("{what}: our credential was turned away ({code})"),
            },
            CallError::Refused { code } => {
                Verdict::park(DeadReason::DemandKept, &format!("{what}: refused ({code})"))
            }
        }
    }
}

impl Turn<'_> {
    fn child_trace(&self) -> Option<String> {
        let trace = self.trace?;
        Some(trace.child(rand::random()).to_string())
    }
}
