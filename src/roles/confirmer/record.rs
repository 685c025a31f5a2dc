//! What a confirmer writes down about a confirmation: that it is being sent, delivered, or given up.

use std::time::Duration;

use tokio::time::Instant;
use tracing::{error, warn};

use super::{Confirmer, Flow, Job};
use crate::broker::Verdict;
use crate::clock;
use crate::domain::confirmation::{Confirmation, Delivery};
use crate::domain::dead::DeadReason;
use crate::domain::delivery;
use crate::domain::ids::CleengPaymentId;
use crate::domain::payment::Known;
use crate::ledger::{Change, Committed, LedgerError};
use crate::telemetry::chain::error_chain;

/// How long an answer of Cleeng is kept in hand while the ledger is away; less than the default grace of a stop.
const KEEP_ANSWER: Duration = Duration::from_secs(20);
const TRY_EVERY: Duration = Duration::from_millis(250);

impl Confirmer {
    /// Cleeng's answer is in hand. It is written whatever comes between, since its id cannot be read again.
    pub(super) async fn delivered(
        &self,
        job: &Job,
        known: &mut Known,
        cleeng_payment_id: Option<CleengPaymentId>,
    ) -> Result<Flow, LedgerError> {
        let delivered = Delivery::Delivered { cleeng_payment_id };
        let end = Instant::now() + KEEP_ANSWER;
        loop {
            match self.write_delivered(job, known, delivered).await {
                Ok(true) => break,
                Ok(false) => {}
                Err(cause) if Instant::now() < end => {
                    warn!(payment.id = %job.payment_id, error = error_chain(&cause), "Cleeng's answer waits for the ledger");
                    tokio::time::sleep(TRY_EVERY).await;
                }
                Err(cause) => return Err(cause),
            }
            if let Ok(Some(newer)) = self.ledger.known(job.payment_id).await {
                *known = newer;
            }
        }
        self.metrics
            .confirmed_after(clock::now().since(known.payment.created_at));
        Ok(Flow::Stop(Verdict::Done))
    }

    /// `true`: it stands in the ledger that the confirmation is delivered.
    async fn write_delivered(
        &self,
        job: &Job,
        known: &mut Known,
        delivered: Delivery,
    ) -> Result<bool, LedgerError> {
        // A write that timed out may have happened.
        if find(known, job).is_some_and(|one| one.delivery == delivered) {
            return Ok(true);
        }
        let detail = match delivered {
            Delivery::Delivered { cleeng_payment_id } => cleeng_payment_id.map(|id| id.to_string()),
            Delivery::Queued | Delivery::Sending { .. } | Delivery::DeadLettered => None,
        };
        self.set(known, job, delivered, "confirmation_delivered", detail)
            .await
    }

    pub(super) async fn again_or_give_up(
        &self,
        job: &Job,
        known: &mut Known,
        retry_after: Option<Duration>,
        error: String,
    ) -> Result<Flow, LedgerError> {
        let until_notice = delivery::time_until_notice(known, job.confirmation_id, clock::now());
        if until_notice.is_some_and(|left| left.is_zero()) {
            return self
                .give_up(job, known, DeadReason::OrderExpires, &error)
                .await;
        }
        if self.breaker.is_open() {
            // The outage is told by the breaker; the news wait until it is over.
            return Ok(Flow::Stop(Verdict::Hold { error }));
        }
        if job.age > self.limits.max_age {
            return self.give_up(job, known, DeadReason::TooOld, &error).await;
        }
        // Not asleep when the notice begins; but never before Cleeng's own Retry-After.
        let verdict = match (retry_after, until_notice) {
            (None, Some(left)) => self.wait_at_most(job, left, &error),
            (Some(_), _) | (None, None) => self.wait(job, retry_after, &error),
        };
        Ok(Flow::Stop(verdict))
    }

    /// A send surely did nothing: the confirmation is owed as before, whatever else was written to the payment meanwhile.
    pub(super) async fn not_done(
        &self,
        job: &Job,
        known: &mut Known,
        detail: String,
    ) -> Result<(), LedgerError> {
        let kind = "confirmation_not_done";
        while !self
            .set(known, job, Delivery::Queued, kind, Some(detail.clone()))
            .await?
        {
            match self.ledger.known(job.payment_id).await? {
                Some(newer) => *known = newer,
                None => break,
            }
            if !find(known, job).is_some_and(|one| matches!(one.delivery, Delivery::Sending { .. }))
            {
                break;
            }
        }
        Ok(())
    }

    /// An operator has to deliver it.
    pub(super) async fn give_up(
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
        Ok(Flow::Stop(Verdict::park(reason, code)))
    }

    /// Writes how far the confirmation is. `false`: somebody else was faster, nothing was written.
    pub(super) async fn set(
        &self,
        known: &mut Known,
        job: &Job,
        delivery: Delivery,
        kind: &'static str,
        detail: Option<String>,
    ) -> Result<bool, LedgerError> {
        let mut after = known.clone();
        let own = after
            .confirmations
            .iter_mut()
            .find(|one| one.id == job.confirmation_id);
        let Some(own) = own else {
            return Ok(false);
        };
        own.delivery = delivery;
        after.payment.updated_at = clock::now();
        let change = Change::between(known, &after, kind, detail);
        match self.ledger.commit(change.into()).await? {
            Committed::Version(version) => {
                after.payment.version = version;
                *known = after;
                Ok(true)
            }
            Committed::Conflict => Ok(false),
        }
    }
}

pub(super) fn find(known: &Known, job: &Job) -> Option<Confirmation> {
    known
        .confirmations
        .iter()
        .find(|one| one.id == job.confirmation_id)
        .cloned()
}
