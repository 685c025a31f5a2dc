//! What went back of the payment in hand: what the ledger holds of it, and what is not yet written down.

use super::Case;
use crate::domain::attempt::{Attempt, AttemptState};
use crate::domain::ids::RefundId;
use crate::domain::moment::Moment;
use crate::domain::money_back::{self, MoneyBack, MoneyBackState, News};

impl Case {
    /// What the ledger says went back of the payment.
    pub(in crate::roles::worker) fn set_money_back(&mut self, entries: Vec<MoneyBack>) {
        self.money_back_written = Some(entries.clone());
        self.money_back = entries;
    }

    /// Whether this run is about what goes back of the payment.
    pub(in crate::roles::worker) fn is_about_money_back(&self) -> bool {
        self.money_back_written.is_some()
    }

    pub(in crate::roles::worker) fn entry(&self, id: RefundId) -> Option<&MoneyBack> {
        self.money_back.iter().find(|entry| entry.id == id)
    }

    /// The refund that this attempt asks for.
    pub(in crate::roles::worker) fn entry_of(&self, attempt: i64) -> Option<&MoneyBack> {
        self.money_back
            .iter()
            .find(|entry| entry.attempt == Some(attempt))
    }

    pub(in crate::roles::worker) fn put_entry(&mut self, new: MoneyBack) {
        match self.money_back.iter_mut().find(|entry| entry.id == new.id) {
            Some(entry) => *entry = new,
            None => self.money_back.push(new),
        }
    }

    /// Takes in one piece of news, what it makes of the payment, and what Cleeng is owed for it.
    pub(in crate::roles::worker) fn take_in(&mut self, news: News, now: Moment) {
        let News {
            mut entry, report, ..
        } = news;
        if let Some(report) = report {
            self.owe(report, now);
            entry.told = self.known.confirmations.last().map(|one| one.sequence);
        }
        self.put_entry(entry);
        self.known.payment.status = money_back::status(&self.known.payment, &self.money_back);
        self.known.payment.updated_at = now;
    }

    /// Closes the requests whose refund is known to be made, or refused.
    pub(in crate::roles::worker) fn close_refund_attempts(&mut self) {
        for entry in &self.money_back {
            let settled = entry.state != MoneyBackState::Wanted;
            let own = |one: &&mut Attempt| Some(one.number) == entry.attempt && one.state.is_open();
            if settled && let Some(attempt) = self.known.attempts.iter_mut().find(own) {
                attempt.state = AttemptState::Answered;
            }
        }
    }

    pub(super) fn unwritten_money_back(&self) -> Vec<MoneyBack> {
        let written = self.money_back_written.as_deref().unwrap_or_default();
        let is_new = |entry: &&MoneyBack| !written.contains(entry);
        self.money_back.iter().filter(is_new).cloned().collect()
    }
}
