//! The worker: takes commands and gateway events, and drives each payment to what can be known of it.
//!
//! It decides nothing by itself: `domain::plan` says the next step, this room does it and writes down what came of it. A
//! delivery is done only when everything that follows from it is durable.

mod away;
mod case;
mod demands;
mod follow_up;
mod gateway_calls;
mod job;
mod money_back;
mod order;
mod owner;
mod settle;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tracing::{error, warn};

use crate::broker::{Delivery, Handler, Publish, Verdict};
use crate::cleeng::Cleeng;
use crate::clock;
use crate::config::WorkerConfig;
use crate::domain::dead::DeadReason;
use crate::domain::message::{Body, Envelope};
use crate::domain::payment::{Known, Status};
use crate::domain::plan::{self, Step, Trigger};
use crate::domain::retry;
use crate::gateway::{Gateway, Gateways};
use crate::ledger::{Ledger, LedgerError};
use crate::roles::breakers::Breakers;
use crate::roles::counted::count_wait;
use crate::telemetry::chain::error_chain;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::spans;

use case::Case;
use job::Job;

/// A run that takes more steps than this has found a loop in the plan.
const MOST_STEPS: usize = 40;

/// What a worker works with. Its seldom ways are boxed where they branch off: every charge would be as large as the longest of them.
pub(crate) struct Worker {
    pub(crate) ledger: Ledger,
    pub(crate) gateways: Arc<Gateways>,
    pub(crate) cleeng: Arc<Cleeng>,
    pub(crate) breakers: Arc<Breakers>,
    pub(crate) publisher: Arc<dyn Publish>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) publisher_id: u64,
    pub(crate) limits: WorkerConfig,
}

/// What a step leads to.
enum Flow {
    /// Ask the plan again.
    Again,
    Stop(Verdict),
}

/// Why a run was broken off; the delivery stays unacknowledged.
#[derive(Debug, thiserror::Error)]
enum Interrupted {
    #[error("the ledger cannot be used")]
    Ledger(#[source] LedgerError),
    #[error("a confirmation could not be queued")]
    Queue(#[source] crate::broker::PublishError),
}

#[async_trait]
impl Handler for Worker {
    async fn take(&self, delivery: &Delivery) -> Verdict {
        let envelope = match Envelope::decode(&delivery.body) {
            Ok(envelope) => envelope,
            Err(cause) => return Verdict::park(DeadReason::Undecodable, &error_chain(&cause)),
        };
        count_wait(delivery, &envelope, &self.metrics);
        if let Body::Demand { demand_id } = envelope.body {
            return Box::pin(self.meet(demand_id, delivery)).await;
        }
        match self.job(&envelope, delivery).await {
            Ok(Some(job)) => {
                spans::about(job.payment_id);
                self.pursue(&job).await
            }
            Ok(None) => Verdict::Done,
            Err(verdict) => verdict,
        }
    }
}

impl Worker {
    async fn pursue(&self, job: &Job) -> Verdict {
        let read = match self.expected(job) {
            Some(known) => Ok(Some(known)),
            None => self.ledger.known(job.payment_id).await,
        };
        let known = match read {
            Ok(Some(known)) => known,
            Ok(None) => {
                return Verdict::park(DeadReason::UnknownPayment, "the ledger has no such payment");
            }
            Err(cause) => {
                return Verdict::Hold {
                    error: error_chain(&cause),
                };
            }
        };
        let name = &known.payment.gateway;
        let (Some(gateway), Some(breaker)) = (
            self.gateways.get(name).cloned(),
            self.breakers.gateway(name),
        ) else {
            return Verdict::park(
                DeadReason::UnknownGateway,
                "no such gateway is configured here",
            );
        };
        let mut case = Case::new(known, gateway, breaker, job.trace, job.redelivered);
        case.occasion = job::occasion(&job.trigger);
        if let Trigger::MoneyBack(errand) = job.trigger {
            return Box::pin(self.pursue_money_back(job, &mut case, errand)).await;
        }
        for _ in 0..MOST_STEPS {
            let step = plan::next(&job.trigger, &case.known, case.seen, clock::now());
            match self.step(job, &mut case, step).await {
                Ok(Flow::Again) => {}
                Ok(Flow::Stop(verdict)) => return verdict,
                Err(interrupted) => {
                    return Verdict::Hold {
                        error: error_chain(&interrupted),
                    };
                }
            }
        }
        error!("a payment takes too many steps; it is tried again later");
        self.later(job, None, "too many steps in one run")
    }

    /// A command's first delivery finds its payment as it was accepted, nearly always: it need not be read. Whatever is done
    /// about it begins with a write, which would meet a conflict otherwise.
    fn expected(&self, job: &Job) -> Option<Known> {
        let first = job.trigger == Trigger::Charge && !job.redelivered && job.failures == 0;
        first
            .then(|| self.ledger.expected(job.payment_id))?
            .filter(|known| known.payment.status == Status::Accepted)
    }

    async fn step(&self, job: &Job, case: &mut Case, step: Step) -> Result<Flow, Interrupted> {
        match step {
            Step::ReadOrder => self.read_order(job, case).await,
            Step::Begin => self.begin(job, case).await,
            Step::Follow(wanted) => Box::pin(self.follow(job, case, wanted)).await,
            Step::Send(attempt) => self.send(job, case, attempt).await,
            Step::LookUp(reference) => Box::pin(self.look_up(job, case, &reference)).await,
            Step::Reopen(attempt) => {
                case.void(attempt);
                Ok(Flow::Again)
            }
            Step::Cancel(reference) => Box::pin(self.cancel(job, case, &reference)).await,
            Step::Expire => Box::pin(self.expire(case)).await,
            Step::AwaitPayer => {
                let left = case.known.payment.expires_at.since(clock::now());
                let delay = retry::Delay::on(retry::Rung::at_most(left), rand::random());
                Ok(Flow::Stop(Verdict::Later {
                    delay,
                    error: "the payer has to act".to_owned(),
                }))
            }
            Step::AwaitGateway => Ok(Flow::Stop(self.later(job, None, "the gateway works on it"))),
            Step::Stuck(doubt) => Box::pin(self.stuck(case, doubt)).await,
            Step::Fail => Box::pin(self.fail(case, DeadReason::TooManyAttempts)).await,
            Step::Failed => Ok(Flow::Stop(Verdict::park(
                DeadReason::PaymentFailed,
                "the payment has failed and needs an operator",
            ))),
            Step::Foreign => Ok(Flow::Stop(Verdict::park(
                DeadReason::ReferenceMismatch,
                "the event is about another object of the gateway than this payment's",
            ))),
            Step::Rest => {
                self.publish_owed(case).await?;
                Ok(Flow::Stop(Verdict::Done))
            }
        }
    }

    /// Another try after a while, or the dead letters when the message has become too old.
    fn later(&self, job: &Job, retry_after: Option<Duration>, error: &str) -> Verdict {
        if job.trigger == Trigger::Sweep {
            // The next sweep looks again.
            return Verdict::Done;
        }
        if job.age > job.max_age {
            warn!(payment.id = %job.payment_id, error, "a command is given up after its maximum age");
            return Verdict::park(DeadReason::TooOld, error);
        }
        let delay = retry::delay(job.failures.saturating_add(1), retry_after, rand::random());
        Verdict::Later {
            delay,
            error: error.to_owned(),
        }
    }
}

impl Case {
    fn gateway(&self) -> &dyn Gateway {
        self.gateway.as_ref()
    }
}

#[cfg(test)]
mod tests;
