//! The worker's calls to a gateway: written down first, sent once, and what came of it taken in.

use std::time::Instant;

use super::case::Case;
use super::follow_up::about;
use super::{Flow, Interrupted, Job, Worker};
use crate::broker::Verdict;
use crate::clock;
use crate::config::CaptureMode;
use crate::domain::attempt::{Attempt, AttemptState, Prepared, Stage};
use crate::domain::dead::DeadReason;
use crate::domain::failure::CallError;
use crate::domain::ids::{AttemptId, GatewayRef};
use crate::domain::outcome::{Decline, Outcome};
use crate::domain::payment::{self, Method, Payment, Status, Take, Transition};
use crate::domain::plan::Seen;
use crate::gateway::Gateway;
use crate::gateway::billing::Saving;
use crate::telemetry::labels::GatewayCall;
use crate::telemetry::spans;

/// What came of sending an attempt.
pub(super) enum Sending {
    Sent {
        result: Result<Outcome, CallError>,
        /// No earlier send of these bytes can have had an effect.
        first_send: bool,
    },
    /// It was not sent, for this reason.
    Not(Flow),
}

impl Worker {
    /// Writes down the next request of the charge. It is sent by the step after: only if it was written.
    pub(super) async fn begin(&self, job: &Job, case: &mut Case) -> Result<Flow, Interrupted> {
        if let Some(refused) = self.check_owner(job, case).await? {
            return Ok(refused);
        }
        let prepared = next_request(case.gateway(), &case.known.payment);
        match prepared {
            Ok(request) => self.write_down(job, case, request).await,
            Err(decline) => Box::pin(self.refuse(case, decline)).await,
        }
    }

    /// Writes down the request that ends the payment at the gateway.
    pub(super) async fn cancel(
        &self,
        job: &Job,
        case: &mut Case,
        reference: &GatewayRef,
    ) -> Result<Flow, Interrupted> {
        let request = case.gateway().prepare_cancel(reference);
        self.write_down(job, case, request).await
    }

    pub(super) async fn write_down(
        &self,
        job: &Job,
        case: &mut Case,
        request: Prepared,
    ) -> Result<Flow, Interrupted> {
        if !case.admit() {
            return Ok(Flow::Stop(self.barred(job, &case.breaker)));
        }
        let stage = request.stage;
        let now = clock::now();
        case.add_attempt(request, now);
        let begun = payment::set(&case.known.payment, Status::Processing, None, now);
        if let Transition::Moved { payment, .. } = begun {
            case.known.payment = *payment;
        }
        self.commit(case, "attempt", Some(stage.label().to_owned()))
            .await?;
        // A fresh attempt has nothing to be looked up: what was seen before it still holds.
        Ok(Flow::Again)
    }

    pub(super) async fn send(
        &self,
        job: &Job,
        case: &mut Case,
        id: AttemptId,
    ) -> Result<Flow, Interrupted> {
        let Some(attempt) = case.attempt(id).cloned() else {
            return Ok(Flow::Again);
        };
        match self.send_once(job, case, &attempt).await? {
            Sending::Not(flow) => Ok(flow),
            Sending::Sent {
                result: Ok(outcome),
                ..
            } => self.answered(case, &attempt, &outcome).await,
            Sending::Sent {
                result: Err(failure),
                first_send,
            } => Box::pin(self.send_failed(job, case, &attempt, first_send, failure)).await,
        }
    }

    /// Sends the attempt's bytes, once in this run, and only what stands in the ledger as being sent.
    pub(super) async fn send_once(
        &self,
        job: &Job,
        case: &mut Case,
        attempt: &Attempt,
    ) -> Result<Sending, Interrupted> {
        if case.was_sent_in_this_run(attempt.number) {
            let error = "the gateway's answer is still unknown";
            let verdict = self.unanswered(job, &case.breaker, None, error);
            return Ok(Sending::Not(Flow::Stop(verdict)));
        }
        if !case.admit() {
            let verdict = self.barred(job, &case.breaker);
            return Ok(Sending::Not(Flow::Stop(verdict)));
        }
        if !case.is_unsent(attempt.number) && !Box::pin(self.write_replay(case, attempt)).await? {
            return Ok(Sending::Not(Flow::Again));
        }
        let admitted = case.admitted.take();
        let first_send = case.note_send(attempt.number);
        case.seen = Seen::Nothing;
        let started = Instant::now();
        let payment = &case.known.payment;
        let call = GatewayCall::Send(attempt.request.stage);
        let number = Some(attempt.number);
        let span = spans::gateway(&payment.gateway, call, Some(payment.id), number);
        let sending = case.gateway().send(attempt.id, &attempt.request);
        let result = spans::call(span, Outcome::label, sending).await;
        if let Some(admitted) = admitted {
            admitted.ended(&result);
        }
        self.metrics
            .gateway_took(&payment.gateway, call, started.elapsed());
        self.metrics.outcome(&payment.gateway, &result);
        let result = about(attempt.request.stage, result);
        Ok(Sending::Sent { result, first_send })
    }

    /// Writes that bytes which may have left before are about to leave again. `false`: somebody else was faster.
    ///
    /// From here on nobody takes "surely not done" for the last word about them: not who comes after a crash in this send, and
    /// not who sent them at the same time, since this write makes theirs a conflict.
    async fn write_replay(&self, case: &mut Case, attempt: &Attempt) -> Result<bool, Interrupted> {
        let had_no_effect = matches!(attempt.state, AttemptState::NotDone(_));
        if had_no_effect {
            case.set_state(attempt.id, AttemptState::Open);
        }
        let written = self.commit(case, "replay", None).await?;
        if written && had_no_effect {
            case.mark_unsent(attempt.number);
        }
        Ok(written)
    }

    async fn answered(
        &self,
        case: &mut Case,
        attempt: &Attempt,
        outcome: &Outcome,
    ) -> Result<Flow, Interrupted> {
        case.set_state(attempt.id, AttemptState::Answered);
        if let Outcome::Opened { .. } = outcome {
            // No money moved. What was made there is written together with the next request, before that one leaves.
            if let Transition::Moved { payment, .. } =
                payment::apply(&case.known.payment, outcome, clock::now())
            {
                case.known.payment = *payment;
            }
            case.seen = Seen::Answer;
            return Ok(Flow::Again);
        }
        self.conclude(case, outcome).await
    }

    async fn send_failed(
        &self,
        job: &Job,
        case: &mut Case,
        attempt: &Attempt,
        first_send: bool,
        failure: CallError,
    ) -> Result<Flow, Interrupted> {
        case.fail_attempt(attempt.id, &failure, first_send);
        let stage = attempt.request.stage;
        match failure {
            CallError::NotDone { retry_after, cause } => {
                self.commit(case, "not_done", Some(cause.label().to_owned()))
                    .await?;
                let error = format!("{} not done: {cause}", stage.label());
                let verdict = self.unanswered(job, &case.breaker, retry_after, &error);
                Ok(Flow::Stop(verdict))
            }
            CallError::Unknown { cause } if stage.moves_money() => {
                self.doubt(case, cause.label()).await?;
                Ok(Flow::Again)
            }
            CallError::Unknown { cause } => {
                self.commit(case, "unknown", Some(cause.label().to_owned()))
                    .await?;
                Ok(Flow::Again)
            }
            // The payment is still open there: what it is by then is read before it is ended once more.
            CallError::Refused { code } if stage == Stage::Cancel => {
                self.commit(case, "cancel_refused", Some(code)).await?;
                let error = "the gateway refuses to end the payment";
                Ok(Flow::Stop(self.later(job, None, error)))
            }
            // An earlier send of these bytes may have been done: that they are refused now says nothing about it.
            CallError::Refused { code } if stage.moves_money() && !first_send => {
                self.doubt(case, &code).await?;
                Ok(Flow::Again)
            }
            CallError::Refused { code } if matches!(stage, Stage::Capture | Stage::Void) => {
                self.follow_up_refused(job, case, code).await
            }
            CallError::Refused { .. } => self.fail(case, DeadReason::GatewayRefused).await,
            CallError::Broken { code } => {
                self.commit(case, "credential", Some(code.clone())).await?;
                Ok(Flow::Stop(Verdict::Hold {
                    error: format!("the gateway turned our credential away ({code})"),
                }))
            }
        }
    }

    pub(super) async fn look_up(
        &self,
        job: &Job,
        case: &mut Case,
        reference: &GatewayRef,
    ) -> Result<Flow, Interrupted> {
        if !case.admit() {
            return Ok(Flow::Stop(self.barred(job, &case.breaker)));
        }
        let admitted = case.admitted.take();
        let started = Instant::now();
        let payment = &case.known.payment;
        let name = &payment.gateway;
        let span = spans::gateway(name, GatewayCall::LookUp, Some(payment.id), None);
        let asking = case.gateway().look_up(reference);
        let answer = spans::call(span, Outcome::label, asking).await;
        if let Some(call) = admitted {
            call.ended(&answer);
        }
        self.metrics
            .gateway_took(name, GatewayCall::LookUp, started.elapsed());
        self.metrics.outcome(name, &answer);
        match answer {
            Ok(Outcome::Opened { .. }) if case.known.payment.reference().is_some() => {
                case.seen = Seen::Untouched;
                Ok(Flow::Again)
            }
            Ok(outcome) => {
                let flow = self.conclude(case, &outcome).await?;
                if let Outcome::Opened { .. } = outcome {
                    case.seen = Seen::Untouched;
                }
                Ok(flow)
            }
            Err(CallError::NotDone { retry_after, cause }) => {
                let error = format!("the gateway could not be read: {cause}");
                let verdict = self.unanswered(job, &case.breaker, retry_after, &error);
                Ok(Flow::Stop(verdict))
            }
            Err(CallError::Unknown { cause }) => {
                let error = format!("the gateway could not be read: {cause}");
                let verdict = self.unanswered(job, &case.breaker, None, &error);
                Ok(Flow::Stop(verdict))
            }
            Err(CallError::Broken { code }) => Ok(Flow::Stop(Verdict::Hold {
                error: format!("the gateway turned our credential away ({code})"),
            })),
            Err(CallError::Refused { code }) => {
                let error = format!("the gateway refuses to show the payment ({code})");
                Ok(Flow::Stop(Verdict::park(DeadReason::LookUpRefused, &error)))
            }
        }
    }
}

/// The next request of the payment's charge; of one that costs nothing, the next one that keeps its method.
fn next_request(gateway: &dyn Gateway, payment: &Payment) -> Result<Prepared, Decline> {
    match (payment.renewal.map(|renewal| renewal.take), &payment.method) {
        (Some(Take::Reserve), _) => gateway.prepare_stored(payment, CaptureMode::Manual),
        (Some(Take::AtOnce), _) => gateway.prepare_stored(payment, CaptureMode::Automatic),
        (None, Method::New { payload, .. }) if payment.is_free() => gateway.prepare_save(&Saving {
            payment_id: payment.id,
            method: payload,
            customer: payment.progress.customer.as_deref(),
            return_url: payment.return_url.as_deref(),
        }),
        (None, Method::New { .. } | Method::Stored { .. }) => gateway.prepare(payment),
    }
}
