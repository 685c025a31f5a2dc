//! What a worker writes down: one commit for everything that belongs together, then the confirmations that are owed.

use std::sync::Arc;

use tracing::error;

use super::case::Case;
use super::{Flow, Interrupted, Worker, job};
use crate::broker::{Outgoing, Queue, Verdict};
use crate::clock;
use crate::domain::attempt::{AttemptState, Stage};
use crate::domain::confirmation::Report;
use crate::domain::dead::DeadReason;
use crate::domain::message::Envelope;
use crate::domain::moment::Moment;
use crate::domain::outcome::{Decline, Outcome};
use crate::domain::payment::{self, Status, Transition};
use crate::domain::plan::{Doubt, Seen};
use crate::ledger::{Change, Committed};

/// How often an answer is held against what others write meanwhile, before the plan is asked anew.
const MOST_CONFLICTS: usize = 8;

impl Worker {
    /// Writes what is new. `false`: somebody else was faster; the case now holds what they wrote.
    pub(super) async fn commit(
        &self,
        case: &mut Case,
        kind: &'static str,
        detail: Option<String>,
    ) -> Result<bool, Interrupted> {
        // The history's entry has this time; what only changes an attempt moves no status.
        case.known.payment.updated_at = clock::now();
        let detail = job::told(kind, detail, case.occasion);
        let change = Arc::new(case.change(kind, detail));
        match self
            .ledger
            .commit(Arc::clone(&change))
            .await
            .map_err(Interrupted::Ledger)?
        {
            Committed::Version(version) => {
                if case.is_moved() {
                    self.metrics.moved(&case.known.payment);
                }
                case.written(version);
                Ok(true)
            }
            Committed::Conflict => {
                Box::pin(self.reload(case, &change)).await?;
                Ok(false)
            }
        }
    }

    async fn reload(&self, case: &mut Case, refused: &Change) -> Result<(), Interrupted> {
        let id = case.known.payment.id;
        let Some(known) = self.ledger.known(id).await.map_err(Interrupted::Ledger)? else {
            return Ok(());
        };
        let about_money_back = case.is_about_money_back();
        case.reload(known, refused);
        if about_money_back {
            case.set_money_back(self.read_money_back(case).await?);
        }
        Ok(())
    }

    /// Takes a definite answer of the gateway into the payment.
    pub(super) async fn conclude(
        &self,
        case: &mut Case,
        outcome: &Outcome,
    ) -> Result<Flow, Interrupted> {
        for _ in 0..MOST_CONFLICTS {
            let now = clock::now();
            let transition = transition(case, outcome, now);
            case.close_attempts(AttemptState::Answered, |stage| outcome.settles(stage));
            case.seen = Seen::Answer;
            match transition {
                Transition::Unchanged => {
                    if case.has_unwritten() {
                        let detail = Some(outcome.label().to_owned());
                        self.commit(case, "answer", detail).await?;
                    }
                    return Ok(Flow::Again);
                }
                Transition::Moved { payment, report } => {
                    case.known.payment = *payment;
                    let detail = Some(detail_of(outcome));
                    if self.write_move(case, "outcome", detail, report).await? {
                        return Ok(Flow::Again);
                    }
                    // Somebody else wrote meanwhile. The answer is a fact all the same: it is held against what they wrote.
                }
                Transition::WrongAmount { taken } => {
                    error!(payment.id = %case.known.payment.id, taken.minor, taken.currency = %taken.currency,
                        "the gateway took another amount than the order's; an operator has to look");
                    return Box::pin(self.fail(case, DeadReason::WrongAmount)).await;
                }
            }
        }
        Ok(Flow::Again)
    }

    /// Commits a changed payment and queues what Cleeng has to be told of it.
    pub(super) async fn move_to(
        &self,
        case: &mut Case,
        kind: &'static str,
        detail: Option<String>,
        report: Option<Report>,
    ) -> Result<Flow, Interrupted> {
        self.write_move(case, kind, detail, report).await?;
        Ok(Flow::Again)
    }

    /// `false`: somebody else was faster; the case now holds what they wrote.
    async fn write_move(
        &self,
        case: &mut Case,
        kind: &'static str,
        detail: Option<String>,
        report: Option<Report>,
    ) -> Result<bool, Interrupted> {
        for owed in report.map_or_else(Vec::new, |report| case.known.payment.owed_with(report)) {
            case.owe(owed, clock::now());
        }
        if !self.commit(case, kind, detail).await? {
            return Ok(false);
        }
        if report.is_some() {
            self.publish_owed(case).await?;
        }
        Ok(true)
    }

    /// Queues every confirmation that has not been taken up yet. A repetition does no harm: the confirmer looks first.
    pub(super) async fn publish_owed(&self, case: &mut Case) -> Result<(), Interrupted> {
        let owed = case.owed();
        if !owed.is_empty() {
            self.ledger.hand_over(case.known.clone());
        }
        for confirmation in owed {
            let envelope = Envelope::of_confirmation(&confirmation);
            let trace = case
                .trace
                .map(|trace| trace.child(rand::random()).to_string());
            let message = Outgoing::new(Queue::Confirmations, &envelope, trace);
            self.publisher
                .publish(message)
                .await
                .map_err(Interrupted::Queue)?;
            case.note_queued(confirmation.sequence);
        }
        Ok(())
    }

    /// The deadline has passed and nothing can happen any more.
    pub(super) async fn expire(&self, case: &mut Case) -> Result<Flow, Interrupted> {
        case.close_attempts(AttemptState::Void, |_| true);
        // A charge that surely was not done leaves no trace at the gateway: nobody has to be told.
        if let Transition::Moved { payment, report } =
            payment::expire(&case.known.payment, false, clock::now())
        {
            case.known.payment = *payment;
            return self.move_to(case, "expired", None, report).await;
        }
        Ok(Flow::Again)
    }

    /// The payment is refused by us: no gateway was asked. Of a checkout Cleeng is told nothing, its payer is. A renewal has no
    /// payer who waits: it is Cleeng's dunning that waits for an answer.
    pub(super) async fn refuse(
        &self,
        case: &mut Case,
        decline: Decline,
    ) -> Result<Flow, Interrupted> {
        let detail = decline.code.clone();
        let moved = payment::set(
            &case.known.payment,
            Status::Rejected,
            Some(decline),
            clock::now(),
        );
        if let Transition::Moved { payment, .. } = moved {
            let report = payment.renewal.map(|_| Report::Rejected);
            case.known.payment = *payment;
            return self.move_to(case, "refused", Some(detail), report).await;
        }
        Ok(Flow::Again)
    }

    /// Only an operator can go on: the payment says so, and the message goes to the dead letters.
    pub(super) async fn fail(
        &self,
        case: &mut Case,
        reason: DeadReason,
    ) -> Result<Flow, Interrupted> {
        let moved = payment::set(&case.known.payment, Status::Failed, None, clock::now());
        if let Transition::Moved { payment, .. } = moved {
            case.known.payment = *payment;
            if let Flow::Again = self
                .move_to(case, "failed", Some(reason.label().to_owned()), None)
                .await?
                && case.known.payment.status != Status::Failed
            {
                return Ok(Flow::Again);
            }
        }
        error!(payment.id = %case.known.payment.id, reason = reason.label(), "a payment cannot go on; it needs an operator");
        Ok(Flow::Stop(Verdict::park(
            reason,
            "the payment cannot go on by itself",
        )))
    }

    /// Money may have moved and nothing that we can ask would tell.
    pub(super) async fn stuck(&self, case: &mut Case, doubt: Doubt) -> Result<Flow, Interrupted> {
        if case.known.payment.status != Status::InDoubt && !self.doubt(case, doubt.label()).await? {
            return Ok(Flow::Again);
        }
        error!(payment.id = %case.known.payment.id, reason = doubt.label(), "a payment stays in doubt; it needs an operator");
        let reason = match doubt {
            Doubt::KeyExpired => DeadReason::KeyExpired,
            Doubt::StoredError => DeadReason::StoredError,
        };
        let verdict = Verdict::park(reason, "whether money moved cannot be found out by itself");
        Ok(Flow::Stop(verdict))
    }

    /// Writes that the payment is in doubt. `false`: somebody else was faster.
    pub(super) async fn doubt(&self, case: &mut Case, why: &str) -> Result<bool, Interrupted> {
        if let Transition::Moved { payment, .. } =
            payment::set(&case.known.payment, Status::InDoubt, None, clock::now())
        {
            case.known.payment = *payment;
        }
        self.commit(case, "in_doubt", Some(why.to_owned())).await
    }
}

/// What the outcome does to the payment; one that was ended because its time was over has expired, and a hold that ran out while
/// it was to be given up is not missed.
fn transition(case: &Case, outcome: &Outcome, now: Moment) -> Transition {
    let payment = &case.known.payment;
    if let (Outcome::Lapsed { .. }, Some(reference)) = (outcome, payment.reference())
        && was_tried(case, Stage::Void)
    {
        let reference = reference.clone();
        return payment::apply(payment, &Outcome::Cancelled { reference }, now);
    }
    let ended_late = matches!(outcome, Outcome::Cancelled { .. }) && now >= payment.expires_at;
    if ended_late && !payment.status.is_final() {
        payment::expire(payment, was_tried(case, Stage::Charge), now)
    } else {
        payment::apply(payment, outcome, now)
    }
}

/// Whether a request of this stage was ever written down.
fn was_tried(case: &Case, stage: Stage) -> bool {
    let attempts = &case.known.attempts;
    attempts.iter().any(|one| one.request.stage == stage)
}

fn detail_of(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Rejected { decline, .. } => format!("{}: {}", outcome.label(), decline.code),
        Outcome::Opened { .. }
        | Outcome::Authorized { .. }
        | Outcome::Captured { .. }
        | Outcome::RequiresAction { .. }
        | Outcome::Pending { .. }
        | Outcome::Cancelled { .. }
        | Outcome::Lapsed { .. }
        | Outcome::Refunded { .. }
        | Outcome::Saved { .. }
        | Outcome::Removed => outcome.label().to_owned(),
    }
}
