//! Reading the gateway's lists of refunds and disputes, and writing down what is new in them.

use std::time::Instant;

use tracing::{error, info};

use super::super::case::Case;
use super::super::{Flow, Interrupted, Job, Worker};
use crate::broker::Verdict;
use crate::clock;
use crate::domain::dead::DeadReason;
use crate::domain::failure::CallError;
use crate::domain::ids::{GatewayRef, ObjectRef, RefundId, named};
use crate::domain::money_back::plan::Errand;
use crate::domain::money_back::{self, Dispute, News, Refund};
use crate::telemetry::labels::GatewayCall;
use crate::telemetry::spans;

/// How often the gateway's word is held against what others write meanwhile, before it is asked anew.
const MOST_CONFLICTS: usize = 8;

impl Worker {
    /// Reads the list and takes in what is new.
    pub(super) async fn list(
        &self,
        job: &Job,
        case: &mut Case,
        errand: Errand,
    ) -> Result<Flow, Interrupted> {
        let Some(reference) = case.known.payment.reference().cloned() else {
            let error = "the payment has no id at the gateway";
            return Ok(Flow::Stop(Verdict::park(DeadReason::PaymentFailed, error)));
        };
        if !case.admit() {
            return Ok(Flow::Stop(self.barred(job, &case.breaker)));
        }
        let failure = match errand {
            Errand::ReadDisputes => match self.disputes(case, &reference).await {
                Ok(listed) => {
                    self.take_in_disputes(case, &listed).await?;
                    return Ok(Flow::Again);
                }
                Err(failure) => failure,
            },
            Errand::ReadRefunds | Errand::Refund(_) => match self.refunds(case, &reference).await {
                Ok(listed) => {
                    case.listed = self.take_in_refunds(case, &listed).await?;
                    return Ok(Flow::Again);
                }
                Err(failure) => failure,
            },
        };
        Ok(Flow::Stop(self.list_unread(job, case, failure)))
    }

    fn list_unread(&self, job: &Job, case: &Case, failure: CallError) -> Verdict {
        match failure {
            CallError::NotDone { retry_after, cause } => {
                let error = format!("the gateway could not be read: {cause}");
                self.unanswered(job, &case.breaker, retry_after, &error)
            }
            CallError::Unknown { cause } => {
                let error = format!("the gateway could not be read: {cause}");
                self.unanswered(job, &case.breaker, None, &error)
            }
            CallError::Refused { code } => {
                let error = format!("the gateway refuses to show what went back ({code})");
                Verdict::park(DeadReason::LookUpRefused, &error)
            }
            CallError::Broken { code } => Verdict::Hold {
                error: format!("the gateway turned our credential away ({code})"),
            },
        }
    }

    async fn refunds(
        &self,
        case: &mut Case,
        reference: &GatewayRef,
    ) -> Result<Vec<Refund>, CallError> {
        let admitted = case.admitted.take();
        let started = Instant::now();
        let payment = &case.known.payment;
        let name = &payment.gateway;
        let span = spans::gateway(name, GatewayCall::LookUp, Some(payment.id), None);
        let reading = case.gateway().look_up_refunds(reference);
        let answer = spans::call(span, |_| "done", reading).await;
        if let Some(call) = admitted {
            call.ended(&answer);
        }
        self.metrics
            .gateway_took(name, GatewayCall::LookUp, started.elapsed());
        answer
    }

    async fn disputes(
        &self,
        case: &mut Case,
        reference: &GatewayRef,
    ) -> Result<Vec<Dispute>, CallError> {
        let admitted = case.admitted.take();
        let started = Instant::now();
        let payment = &case.known.payment;
        let name = &payment.gateway;
        let span = spans::gateway(name, GatewayCall::LookUp, Some(payment.id), None);
        let reading = case.gateway().look_up_disputes(reference);
        let answer = spans::call(span, |_| "done", reading).await;
        if let Some(call) = admitted {
            call.ended(&answer);
        }
        self.metrics
            .gateway_took(name, GatewayCall::LookUp, started.elapsed());
        answer
    }

    pub(super) async fn take_in_refunds(
        &self,
        case: &mut Case,
        listed: &[Refund],
    ) -> Result<bool, Interrupted> {
        let gateway = case.known.payment.gateway.clone();
        let name = |object: &ObjectRef| foreign_id(gateway.as_str(), object);
        self.take_in(case, |case| {
            money_back::of_refunds(&case.money_back, listed, name, clock::now())
        })
        .await
    }

    async fn take_in_disputes(
        &self,
        case: &mut Case,
        listed: &[Dispute],
    ) -> Result<bool, Interrupted> {
        let gateway = case.known.payment.gateway.clone();
        let name = |object: &ObjectRef| foreign_id(gateway.as_str(), object);
        self.take_in(case, |case| {
            money_back::of_disputes(&case.money_back, listed, name, clock::now())
        })
        .await
    }

    /// Writes the news, all at once: entries, the payment's status, and what Cleeng is owed. If somebody else wrote meanwhile, the
    /// list is held against what they wrote: it is a fact all the same. `false`: others were faster again and again, and it is not.
    async fn take_in(
        &self,
        case: &mut Case,
        read: impl Fn(&Case) -> Vec<News>,
    ) -> Result<bool, Interrupted> {
        for _ in 0..MOST_CONFLICTS {
            let news = read(case);
            if news.is_empty() && !case.has_unwritten() {
                return Ok(true);
            }
            let alarms: Vec<&'static str> = news.iter().filter_map(|one| one.alarm).collect();
            let owes = news.iter().any(|one| one.report.is_some());
            for one in news {
                case.take_in(one, clock::now());
            }
            case.close_refund_attempts();
            let detail = Some(alarms.join(" ")).filter(|words| !words.is_empty());
            if self.commit(case, "money_back", detail).await? {
                self.tell(case, &alarms);
                if owes {
                    self.publish_owed(case).await?;
                }
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn tell(&self, case: &Case, alarms: &[&'static str]) {
        let payment = &case.known.payment;
        info!(payment.id = %payment.id, order.id = %payment.order_id, gateway = %payment.gateway,
            status = payment.status.label(), "money went back");
        for alarm in alarms {
            error!(payment.id = %payment.id, order.id = %payment.order_id, what = alarm, "an operator has to know");
        }
    }
}

/// The same object always has the same id here.
fn foreign_id(gateway: &str, object: &ObjectRef) -> RefundId {
    RefundId(named(&["money-back", gateway, &object.0]))
}
