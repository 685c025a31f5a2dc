//! Sending one confirmation, and reading back one whose answer was lost.

use std::time::{Duration, Instant};

use super::record::find;
use super::{Confirmer, Flow, Job};
use crate::broker::Verdict;
use crate::cleeng::{News, ReadBack, StatusNews};
use crate::clock;
use crate::domain::confirmation::{Confirmation, Delivery};
use crate::domain::dead::DeadReason;
use crate::domain::delivery;
use crate::domain::failure::CallError;
use crate::domain::ids::CleengPaymentId;
use crate::domain::money_back::MoneyBack;
use crate::domain::payment::Known;
use crate::ledger::LedgerError;
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
        let entries = self.entries(&confirmation).await?;
        let Some(news) = news(&confirmation, earlier, &entries) else {
            return self.no_refund(job, known).await;
        };
        let Some(call) = self.breaker.begin() else {
            return self.barred(job, known).await;
        };
        let Ok(turn) = self.cleeng.turn().await else {
            let error = "the process stops before Cleeng may be called again";
            return Ok(Flow::Stop(self.wait(job, None, error)));
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
        let answer = self.cleeng.report(turn, &known.payment, news).await;
        call.ended(&answer);
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
                if self.breaker.is_open() {
                    return Ok(Flow::Stop(Verdict::Hold { error }));
                }
                Ok(Flow::Stop(self.wait(job, Some(self.settle_time), &error)))
            }
            Err(CallError::Refused { code }) => {
                self.give_up(job, known, DeadReason::CleengRefused, &code)
                    .await
            }
            Err(CallError::Broken { code }) => {
                self.not_done(job, known, code.clone()).await?;
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
        let earlier = delivery::earlier_record(known, &confirmation);
        let entries = self.entries(&confirmation).await?;
        let Some(news) = news(&confirmation, earlier, &entries) else {
            return self.no_refund(job, known).await;
        };
        let Some(call) = self.breaker.begin() else {
            return self.barred(job, known).await;
        };
        let started = Instant::now();
        let answer = self.cleeng.read_back(&known.payment, news).await;
        call.ended(&answer);
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

    /// While Cleeng is away, an order is read before anything is sent: a read puts nothing in doubt.
    pub(super) async fn probe(&self, job: &Job, known: &mut Known) -> Result<Flow, LedgerError> {
        let Some(call) = self.breaker.begin() else {
            return self.barred(job, known).await;
        };
        let started = Instant::now();
        let answer = self.cleeng.order(known.payment.order_id).await;
        self.metrics
            .cleeng_took(CleengCall::Order, started.elapsed());
        call.ended(&answer);
        if self.breaker.is_open() {
            return self.barred(job, known).await;
        }
        Ok(Flow::Again)
    }

    /// Cleeng is away: this one waits like all others, unless its time is over.
    async fn barred(&self, job: &Job, known: &mut Known) -> Result<Flow, LedgerError> {
        let error = format!("{} is away", self.breaker.target());
        self.again_or_give_up(job, known, None, error).await
    }

    /// What went back of the payment, for the news that are about it.
    async fn entries(&self, confirmation: &Confirmation) -> Result<Vec<MoneyBack>, LedgerError> {
        match StatusNews::of(confirmation.report) {
            Some(_) => Ok(Vec::new()),
            None => self.ledger.money_back(confirmation.payment_id).await,
        }
    }

    async fn no_refund(&self, job: &Job, known: &mut Known) -> Result<Flow, LedgerError> {
        let why = "Cleeng's id of the payment, or the refund, is not known";
        self.give_up(job, known, DeadReason::CleengRefused, why)
            .await
    }

    async fn surely_not_done(
        &self,
        job: &Job,
        known: &mut Known,
        retry_after: Option<Duration>,
        error: String,
    ) -> Result<Flow, LedgerError> {
        self.not_done(job, known, error.clone()).await?;
        self.again_or_give_up(job, known, retry_after, error).await
    }
}

/// What the confirmation tells in full; none for money that went back while it is not known how much, or of which record.
fn news<'a>(
    confirmation: &Confirmation,
    earlier: Option<CleengPaymentId>,
    entries: &'a [MoneyBack],
) -> Option<News<'a>> {
    if let Some(status) = StatusNews::of(confirmation.report) {
        return Some(News::Status { status, earlier });
    }
    let told = Some(confirmation.sequence);
    let entry = entries.iter().find(|entry| entry.told == told)?;
    let record = entry.cleeng_payment_id.or(earlier)?;
    Some(News::MoneyBack { record, entry })
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
