//! What follows an authorisation: it is captured, or given up.

use super::case::Case;
use super::{Flow, Interrupted, Job, Worker};
use crate::domain::attempt::Stage;
use crate::domain::dead::DeadReason;
use crate::domain::failure::{CallError, Cause};
use crate::domain::outcome::Outcome;
use crate::domain::payment::Status;
use crate::domain::plan::FollowUp;

impl Worker {
    /// Writes down the request that takes what the payment's authorisation holds, or gives it up.
    pub(super) async fn follow(
        &self,
        job: &Job,
        case: &mut Case,
        wanted: FollowUp,
    ) -> Result<Flow, Interrupted> {
        let payment = &case.known.payment;
        let (Some(reference), Some(order)) = (payment.reference(), payment.order.as_ref()) else {
            return self.fail(case, DeadReason::PaymentFailed).await;
        };
        let prepared = match wanted {
            FollowUp::Capture => case.gateway().prepare_capture(reference, order.amount),
            FollowUp::Void => Ok(case.gateway().prepare_void(reference)),
        };
        match prepared {
            Ok(request) => self.write_down(job, case, request).await,
            Err(_) => self.fail(case, DeadReason::GatewayRefused).await,
        }
    }

    /// The gateway does not take it, or does not give it up. If it is a hold no more, that is the answer; else an operator has
    /// to look.
    pub(super) async fn follow_up_refused(
        &self,
        job: &Job,
        case: &mut Case,
        code: String,
    ) -> Result<Flow, Interrupted> {
        self.commit(case, "follow_up_refused", Some(code)).await?;
        let Some(reference) = case.known.payment.reference().cloned() else {
            return self.fail(case, DeadReason::GatewayRefused).await;
        };
        match self.look_up(job, case, &reference).await? {
            Flow::Again if case.known.payment.status == Status::Authorized => {
                self.fail(case, DeadReason::GatewayRefused).await
            }
            flow @ (Flow::Again | Flow::Stop(_)) => Ok(flow),
        }
    }
}

/// What an answer says about the request. One that tells of something else leaves it unknown: it is read before another key may be
/// made.
pub(super) fn about(
    stage: Stage,
    answer: Result<Outcome, CallError>,
) -> Result<Outcome, CallError> {
    let cause = Cause::StateConflict;
    answer.and_then(|outcome| match outcome.answers(stage) {
        true => Ok(outcome),
        false => Err(CallError::Unknown { cause }),
    })
}
