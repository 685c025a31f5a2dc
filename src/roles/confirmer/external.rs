//! Telling Cleeng what a gateway bills itself: the payment's record first, then the access that it pays for.
//!
//! Two calls, and a process may die between them. What each brought is written down before the next, so the next delivery goes on
//! where this one was; only the record may not be sent twice, and one whose answer was lost goes to an operator.

mod calls;

use std::time::Duration;

use tracing::{error, info, warn};

use super::Confirmer;
use crate::broker::{Delivery, Verdict};
use crate::clock;
use crate::domain::dead::DeadReason;
use crate::domain::demand::{Demand, DemandState};
use crate::domain::external::plan::{self, Facts, Kept, Step};
use crate::domain::external::{Case, ExternalEvent, Happened, Held, Linked};
use crate::domain::failure::CallError;
use crate::domain::ids::GatewayName;
use crate::domain::retry;
use crate::ledger::LedgerError;

/// A run that takes more steps than this has found a loop in the plan.
const MOST_STEPS: usize = 12;

/// One delivery of an event, with what this run has read of Cleeng.
struct Run<'a> {
    demand: &'a Demand,
    gateway: &'a GatewayName,
    event: &'a ExternalEvent,
    delivery: &'a Delivery,
    found: Option<Option<Held>>,
    seen: Option<Option<Held>>,
    /// Cleeng's word for what it refused.
    refused: Option<String>,
}

/// What a step leads to.
enum Flow {
    Again,
    Stop(Verdict),
}

impl Confirmer {
    /// One event of a subscription that its gateway bills.
    pub(super) async fn tell_external(
        &self,
        demand: &Demand,
        event: &ExternalEvent,
        delivery: &Delivery,
    ) -> Result<Verdict, LedgerError> {
        let Some(gateway) = &demand.gateway else {
            let error = "it is not known which gateway bills it";
            return Ok(Verdict::park(DeadReason::UnknownGateway, error));
        };
        let mut run = Run {
            demand,
            gateway,
            event,
            delivery,
            found: None,
            seen: None,
            refused: None,
        };
        for _ in 0..MOST_STEPS {
            let case = self.ledger.external_case(demand.id, gateway, event).await?;
            let step = plan::next(&Facts {
                event,
                case: &case,
                found: run.found.as_ref(),
                seen: run.seen.as_ref(),
                is_refused: run.refused.is_some(),
                now: clock::now(),
                settle_time: self.settle_time,
            });
            if let Flow::Stop(verdict) = self.take_step(&mut run, &case, step).await? {
                return Ok(verdict);
            }
        }
        self.later(&run, None, "too many steps in one run").await
    }

    async fn take_step(
        &self,
        run: &mut Run<'_>,
        case: &Case,
        step: Step,
    ) -> Result<Flow, LedgerError> {
        let stop = |verdict: Result<Verdict, LedgerError>| verdict.map(Flow::Stop);
        match step {
            Step::Record if self.breaker.is_open() => self.probe_external(run).await,
            Step::Record => self.record(run, case).await,
            Step::Settle { left } => {
                let error = "a record is under way, or its answer was lost";
                stop(self.later(run, Some(left), error).await)
            }
            Step::Find => self.find(run).await,
            Step::Look(access) => self.look(run, access).await,
            Step::Link(held) => self.link(run, case, held.into()).await,
            Step::Create { payment } => self.create(run, payment).await,
            Step::Act(access, act) => self.act(run, case, access, act).await,
            Step::Wait(why) => stop(self.later(run, None, why).await),
            Step::Done(outcome) => stop(self.told(run, case, outcome).await),
            Step::Keep(why) => stop(self.keep_external(run, why).await),
        }
    }

    async fn link(
        &self,
        run: &mut Run<'_>,
        case: &Case,
        linked: Linked,
    ) -> Result<Flow, LedgerError> {
        let ended_at = case.linked.as_ref().and_then(|known| known.ended_at);
        let linked = Linked { ended_at, ..linked };
        self.write_link(run, &linked).await?;
        Ok(Flow::Again)
    }

    async fn write_link(&self, run: &Run<'_>, linked: &Linked) -> Result<(), LedgerError> {
        let subscription = &run.event.subscription;
        let now = clock::now();
        self.ledger
            .link_external(run.gateway, subscription, linked, now)
            .await
    }

    /// Cleeng has it all.
    async fn told(
        &self,
        run: &Run<'_>,
        case: &Case,
        outcome: &str,
    ) -> Result<Verdict, LedgerError> {
        if let (Happened::Ended(_), Some(linked)) = (&run.event.happened, &case.linked) {
            let ended_at = Some(run.event.happened_at);
            let linked = Linked {
                ended_at,
                ..linked.clone()
            };
            self.write_link(run, &linked).await?;
        }
        self.settle(run.demand, DemandState::Done, outcome).await?;
        info!(demand.id = %run.demand.id, gateway = %run.gateway, outcome, "Cleeng knows of what the gateway bills itself");
        Ok(Verdict::Done)
    }

    /// It cannot be done by itself: it lies with the dead letters until an operator has looked. What comes after it goes on.
    async fn keep_external(&self, run: &Run<'_>, why: Kept) -> Result<Verdict, LedgerError> {
        let outcome = why.label();
        self.settle(run.demand, DemandState::Kept, outcome).await?;
        let code = run.refused.as_deref();
        error!(demand.id = %run.demand.id, gateway = %run.gateway, why = outcome, code,
            "what a gateway bills itself cannot be told to Cleeng; it needs an operator");
        Ok(match why {
            Kept::AnswerLost => Verdict::park(DeadReason::CleengAnswerLost, outcome),
            Kept::Refused => Verdict::park(DeadReason::CleengRefused, code.unwrap_or(outcome)),
            Kept::OtherOffer
            | Kept::PaidAfterItsEnd
            | Kept::EndedAtCleeng
            | Kept::UnknownAtCleeng => Verdict::park(DeadReason::DemandKept, outcome),
        })
    }

    /// Another try after a while, not before `at_least`; after its maximum age it is an operator's.
    async fn later(
        &self,
        run: &Run<'_>,
        at_least: Option<Duration>,
        error: &str,
    ) -> Result<Verdict, LedgerError> {
        let headers = &run.delivery.headers;
        if headers.age(clock::now()) > self.limits.max_age {
            // Not open any more: later events of the subscription do not wait for it.
            self.settle(run.demand, DemandState::Kept, "too_old")
                .await?;
            warn!(demand.id = %run.demand.id, error, "what a gateway bills itself is given up after its maximum age");
            return Ok(Verdict::park(DeadReason::TooOld, error));
        }
        let delay = retry::delay(headers.failures.saturating_add(1), at_least, rand::random());
        let error = error.to_owned();
        Ok(Verdict::Later { delay, error })
    }

    /// Cleeng was asked, and did not say.
    async fn unsaid(
        &self,
        run: &Run<'_>,
        what: &str,
        failure: CallError,
    ) -> Result<Flow, LedgerError> {
        let (retry_after, cause) = match failure {
            CallError::Broken { code } => {
                let error = format!("Cleeng turned our publisher token away ({code})");
                return Ok(Flow::Stop(Verdict::Hold { error }));
            }
            CallError::NotDone { retry_after, cause } => (retry_after, cause.label().to_owned()),
            CallError::Unknown { cause } => (None, cause.label().to_owned()),
            CallError::Refused { code } => (None, code),
        };
        let error = format!("{what}: {cause}");
        if self.breaker.is_open() {
            return Ok(Flow::Stop(Verdict::Hold { error }));
        }
        self.later(run, retry_after, &error).await.map(Flow::Stop)
    }
}
