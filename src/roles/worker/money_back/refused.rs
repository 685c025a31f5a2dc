//! Refunds that the gateway does not make: written down, and told to a person.

use tracing::{error, warn};

use super::super::case::Case;
use super::super::{Flow, Interrupted, Job, MOST_STEPS, Worker};
use crate::broker::Verdict;
use crate::domain::dead::DeadReason;
use crate::domain::money_back::plan::Errand;
use crate::domain::money_back::{MoneyBack, MoneyBackState};

impl Worker {
    /// An earlier send of these bytes may have been done: the list tells. What the gateway refuses now and does not have is not made.
    pub(super) async fn refused_again(
        &self,
        job: &Job,
        case: &mut Case,
        attempt: i64,
        code: String,
    ) -> Result<Flow, Interrupted> {
        case.listed = false;
        self.commit(case, "unknown", Some(code.clone())).await?;
        match self.list(job, case, Errand::ReadRefunds).await? {
            Flow::Again => self.refund_refused(job, case, attempt, &code).await,
            stop @ Flow::Stop(_) => Ok(stop),
        }
    }

    /// The gateway does not give it back. Cleeng has no word for that, so it is told nothing, and a person everything. The answer
    /// is a fact, whatever others write meanwhile.
    pub(super) async fn refund_refused(
        &self,
        job: &Job,
        case: &mut Case,
        attempt: i64,
        code: &str,
    ) -> Result<Flow, Interrupted> {
        for _ in 0..MOST_STEPS {
            let own = |entry: &&MoneyBack| {
                entry.attempt == Some(attempt) && entry.state == MoneyBackState::Wanted
            };
            let Some(entry) = case.money_back.iter().find(own).cloned() else {
                return Ok(Flow::Again);
            };
            case.put_entry(MoneyBack {
                state: MoneyBackState::Failed,
                ..entry.clone()
            });
            case.close_refund_attempts();
            let detail = Some(code.to_owned());
            if self.commit(case, "refund_refused", detail).await? {
                return self.tell_refused(job, case, &entry, code).await;
            }
        }
        Ok(Flow::Again)
    }

    /// It cannot be put to the gateway at all.
    pub(super) async fn unmakeable(
        &self,
        job: &Job,
        case: &mut Case,
        entry: &MoneyBack,
        code: &str,
    ) -> Result<Flow, Interrupted> {
        case.put_entry(MoneyBack {
            state: MoneyBackState::Failed,
            ..entry.clone()
        });
        match self
            .commit(case, "refund_refused", Some(code.to_owned()))
            .await?
        {
            true => self.tell_refused(job, case, entry, code).await,
            false => Ok(Flow::Again),
        }
    }

    async fn tell_refused(
        &self,
        job: &Job,
        case: &mut Case,
        entry: &MoneyBack,
        code: &str,
    ) -> Result<Flow, Interrupted> {
        error!(payment.id = %case.known.payment.id, refund.id = %entry.id, code, "the gateway refuses a refund that Cleeng asked for; it needs an operator");
        // The money may have gone back by other hands already: then that is news.
        if let Flow::Stop(_) = self.list(job, case, Errand::ReadRefunds).await? {
            warn!(payment.id = %case.known.payment.id, "the refunds of a payment could not be read");
        }
        Ok(Flow::Stop(Verdict::park(DeadReason::RefundRefused, code)))
    }
}
