//! The confirmer: delivers to Cleeng what it is owed, each piece of news once and in order.
//!
//! Cleeng has no idempotency key. So a send is written down before it leaves, and one whose answer was lost is read back
//! before it is sent again; what cannot be read back goes to an operator instead of being sent twice.

mod answer;
mod external;
mod record;
mod report;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::broker::{Delivery, Handler, Verdict};
use crate::cleeng::Cleeng;
use crate::clock;
use crate::config::{ConfirmerConfig, TerminationType};
use crate::domain::confirmation::ConfirmationId;
use crate::domain::dead::DeadReason;
use crate::domain::delivery::{self, Step};
use crate::domain::ids::PaymentId;
use crate::domain::message::{Body, Envelope};
use crate::domain::payment::Known;
use crate::domain::retry;
use crate::ledger::{Ledger, LedgerError};
use crate::roles::breakers::Guard;
use crate::roles::counted::count_wait;
use crate::telemetry::chain::error_chain;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::spans;

/// A run that takes more steps than this has found a loop in the plan.
const MOST_STEPS: usize = 8;

/// What a confirmer works with. As in a worker, its seldom ways are boxed.
pub(crate) struct Confirmer {
    pub(crate) ledger: Ledger,
    pub(crate) cleeng: Arc<Cleeng>,
    pub(crate) breaker: Arc<Guard>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) settle_time: Duration,
    /// What Cleeng is told as the reason of a subscription's end.
    pub(crate) termination: TerminationType,
    pub(crate) limits: ConfirmerConfig,
}

/// One delivery's errand.
struct Job {
    payment_id: PaymentId,
    confirmation_id: ConfirmationId,
    failures: u32,
    age: Duration,
    /// Nobody has had it before.
    first: bool,
}

/// What a step leads to.
enum Flow {
    Again,
    Stop(Verdict),
}

#[async_trait]
impl Handler for Confirmer {
    async fn take(&self, delivery: &Delivery) -> Verdict {
        let envelope = match Envelope::decode(&delivery.body) {
            Ok(envelope) => envelope,
            Err(cause) => return Verdict::park(DeadReason::Undecodable, &error_chain(&cause)),
        };
        count_wait(delivery, &envelope, &self.metrics);
        let Body::Confirm {
            payment_id,
            confirmation_id,
        } = envelope.body
        else {
            if let Body::Answer { demand_id } = envelope.body {
                return held(Box::pin(self.answer(demand_id, delivery)).await);
            }
            return Verdict::park(DeadReason::WrongQueue, "a command among the confirmations");
        };
        let job = Job {
            payment_id,
            confirmation_id,
            failures: delivery.headers.failures,
            age: delivery.headers.age(clock::now()),
            first: !delivery.redelivered
                && delivery.headers.failures == 0
                && delivery.headers.replayed == 0,
        };
        spans::about(payment_id);
        held(self.deliver(&job).await)
    }
}

/// Without the ledger nothing on this queue can go on.
fn held(done: Result<Verdict, LedgerError>) -> Verdict {
    done.unwrap_or_else(|cause| Verdict::Hold {
        error: error_chain(&cause),
    })
}

impl Confirmer {
    async fn deliver(&self, job: &Job) -> Result<Verdict, LedgerError> {
        let mut expected = self.expected(job);
        for _ in 0..MOST_STEPS {
            let read = match expected.take() {
                Some(known) => Some(known),
                None => self.ledger.known(job.payment_id).await?,
            };
            let Some(mut known) = read else {
                return Ok(Verdict::park(
                    DeadReason::UnknownPayment,
                    "the ledger has no such payment",
                ));
            };
            let step = self.next(&known, job);
            if let Flow::Stop(verdict) = self.step(job, &mut known, step).await? {
                return Ok(verdict);
            }
        }
        Ok(self.wait(job, None, "too many steps in one run"))
    }

    fn next(&self, known: &Known, job: &Job) -> Step {
        delivery::next(known, job.confirmation_id, clock::now(), self.settle_time)
    }

    /// News on their first delivery find their payment as it was when they were queued, nearly always: it need not be read.
    /// A send begins with a write, which would meet a conflict otherwise; for anything else the payment is read.
    fn expected(&self, job: &Job) -> Option<Known> {
        job.first
            .then(|| self.ledger.expected(job.payment_id))?
            .filter(|known| matches!(self.next(known, job), Step::Send { .. }))
    }

    async fn step(&self, job: &Job, known: &mut Known, step: Step) -> Result<Flow, LedgerError> {
        match step {
            Step::Send { .. } | Step::ReadBack | Step::Settle { .. } if self.breaker.is_open() => {
                Box::pin(self.probe(job, known)).await
            }
            Step::Send { earlier } => self.send(job, known, earlier).await,
            Step::ReadBack => Box::pin(self.read_back(job, known)).await,
            Step::Settle { left } => Ok(Flow::Stop(self.wait(
                job,
                Some(left),
                "a send is under way, or its answer was lost",
            ))),
            Step::AwaitEarlier => Ok(Flow::Stop(self.wait(
                job,
                None,
                "an earlier confirmation comes first",
            ))),
            Step::Done => Ok(Flow::Stop(Verdict::Done)),
            Step::GivenUp => Ok(Flow::Stop(Verdict::park(
                DeadReason::GivenUp,
                "the confirmation was given up before",
            ))),
            Step::Unknown => Ok(Flow::Stop(Verdict::park(
                DeadReason::UnknownConfirmation,
                "the ledger has no such confirmation",
            ))),
        }
    }

    /// Another try after a while, and not much later than `at_most`.
    fn wait_at_most(&self, job: &Job, at_most: Duration, error: &str) -> Verdict {
        let chosen = retry::delay(job.failures.saturating_add(1), None, rand::random());
        let rung = chosen.rung.min(retry::Rung::at_most(at_most));
        Verdict::Later {
            delay: retry::Delay::on(rung, rand::random()),
            error: error.to_owned(),
        }
    }

    /// Another try after a while, not before `at_least`.
    fn wait(&self, job: &Job, at_least: Option<Duration>, error: &str) -> Verdict {
        let delay = retry::delay(job.failures.saturating_add(1), at_least, rand::random());
        Verdict::Later {
            delay,
            error: error.to_owned(),
        }
    }
}
