//! Money that goes back: refunds that we make, and what the gateway says of refunds and disputes that others made.
//!
//! As with a charge: the plan says the next step, it is done, what came of it is written together with what Cleeng is owed.

mod lists;
mod refused;

use tracing::error;

use super::case::Case;
use super::gateway_calls::Sending;
use super::{Flow, Interrupted, Job, MOST_STEPS, Worker};
use crate::broker::Verdict;
use crate::clock;
use crate::domain::attempt::{Attempt, AttemptState};
use crate::domain::dead::DeadReason;
use crate::domain::failure::CallError;
use crate::domain::ids::{AttemptId, RefundId};
use crate::domain::money_back::MoneyBack;
use crate::domain::money_back::plan::{self, Errand, Step};
use crate::domain::outcome::Outcome;
use crate::domain::payment::Status;
use crate::gateway::billing::Refunding;
use crate::telemetry::chain::error_chain;

impl Worker {
    /// One delivery about what goes back of a payment.
    pub(super) async fn pursue_money_back(
        &self,
        job: &Job,
        case: &mut Case,
        errand: Errand,
    ) -> Verdict {
        let done = async {
            case.set_money_back(self.read_money_back(case).await?);
            match errand {
                Errand::Refund(id) => self.refund(job, case, id).await,
                Errand::ReadRefunds | Errand::ReadDisputes => self.read(job, case, errand).await,
            }
        };
        done.await
            .unwrap_or_else(|interrupted: Interrupted| Verdict::Hold {
                error: error_chain(&interrupted),
            })
    }

    /// After the payment, so that an entry which is newer than the payment as it was read leads to a conflict.
    pub(super) async fn read_money_back(&self, case: &Case) -> Result<Vec<MoneyBack>, Interrupted> {
        let id = case.known.payment.id;
        let entries = self.ledger.money_back(id).await;
        entries.map_err(Interrupted::Ledger)
    }

    async fn refund(
        &self,
        job: &Job,
        case: &mut Case,
        id: RefundId,
    ) -> Result<Verdict, Interrupted> {
        for _ in 0..MOST_STEPS {
            let Some(entry) = case.entry(id).cloned() else {
                let error = "the ledger has no such refund";
                return Ok(Verdict::park(DeadReason::UnknownPayment, error));
            };
            let listed = case.listed;
            let step = plan::next(&entry, &case.known, listed, clock::now());
            let flow = match step {
                Step::Begin => self.begin_refund(job, case, &entry).await?,
                Step::Send(attempt) => self.send_refund(job, case, attempt).await?,
                Step::Read => self.list(job, case, Errand::ReadRefunds).await?,
                Step::Reopen(attempt) => {
                    case.void(attempt);
                    Flow::Again
                }
                Step::Await => Flow::Stop(self.later(job, None, "the gateway works on the refund")),
                Step::Fail => Flow::Stop(Verdict::park(
                    DeadReason::TooManyAttempts,
                    "too many requests for one payment",
                )),
                Step::Rest => {
                    self.publish_owed(case).await?;
                    Flow::Stop(Verdict::Done)
                }
            };
            if let Flow::Stop(verdict) = flow {
                return Ok(verdict);
            }
        }
        error!(payment.id = %job.payment_id, "a refund takes too many steps; it is tried again later");
        Ok(self.later(job, None, "too many steps in one run"))
    }

    /// An event: the list is read, and what is new in it is taken in.
    async fn read(
        &self,
        job: &Job,
        case: &mut Case,
        errand: Errand,
    ) -> Result<Verdict, Interrupted> {
        let status = case.known.payment.status;
        if !is_captured(status) && status.is_final() && status != Status::Authorized {
            // Nothing was taken, so nothing of it can have gone back: a gateway may say so of a hold that ended.
            return Ok(Verdict::Done);
        }
        if !is_captured(status) {
            // It is taken first, then given back; the events may come the other way round.
            return Ok(self.later(job, None, "the payment is not captured yet"));
        }
        match self.list(job, case, errand).await? {
            Flow::Stop(verdict) => Ok(verdict),
            Flow::Again => {
                self.publish_owed(case).await?;
                Ok(Verdict::Done)
            }
        }
    }

    async fn begin_refund(
        &self,
        job: &Job,
        case: &mut Case,
        entry: &MoneyBack,
    ) -> Result<Flow, Interrupted> {
        let payment_id = case.known.payment.id;
        let Some(reference) = case.known.payment.reference().cloned() else {
            let error = "the payment has no id at the gateway";
            return Ok(Flow::Stop(Verdict::park(DeadReason::PaymentFailed, error)));
        };
        if !case.admit() {
            return Ok(Flow::Stop(self.barred(job, &case.breaker)));
        }
        let refunding = Refunding {
            payment_id,
            reference: &reference,
            id: entry.id,
            amount: entry.amount,
        };
        match case.gateway().prepare_refund(&refunding) {
            Ok(request) => {
                let stage = request.stage.label().to_owned();
                case.add_attempt(request, clock::now());
                let number = case.known.attempts.last().map(|attempt| attempt.number);
                case.put_entry(MoneyBack {
                    attempt: number,
                    ..entry.clone()
                });
                self.commit(case, "attempt", Some(stage)).await?;
                Ok(Flow::Again)
            }
            Err(decline) => self.unmakeable(job, case, entry, &decline.code).await,
        }
    }

    async fn send_refund(
        &self,
        job: &Job,
        case: &mut Case,
        id: AttemptId,
    ) -> Result<Flow, Interrupted> {
        let Some(attempt) = case.attempt(id).cloned() else {
            return Ok(Flow::Again);
        };
        let (result, first_send) = match self.send_once(job, case, &attempt).await? {
            Sending::Sent { result, first_send } => (result, first_send),
            Sending::Not(flow) => return Ok(flow),
        };
        match result {
            Ok(Outcome::Refunded { mut refund, .. }) => {
                case.set_state(id, AttemptState::Answered);
                // It is the answer to this request, whether it repeats our id or not.
                refund.id = case.entry_of(attempt.number).map(|entry| entry.id);
                self.take_in_refunds(case, &[refund]).await?;
                Ok(Flow::Again)
            }
            // It answers something else than a refund: the list tells what there is.
            Ok(_) => {
                case.set_state(id, AttemptState::Answered);
                case.listed = false;
                Ok(Flow::Again)
            }
            Err(failure) => {
                case.fail_attempt(id, &failure, first_send);
                self.refund_not_answered(job, case, &attempt, first_send, failure)
                    .await
            }
        }
    }

    async fn refund_not_answered(
        &self,
        job: &Job,
        case: &mut Case,
        attempt: &Attempt,
        first_send: bool,
        failure: CallError,
    ) -> Result<Flow, Interrupted> {
        match failure {
            CallError::NotDone { retry_after, cause } => {
                self.commit(case, "not_done", Some(cause.label().to_owned()))
                    .await?;
                let error = format!("refund not done: {cause}");
                Ok(Flow::Stop(self.unanswered(
                    job,
                    &case.breaker,
                    retry_after,
                    &error,
                )))
            }
            CallError::Unknown { cause } => {
                case.listed = false;
                self.commit(case, "unknown", Some(cause.label().to_owned()))
                    .await?;
                Ok(Flow::Again)
            }
            CallError::Refused { code } if first_send => {
                self.refund_refused(job, case, attempt.number, &code).await
            }
            CallError::Refused { code } => {
                self.refused_again(job, case, attempt.number, code).await
            }
            CallError::Broken { code } => {
                self.commit(case, "credential", Some(code.clone())).await?;
                Ok(Flow::Stop(Verdict::Hold {
                    error: format!("the gateway turned our credential away ({code})"),
                }))
            }
        }
    }
}

fn is_captured(status: Status) -> bool {
    match status {
        Status::Captured | Status::PartiallyRefunded | Status::Refunded | Status::ChargedBack => {
            true
        }
        Status::Accepted
        | Status::Processing
        | Status::RequiresAction
        | Status::Pending
        | Status::InDoubt
        | Status::Authorized
        | Status::Rejected
        | Status::Cancelled
        | Status::Expired
        | Status::Failed => false,
    }
}
