//! A payment in hand during one run: what is known of it, and what is not yet written down.

mod money_back;

use std::collections::BTreeSet;
use std::sync::Arc;

use uuid::Uuid;

use crate::domain::attempt::{Attempt, AttemptState, Prepared, Stage};
use crate::domain::confirmation::{Confirmation, ConfirmationId, Delivery, Report};
use crate::domain::failure::CallError;
use crate::domain::ids::AttemptId;
use crate::domain::moment::Moment;
use crate::domain::money_back::MoneyBack;
use crate::domain::payment::Known;
use crate::domain::plan::Seen;
use crate::gateway::Gateway;
use crate::ledger::Change;
use crate::roles::breakers::{Call, Guard};
use crate::telemetry::trace::TraceContext;

/// One payment in one run.
pub(super) struct Case {
    pub(super) known: Known,
    /// What the ledger holds of it.
    written: Known,
    pub(super) gateway: Arc<dyn Gateway>,
    /// Of the calls to that gateway.
    pub(super) breaker: Arc<Guard>,
    /// A call that the breaker has admitted and that is still to be made.
    pub(super) admitted: Option<Call>,
    pub(super) seen: Seen,
    /// What this run is about, for the history; nothing for the charge itself.
    pub(super) occasion: Option<&'static str>,
    /// Of the command; what is queued because of it is part of the same trace.
    pub(super) trace: Option<TraceContext>,
    /// Attempts of which this run knows that none of their sends had an effect, and whose next one is still to come.
    unsent: BTreeSet<i64>,
    /// Attempts that were sent in this run: they are not sent again in it.
    sent: BTreeSet<i64>,
    /// Confirmations that this run has put into their queue.
    queued: BTreeSet<i64>,
    /// Confirmations that this run has made.
    owed_now: BTreeSet<i64>,
    /// An earlier run may have been killed between its commit and its queueing.
    redelivered: bool,
    /// What went back of the payment, where this run is about that.
    pub(super) money_back: Vec<MoneyBack>,
    /// Of it, what the ledger holds.
    money_back_written: Option<Vec<MoneyBack>>,
    /// The gateway's list of refunds was read in this run, and is part of [`Case::money_back`].
    pub(super) listed: bool,
}

impl Case {
    pub(super) fn new(
        known: Known,
        gateway: Arc<dyn Gateway>,
        breaker: Arc<Guard>,
        trace: Option<TraceContext>,
        redelivered: bool,
    ) -> Case {
        Case {
            written: known.clone(),
            known,
            gateway,
            breaker,
            admitted: None,
            seen: Seen::Nothing,
            occasion: None,
            trace,
            unsent: BTreeSet::new(),
            sent: BTreeSet::new(),
            queued: BTreeSet::new(),
            owed_now: BTreeSet::new(),
            redelivered,
            money_back: Vec::new(),
            money_back_written: None,
            listed: false,
        }
    }

    /// Starts over from what the ledger says now. Should that be our own `refused` change, whose answer got lost on the way, what
    /// it owes is still ours to queue.
    pub(super) fn reload(&mut self, known: Known, refused: &Change) {
        let ours = |one: &&Confirmation| refused.confirmations.iter().any(|own| own.id == one.id);
        let owed_now = known.confirmations.iter().filter(ours);
        *self = Case {
            owed_now: owed_now.map(|one| one.sequence).collect(),
            sent: std::mem::take(&mut self.sent),
            queued: std::mem::take(&mut self.queued),
            admitted: self.admitted.take(),
            occasion: self.occasion,
            ..Case::new(
                known,
                Arc::clone(&self.gateway),
                Arc::clone(&self.breaker),
                self.trace,
                self.redelivered,
            )
        };
    }

    /// Whether the breaker admits the next call. Asked before anything is written about a send: what is written and not sent
    /// would be in doubt later.
    pub(super) fn admit(&mut self) -> bool {
        if self.admitted.is_none() {
            self.admitted = self.breaker.begin();
        }
        self.admitted.is_some()
    }

    /// A new attempt, to be written with the next commit.
    pub(super) fn add_attempt(&mut self, request: Prepared, now: Moment) -> AttemptId {
        let number = self
            .known
            .attempts
            .last()
            .map_or(1, |last| last.number.saturating_add(1));
        let id = AttemptId(Uuid::now_v7());
        self.known.attempts.push(Attempt {
            id,
            number,
            request,
            created_at: now,
            key_expires_at: now.plus(self.gateway.key_lifetime()),
            state: AttemptState::Open,
        });
        self.unsent.insert(number);
        id
    }

    pub(super) fn attempt(&self, id: AttemptId) -> Option<&Attempt> {
        self.known.attempts.iter().find(|attempt| attempt.id == id)
    }

    pub(super) fn set_state(&mut self, id: AttemptId, state: AttemptState) {
        if let Some(attempt) = self
            .known
            .attempts
            .iter_mut()
            .find(|attempt| attempt.id == id)
        {
            attempt.state = state;
        }
    }

    /// Closes an attempt that surely did nothing and can do nothing any more.
    pub(super) fn void(&mut self, id: AttemptId) {
        self.set_state(id, AttemptState::Void);
    }

    /// Closes the open attempts of those stages that `settled` names.
    pub(super) fn close_attempts(&mut self, state: AttemptState, settled: impl Fn(Stage) -> bool) {
        for attempt in &mut self.known.attempts {
            if attempt.state.is_open() && settled(attempt.request.stage) {
                attempt.state = state;
            }
        }
    }

    /// Takes in that a send failed.
    pub(super) fn fail_attempt(&mut self, id: AttemptId, failure: &CallError, first_send: bool) {
        if let Some(state) = self
            .attempt(id)
            .map(|attempt| attempt.state.after(failure, first_send))
        {
            self.set_state(id, state);
        }
    }

    pub(super) fn is_unsent(&self, number: i64) -> bool {
        self.unsent.contains(&number)
    }

    /// Notes that what was sent before surely had no effect, and that the ledger holds the attempt as open again.
    pub(super) fn mark_unsent(&mut self, number: i64) {
        self.unsent.insert(number);
    }

    /// Notes that an attempt is being sent; whether this is surely the first send that can have an effect.
    pub(super) fn note_send(&mut self, number: i64) -> bool {
        self.sent.insert(number);
        self.unsent.remove(&number)
    }

    pub(super) fn was_sent_in_this_run(&self, number: i64) -> bool {
        self.sent.contains(&number)
    }

    pub(super) fn has_unwritten(&self) -> bool {
        self.known.attempts != self.written.attempts || !self.unwritten_money_back().is_empty()
    }

    /// Adds what Cleeng has to be told.
    pub(super) fn owe(&mut self, report: Report, now: Moment) {
        let id = ConfirmationId(Uuid::now_v7());
        let earlier = &self.known.confirmations;
        let owed = Confirmation::next(earlier, id, self.known.payment.id, report, now);
        self.owed_now.insert(owed.sequence);
        self.known.confirmations.push(owed);
    }

    /// The confirmations that this run has to queue: its own, and after a redelivery all that nobody is known to have taken up.
    /// Others' are theirs to queue, and may be waiting for a reason.
    pub(super) fn owed(&self) -> Vec<Confirmation> {
        let is_ours = |one: &&Confirmation| {
            let sequence = one.sequence;
            let taken_over = self.redelivered || self.owed_now.contains(&sequence);
            one.delivery == Delivery::Queued && taken_over && !self.queued.contains(&sequence)
        };
        self.known
            .confirmations
            .iter()
            .filter(is_ours)
            .cloned()
            .collect()
    }

    pub(super) fn note_queued(&mut self, sequence: i64) {
        self.queued.insert(sequence);
    }

    /// Everything that is not written yet, as one change.
    pub(super) fn change(&self, kind: &'static str, detail: Option<String>) -> Change {
        let change = Change::between(&self.written, &self.known, kind, detail);
        change.with_money_back(self.unwritten_money_back())
    }

    /// Whether the payment has a status that the ledger does not hold yet.
    pub(super) fn is_moved(&self) -> bool {
        self.known.payment.status != self.written.payment.status
    }

    /// Notes that a change was written.
    pub(super) fn written(&mut self, version: i64) {
        self.known.forget_tokens();
        self.known.payment.version = version;
        self.written = self.known.clone();
        if let Some(written) = &mut self.money_back_written {
            written.clone_from(&self.money_back);
        }
    }
}
