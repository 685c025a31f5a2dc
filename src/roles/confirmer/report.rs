//! Sending one confirmation, and reading back one whose answer was lost.

use std::time::{Duration, Instant};

use super::record::find;
use super::{Confirmer, Flow, Job};
use crate::broker::Verdict;
use crate::cleeng::{DetailsNews, NewPaymentDetails, News, ReadBack, StatusNews};
use crate::clock;
use crate::domain::confirmation::{Confirmation, Delivery, Report};
use crate::domain::dead::DeadReason;
use crate::domain::delivery;
use crate::domain::failure::CallError;
use crate::domain::ids::{CleengPaymentId, PaymentDetailsId};
use crate::domain::money_back::MoneyBack;
use crate::domain::payment::{Known, Payment};
use crate::ledger::LedgerError;
use crate::telemetry::labels::{CleengCall, Reported};
use crate::telemetry::spans;

/// What one confirmation tells.
#[derive(Clone, Copy)]
enum Telling<'a> {
    Payment(News<'a>),
    Details(DetailsNews<'a>),
}

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
        let payment = known.payment.clone();
        let Some(news) = telling(&payment, &confirmation, earlier, &entries) else {
            return Box::pin(self.cannot_be_told(job, known)).await;
        };
        let Some(call) = self.breaker.begin() else {
            return Box::pin(self.barred(job, known)).await;
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
        let telling = Box::pin(async {
            match news {
                Telling::Payment(news) => self.cleeng.report(turn, &payment, news).await,
                Telling::Details(news) => self.cleeng.report_details(turn, news).await,
            }
        });
        let span = spans::cleeng(CleengCall::Report, Some(payment.id));
        let answer = spans::call(span, |_| "done", telling).await;
        call.ended(&answer);
        self.metrics
            .cleeng_took(CleengCall::Report, started.elapsed());
        self.tried(&confirmation, result_of(&answer));
        match answer {
            Ok(id) => self.delivered(job, known, Some(id)).await,
            Err(CallError::NotDone { retry_after, cause }) => {
                let error = format!("the report to Cleeng was not done: {cause}");
                Box::pin(self.surely_not_done(job, known, retry_after, error)).await
            }
            Err(CallError::Unknown { cause }) => {
                let error = format!("Cleeng's answer was lost: {cause}");
                if self.breaker.is_open() {
                    return Ok(Flow::Stop(Verdict::Hold { error }));
                }
                Ok(Flow::Stop(self.wait(job, Some(self.settle_time), &error)))
            }
            Err(CallError::Refused { code }) => {
                let refused = DeadReason::CleengRefused;
                Box::pin(self.give_up(job, known, refused, &code)).await
            }
            Err(CallError::Broken { code }) => {
                Box::pin(self.not_done(job, known, code.clone())).await?;
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
        let payment = known.payment.clone();
        let Some(news) = telling(&payment, &confirmation, earlier, &entries) else {
            return self.cannot_be_told(job, known).await;
        };
        let answer = match news {
            Telling::Payment(news) => {
                let Some(call) = self.breaker.begin() else {
                    return self.barred(job, known).await;
                };
                let started = Instant::now();
                let span = spans::cleeng(CleengCall::ReadBack, Some(payment.id));
                let reading = self.cleeng.read_back(&payment, news);
                let answer = spans::call(span, found, reading).await;
                call.ended(&answer);
                self.metrics
                    .cleeng_took(CleengCall::ReadBack, started.elapsed());
                answer
            }
            Telling::Details(news) => Ok(news.after_a_lost_answer()),
        };
        match answer {
            Ok(ReadBack::Recorded(id)) => {
                self.tried(&confirmation, Reported::AlreadyRecorded);
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

    /// While Cleeng is away, an order is read before anything is sent: a read puts nothing in doubt. A change of payment details has
    /// none; that there is no such order is an answer as well.
    pub(super) async fn probe(&self, job: &Job, known: &mut Known) -> Result<Flow, LedgerError> {
        let Some(call) = self.breaker.begin() else {
            return self.barred(job, known).await;
        };
        let started = Instant::now();
        let payment = &known.payment;
        let span = spans::cleeng(CleengCall::Order, Some(payment.id));
        let reading = self.cleeng.order(payment.order_id);
        let answer = spans::call(span, |_| "done", reading).await;
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
        match confirmation.report {
            Report::Refunded | Report::ChargedBack => {
                self.ledger.money_back(confirmation.payment_id).await
            }
            Report::Authorized
            | Report::Captured
            | Report::Rejected
            | Report::Cancelled
            | Report::DetailsMade
            | Report::DetailsAttached
            | Report::DetailsReplaced => Ok(Vec::new()),
        }
    }

    /// Counts a try to tell Cleeng, and how late it was.
    fn tried(&self, confirmation: &Confirmation, result: Reported) {
        self.metrics.reported(confirmation.report, result);
        let age = clock::now().since(confirmation.created_at);
        self.metrics.told_at_age(result, age);
    }

    async fn cannot_be_told(&self, job: &Job, known: &mut Known) -> Result<Flow, LedgerError> {
        let why = "Cleeng's id of what it is about, or the refund, is not known";
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

/// What the confirmation tells in full; none while it is not known how much went back, or what Cleeng calls that which it is about.
fn telling<'a>(
    payment: &'a Payment,
    confirmation: &Confirmation,
    earlier: Option<CleengPaymentId>,
    entries: &'a [MoneyBack],
) -> Option<Telling<'a>> {
    let status = |status| Some(Telling::Payment(News::Status { status, earlier }));
    let details = payment.details.as_ref();
    let new = || Some(PaymentDetailsId(u64::try_from(earlier?.0).ok()?));
    let news = match confirmation.report {
        Report::Authorized => return status(StatusNews::Authorized),
        Report::Captured => return status(StatusNews::Captured),
        Report::Rejected => return status(StatusNews::Rejected),
        Report::Cancelled => return status(StatusNews::Cancelled),
        Report::Refunded | Report::ChargedBack => {
            let told = Some(confirmation.sequence);
            let entry = entries.iter().find(|entry| entry.told == told)?;
            let record = entry.cleeng_payment_id.or(earlier)?;
            return Some(Telling::Payment(News::MoneyBack { record, entry }));
        }
        Report::DetailsMade => DetailsNews::Made(NewPaymentDetails {
            customer_id: details?.customer_id,
            payment_method_id: details?.payment_method_id,
            stored: payment.stored.as_ref()?,
            active: true,
        }),
        Report::DetailsAttached => DetailsNews::Attached {
            new: new()?,
            subscription: details?.subscription_id?,
        },
        Report::DetailsReplaced => DetailsNews::Replaced {
            new: new()?,
            old: details?.replaces?,
        },
    };
    Some(Telling::Details(news))
}

/// What a read found, as its span says it.
fn found(answer: &ReadBack) -> &'static str {
    match answer {
        ReadBack::Recorded(_) => "recorded",
        ReadBack::NotRecorded => "not_recorded",
        ReadBack::CannotTell => "cannot_tell",
    }
}

pub(super) fn result_of(answer: &Result<CleengPaymentId, CallError>) -> Reported {
    match answer {
        Ok(_) => Reported::Delivered,
        Err(CallError::NotDone { .. }) => Reported::NotDone,
        Err(CallError::Unknown { .. }) => Reported::Unknown,
        Err(CallError::Refused { .. }) => Reported::Refused,
        Err(CallError::Broken { .. }) => Reported::Broken,
    }
}
