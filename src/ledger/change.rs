//! What is written together: the difference between what the ledger holds and what it shall hold.

use crate::domain::attempt::Attempt;
use crate::domain::confirmation::Confirmation;
use crate::domain::money_back::MoneyBack;
use crate::domain::payment::{Known, Payment};
use crate::domain::view::{ConfirmationView, PaymentView};

/// Everything that is written together: one transaction, or nothing.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// The payment as it shall be, still with the version that the decision was taken on.
    pub(crate) payment: Payment,
    /// To be inserted, or replaced by their number (only their state changes, and their bytes may be forgotten).
    pub(crate) attempts: Vec<Attempt>,
    /// The highest number of an attempt that the ledger has; 0 while it has none. Numbers grow, so those above it are new.
    pub(crate) last_attempt: i64,
    /// To be inserted, or replaced by their sequence (only their delivery changes).
    pub(crate) confirmations: Vec<Confirmation>,
    /// The highest sequence of a confirmation that the ledger has; 0 while it has none.
    pub(crate) last_confirmation: i64,
    /// To be inserted, or replaced by their id. With any of them the change is written on its own, not in a group.
    pub(crate) money_back: Vec<MoneyBack>,
    /// What happened, for the history: a short fixed word.
    pub(crate) kind: &'static str,
    /// More about it for an operator: codes and causes, never a secret.
    pub(crate) detail: Option<String>,
    /// How far Cleeng has been told, when what the API shows is something new.
    pub(crate) view: Option<ConfirmationView>,
}

/// What became of a [`Change`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Committed {
    /// Written; the payment has this version now.
    Version(i64),
    /// Somebody else was faster: read again and decide again. Nothing was written.
    Conflict,
}

impl Change {
    /// All in which `after` differs from `before`, the payment as it was read. Tokens that are not kept are not written.
    pub(crate) fn between(
        before: &Known,
        after: &Known,
        kind: &'static str,
        detail: Option<String>,
    ) -> Change {
        let mut after = after.clone();
        after.forget_tokens();
        let view = PaymentView::of_known(&after);
        let news = !view.shows_the_same_as(&PaymentView::of_known(before));
        let view = news.then_some(view.confirmation);
        let mut attempts = after.attempts;
        attempts.retain(|attempt| !before.attempts.contains(attempt));
        let mut confirmations = after.confirmations;
        confirmations.retain(|confirmation| !before.confirmations.contains(confirmation));
        Change {
            payment: after.payment,
            attempts,
            last_attempt: before.attempts.last().map_or(0, |one| one.number),
            confirmations,
            last_confirmation: before.confirmations.last().map_or(0, |one| one.sequence),
            money_back: Vec::new(),
            kind,
            detail,
            view,
        }
    }

    /// What the API shows from now on, when that is something new.
    pub(super) fn view(&self) -> Option<PaymentView<'_>> {
        let confirmation = self.view?;
        Some(PaymentView::of(&self.payment, confirmation))
    }

    /// Together with these entries, which are no part of [`Known`].
    pub(crate) fn with_money_back(mut self, entries: Vec<MoneyBack>) -> Change {
        self.money_back.extend(entries);
        self
    }
}
