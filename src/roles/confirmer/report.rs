//! Sending one confirmation, and reading back one whose answer was lost.

use std::time::{Duration, Instant};

use tracing::error;

use super::{Confirmer, Flow, Job, park};
use crate::broker::Verdict;
use crate::cleeng::ReadBack;
use crate::clock;
use crate::domain::confirmation::{Confirmation, Delivery};
use crate::domain::dead::DeadReason;
use crate::domain::delivery;
use crate::domain::failure::CallError;
use crate::domain::ids::CleengPaymentId;
use crate::domain::payment::Known;
use crate::ledger::{Change, Committed, LedgerError};
use crate::telemetry::labels::{CleengCall, Reported};

impl Confirmer {
    pub(super) async fn send(
        &self,
        job: &Job,
        known: &mut Known,
        earlier: Option<CleengPaymentId>,
    ) -> Result<Flow, LedgerError> {
        let Some(confirmation) = find(known, job) else {
            return Ok(Flow::Again);
        };
        let sending = Delivery::Sending {
            since: clock::now(),
        };
        if !self
            .set(known, job, sending, "confirmation_sending", None)
            .await?
        {
            return Ok(Flow::Again);
        }
        let started = Instant::now();
        let answer = self
            .cleeng
            .report(&known.payment, confirmation.report, earlier)
            .await;
        self.metrics
            .cleeng_took(CleengCall::Report, started.elapsed());
        self.metrics
            .reported(confirmation.report, result_of(&answer));
        match answer {
            Ok(id) => self.delivered(job, known, Some(id)).await,
            Err(CallError::NotDone { retry_after, cause }) => {
                let error = format!("the report to Cleeng was not done: {cause}");
                self.surely_not_done(job, known, retry_after, error).await
            }
            Err(CallError::Unknown { cause }) => {
                let error = format!("Cleeng's answer was lost: {cause}");
                Ok(Flow::Stop(self.wait(job, Some(self.settle_time), &error)))
            }
            Err(CallError::Refused { code }) => {
                self.give_up(job, known, DeadReason::CleengRefused, &code)
                    .await
            }
            Err(CallError::Broken { code }) => {
                self.set(
                    known,
                    job,
                    Delivery::Queued,
                    "confirmation_not_done",
                    Some(code.clone()),
                )
                .await?;
                let error = format!("Cleeng turned our publisher token away ({code})");
                Ok(Flow::Stop(Verdict::Hold { error }))
            }
        }
    }

    pub(super) async fn read_back(
        &self,
        job: &Job,
        known: &mut Known,
    ) -> Result<Flow, LedgerError> {
        let Some(confirmation) = find(known, job) else {
            return Ok(Flow::Again);
        };
        let started = Instant::now();
        let answer = self
            .cleeng
            .read_back(&known.payment, confirmation.report)
            .await;
        self.metrics
            .cleeng_took(CleengCall::ReadBack, started.elapsed());
        match answer {
            Ok(ReadBack::Recorded(id)) => {
                self.metrics
                    .reported(confirmation.report, Reported::AlreadyRecorded);
                self.delivered(job, known, id).await
            }
            Ok(ReadBack::NotRecorded) => {
                self.set(known, job, Delivery::Queued, "confirmation_not_done", None)
                    .await?;
                Ok(Flow::Again)
            }
            Ok(ReadBack::CannotTell) => {
                self.give_up(job, known, DeadReason::CleengAnswerLost, "no read can tell")
                    .await
            }
            Err(CallError::NotDone { retry_after, cause }) => {
                let error = format!("Cleeng could not be read: {cause}");
                self.again_or_give_up(job, known, retry_after, error).await
            }
            Err(CallError::Unknown { cause }) => {
                self.again_or_give_up(
                    job,
                    known,
                    None,
                    format!("Cleeng could not be read: {cause}"),
                )
                .await
            }
            Err(CallError::Refused { code }) => {
                self.give_up(job, known, DeadReason::CleengReadRefused, &code)
                    .await
            }
            Err(CallError::Broken { code }) => {
                let error = format!("Cleeng turned our publisher token away ({code})");
                Ok(Flow::Stop(Verdict::Hold { error }))
            }
        }
    }

    async fn delivered(
        &self,
        job: &Job,
        known: &mut Known,
        cleeng_payment_id: Option<CleengPaymentId>,
    ) -> Result<Flow, LedgerError> {
        let delivered = Delivery::Delivered { cleeng_payment_id };
        let detail = cleeng_payment_id.map(|id| id.to_string());
        if !self
            .set(
                known,
                job,
                delivered,
                "confirmation_delivered",
                detail.clone(),
            )
            .await?
        {
            return self.record_delivery(job, delivered, detail).await;
        }
        self.tell_delivered(known);
        Ok(Flow::Stop(Verdict::Done))
    }

    /// Somebody else wrote to the payment meanwhile; Cleeng's answer is in hand and must not be lost for it.
    async fn record_delivery(
        &self,
        job: &Job,
        delivered: Delivery,
        detail: Option<String>,
    ) -> Result<Flow, LedgerError> {
        loop {
            let Some(mut known) = self.ledger.known(job.payment_id).await? else {
                return Ok(Flow::Again);
            };
            if self
                .set(
                    &mut known,
                    job,
                    delivered,
                    "confirmation_delivered",
                    detail.clone(),
                )
                .await?
            {
                self.tell_delivered(&known);
                return Ok(Flow::Stop(Verdict::Done));
            }
        }
    }

    fn tell_delivered(&self, known: &Known) {
        self.metrics
            .confirmed_after(clock::now().since(known.payment.created_at));
    }

    async fn surely_not_done(
        &self,
        job: &Job,
        known: &mut Known,
        retry_after: Option<Duration>,
        error: String,
    ) -> Result<Flow, LedgerError> {
        self.set(
            known,
            job,
            Delivery::Queued,
            "confirmation_not_done",
            Some(error.clone()),
        )
        .await?;
        self.again_or_give_up(job, known, retry_after, error).await
    }

    async fn again_or_give_up(
        &self,
        job: &Job,
        known: &mut Known,
        retry_after: Option<Duration>,
        error: String,
    ) -> Result<Flow, LedgerError> {
        if delivery::order_ends_soon(known, clock::now()) {
            return self
                .give_up(job, known, DeadReason::OrderExpires, &error)
                .await;
        }
        if job.age > self.limits.max_age {
            return self.give_up(job, known, DeadReason::TooOld, &error).await;
        }
        Ok(Flow::Stop(self.wait(job, retry_after, &error)))
    }

    /// An operator has to deliver it.
    async fn give_up(
        &self,
        job: &Job,
        known: &mut Known,
        reason: DeadReason,
        code: &str,
    ) -> Result<Flow, LedgerError> {
        if !self
            .set(
                known,
                job,
                Delivery::DeadLettered,
                "confirmation_dead_lettered",
                Some(format!("{}: {code}", reason.label())),
            )
            .await?
        {
            return Ok(Flow::Again);
        }
        error!(payment.id = %job.payment_id, reason = reason.label(), code, "a confirmation cannot be delivered to Cleeng; it needs an operator");
        Ok(Flow::Stop(park(reason, code)))
    }

    /// Writes how far the confirmation is. `false`: somebody else was faster, nothing was written.
    async fn set(
        &self,
        known: &mut Known,
        job: &Job,
        delivery: Delivery,
        kind: &'static str,
        detail: Option<String>,
    ) -> Result<bool, LedgerError> {
        let Some(mut confirmation) = find(known, job) else {
            return Ok(false);
        };
        confirmation.delivery = delivery;
        known.payment.updated_at = clock::now();
        let change = Change {
            payment: known.payment.clone(),
            attempts: Vec::new(),
            confirmations: vec![confirmation.clone()],
            kind,
            detail,
        };
        match self.ledger.commit(&change).await? {
            Committed::Version(version) => {
                known.payment.version = version;
                if let Some(own) = known
                    .confirmations
                    .iter_mut()
                    .find(|one| one.id == confirmation.id)
                {
                    *own = confirmation;
                }
                Ok(true)
            }
            Committed::Conflict => Ok(false),
        }
    }
}

fn find(known: &Known, job: &Job) -> Option<Confirmation> {
    known
        .confirmations
        .iter()
        .find(|one| one.id == job.confirmation_id)
        .cloned()
}

fn result_of(answer: &Result<CleengPaymentId, CallError>) -> Reported {
    match answer {
        Ok(_) => Reported::Delivered,
        Err(CallError::NotDone { .. }) => Reported::NotDone,
        Err(CallError::Unknown { .. }) => Reported::Unknown,
        Err(CallError::Refused { .. }) => Reported::Refused,
        Err(CallError::Broken { .. }) => Reported::Broken,
    }
}
