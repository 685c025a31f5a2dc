//! Money that goes back to the payer after a capture: refunds and disputes, in words that every gateway shares.

mod news;
pub(crate) mod plan;

use super::ids::{CleengPaymentId, ObjectRef, RefundId};
use super::moment::Moment;
use super::money::Money;
use super::payment::{Payment, Status};

pub(crate) use news::{News, of_disputes, of_refunds};

/// Money given back, as the gateway shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refund {
    pub(crate) reference: ObjectRef,
    /// Ours, where we asked for it. One that was made in the gateway's own dashboard has none.
    pub(crate) id: Option<RefundId>,
    pub(crate) amount: Money,
    pub(crate) state: RefundState,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RefundState {
    /// The gateway has given the money back. It may still fail: the payer's bank has the last word.
    Done,
    Pending,
    /// Nothing was given back, or it came back; `code` is the gateway's word for why.
    Failed {
        code: String,
    },
}

/// The payer's bank asks for the money back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dispute {
    pub(crate) reference: ObjectRef,
    pub(crate) amount: Money,
    pub(crate) state: DisputeState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DisputeState {
    /// A question before a dispute, open or closed: no money was withdrawn.
    Inquiry,
    /// The money is withdrawn until it is decided.
    Open,
    /// The money is with us again.
    Won,
    /// The money is gone.
    Lost,
}

/// Money that went back, or is to go back, as the ledger keeps it beside its payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MoneyBack {
    /// Ours, also for what others made: it names the row. For a refund that we ask for it is the id that the gateway brings back.
    pub(crate) id: RefundId,
    pub(crate) kind: MoneyBackKind,
    pub(crate) amount: Money,
    pub(crate) state: MoneyBackState,
    /// The gateway's own id, once it is known.
    pub(crate) reference: Option<ObjectRef>,
    /// What Cleeng is told as its reason.
    pub(crate) reason: String,
    /// Cleeng's id of the payment, where Cleeng asked for it.
    pub(crate) cleeng_payment_id: Option<CleengPaymentId>,
    /// The attempt that asks the gateway for it, by its number within the payment.
    pub(crate) attempt: Option<i64>,
    /// The confirmation that tells Cleeng, by its sequence within the payment.
    pub(crate) told: Option<i64>,
    pub(crate) created_at: Moment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum MoneyBackKind {
    /// Asked for by Cleeng, and made by us.
    Refund,
    /// Made by others at the gateway.
    ForeignRefund,
    /// Taken by the payer's bank.
    Chargeback,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum MoneyBackState {
    /// To be asked for, or asked for and not answered yet.
    Wanted,
    /// The gateway works on it.
    Pending,
    /// The money is gone.
    Done,
    /// The gateway refused it, or it came back: nothing was given back.
    Failed,
    /// A chargeback that was decided for us after Cleeng was told: the money is with us again.
    Reversed,
}

impl MoneyBackKind {
    pub(crate) fn label(self) -> &'static str {
        match self {
            MoneyBackKind::Refund => "refund",
            MoneyBackKind::ForeignRefund => "foreign_refund",
            MoneyBackKind::Chargeback => "chargeback",
        }
    }

    pub(crate) fn from_label(text: &str) -> Option<MoneyBackKind> {
        [
            MoneyBackKind::Refund,
            MoneyBackKind::ForeignRefund,
            MoneyBackKind::Chargeback,
        ]
        .into_iter()
        .find(|kind| kind.label() == text)
    }
}

impl MoneyBackState {
    pub(crate) fn label(self) -> &'static str {
        match self {
            MoneyBackState::Wanted => "wanted",
            MoneyBackState::Pending => "pending",
            MoneyBackState::Done => "done",
            MoneyBackState::Failed => "failed",
            MoneyBackState::Reversed => "reversed",
        }
    }

    pub(crate) fn from_label(text: &str) -> Option<MoneyBackState> {
        [
            MoneyBackState::Wanted,
            MoneyBackState::Pending,
            MoneyBackState::Done,
            MoneyBackState::Failed,
            MoneyBackState::Reversed,
        ]
        .into_iter()
        .find(|state| state.label() == text)
    }

    /// Whether it counts against what is left of the payment: unknown counts as gone.
    pub(crate) fn counts(self) -> bool {
        match self {
            MoneyBackState::Wanted | MoneyBackState::Pending | MoneyBackState::Done => true,
            MoneyBackState::Failed | MoneyBackState::Reversed => false,
        }
    }
}

/// What is left of the payment's captured amount. None when it is not known, or makes no sense.
pub(crate) fn left(payment: &Payment, entries: &[MoneyBack]) -> Option<Money> {
    let mut left = payment.order.as_ref()?.amount;
    for entry in entries.iter().filter(|entry| entry.state.counts()) {
        if entry.amount.currency != left.currency {
            return None;
        }
        left.minor = left.minor.checked_sub(entry.amount.minor)?;
    }
    Some(left)
}

/// The status of a payment that was captured, after what went back of it.
pub(crate) fn status(payment: &Payment, entries: &[MoneyBack]) -> Status {
    let gone = |entry: &&MoneyBack| entry.state == MoneyBackState::Done;
    let mut gone_back = entries.iter().filter(gone).peekable();
    if gone_back.peek().is_none() {
        return Status::Captured;
    }
    if gone_back.any(|entry| entry.kind == MoneyBackKind::Chargeback) {
        return Status::ChargedBack;
    }
    let gone: Vec<MoneyBack> = entries.iter().filter(gone).cloned().collect();
    match left(payment, &gone) {
        Some(left) if left.minor > 0 => Status::PartiallyRefunded,
        Some(_) | None => Status::Refunded,
    }
}

#[cfg(test)]
mod tests;
