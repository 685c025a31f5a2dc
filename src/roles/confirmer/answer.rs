//! Telling Cleeng that what it demanded is done, where no payment's news do: the end of a subscription. What a gateway bills
//! itself comes the same way, see `external`.
//!
//! It may be told twice: a subscription that has ended stays ended. So nothing is written down before it is sent.

use std::time::{Duration, Instant};

use tracing::{error, info, warn};

use super::Confirmer;
use crate::broker::{Delivery, Verdict};
use crate::cleeng::SubscriptionStatus;
use crate::clock;
use crate::domain::dead::DeadReason;
use crate::domain::demand::{Asked, Demand, DemandState, Ending};
use crate::domain::failure::CallError;
use crate::domain::ids::DemandId;
use crate::domain::retry;
use crate::ledger::LedgerError;
use crate::telemetry::labels::CleengCall;
use crate::telemetry::spans;

impl Confirmer {
    pub(super) async fn answer(
        &self,
        id: DemandId,
        delivery: &Delivery,
    ) -> Result<Verdict, LedgerError> {
        let Some(demand) = self.ledger.demand(id).await? else {
            let error = "the ledger has no such demand";
            return Ok(Verdict::park(DeadReason::UnknownDemand, error));
        };
        let replayed = delivery.headers.replayed > 0;
        match (&demand.asked, demand.state) {
            (_, DemandState::Done) => Ok(Verdict::Done),
            // An earlier run may have been killed before its dead letter was there.
            (_, DemandState::Kept) if !replayed => {
                let why = demand.outcome.as_deref().unwrap_or("kept");
                Ok(Verdict::park(DeadReason::DemandKept, why))
            }
            (Asked::Terminate(ending), DemandState::Open | DemandState::Kept) => {
                self.terminate(&demand, ending, delivery).await
            }
            (Asked::External(event), DemandState::Open | DemandState::Kept) => {
                self.tell_external(&demand, event, delivery).await
            }
            (
                Asked::Authorise(_)
                | Asked::Capture(_)
                | Asked::CaptureOne(_)
                | Asked::Refund(_)
                | Asked::Release(_)
                | Asked::Unknown { .. },
                DemandState::Open | DemandState::Kept,
            ) => Ok(Verdict::park(
                DeadReason::WrongQueue,
                "this demand has no answer of its own",
            )),
        }
    }

    async fn terminate(
        &self,
        demand: &Demand,
        ending: &Ending,
        delivery: &Delivery,
    ) -> Result<Verdict, LedgerError> {
        let Some(call) = self.breaker.begin() else {
            let error = format!("{} is away", self.breaker.target());
            return Ok(Verdict::Hold { error });
        };
        let started = Instant::now();
        let span = spans::cleeng(CleengCall::Terminate, None);
        let ending_it = self
            .cleeng
            .terminate(ending.subscription_id, self.termination);
        let answer = spans::call(span, |()| "done", ending_it).await;
        call.ended(&answer);
        self.metrics
            .cleeng_took(CleengCall::Terminate, started.elapsed());
        let refused = match answer {
            Ok(()) => return self.ended(demand, "terminated").await,
            Err(CallError::Refused { code }) => code,
            Err(failure) => return Ok(self.unanswered(delivery, failure)),
        };
        // It may have ended before: then that is the answer.
        match self.cleeng.subscription(ending.subscription_id).await {
            Ok(None) => self.ended(demand, "unknown_subscription").await,
            Ok(Some(now)) if now.status == SubscriptionStatus::Terminated => {
                self.ended(demand, "terminated_already").await
            }
            Ok(Some(_)) => {
                self.settle(demand, DemandState::Kept, &refused).await?;
                error!(demand.id = %demand.id, subscription.id = %ending.subscription_id, code = refused,
                    "Cleeng does not end a subscription that it wants to be ended; it needs an operator");
                Ok(Verdict::park(DeadReason::CleengRefused, &refused))
            }
            Err(failure) => Ok(self.unanswered(delivery, failure)),
        }
    }

    async fn ended(&self, demand: &Demand, outcome: &str) -> Result<Verdict, LedgerError> {
        self.settle(demand, DemandState::Done, outcome).await?;
        info!(demand.id = %demand.id, asked = demand.asked.label(), outcome, "Cleeng's demand is met");
        Ok(Verdict::Done)
    }

    pub(super) async fn settle(
        &self,
        demand: &Demand,
        state: DemandState,
        outcome: &str,
    ) -> Result<(), LedgerError> {
        let now = clock::now();
        self.ledger
            .settle_demand(demand.id, state, outcome, None, now)
            .await
    }

    fn unanswered(&self, delivery: &Delivery, failure: CallError) -> Verdict {
        let (retry_after, error) = match failure {
            CallError::Broken { code } => {
                let error = format!("Cleeng turned our publisher token away ({code})");
                return Verdict::Hold { error };
            }
            CallError::NotDone { retry_after, cause } => (retry_after, cause.label().to_owned()),
            CallError::Unknown { cause } => (None, cause.label().to_owned()),
            CallError::Refused { code } => (None, code),
        };
        let error = format!("Cleeng could not be told: {error}");
        if self.breaker.is_open() {
            return Verdict::Hold { error };
        }
        self.again(delivery, retry_after, error)
    }

    fn again(&self, delivery: &Delivery, retry_after: Option<Duration>, error: String) -> Verdict {
        let failures = delivery.headers.failures;
        if delivery.headers.age(clock::now()) > self.limits.max_age {
            warn!(
                error,
                "an answer to Cleeng is given up after its maximum age"
            );
            return Verdict::park(DeadReason::TooOld, &error);
        }
        let delay = retry::delay(failures.saturating_add(1), retry_after, rand::random());
        Verdict::Later { delay, error }
    }
}
