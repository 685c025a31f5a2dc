//! What Cleeng can be told of a payment, each with all that it takes: a refund without its amount cannot be asked for.

use super::{NewPaymentDetails, ReadBack};
use crate::domain::ids::{CleengPaymentId, PaymentDetailsId, SubscriptionId};
use crate::domain::money_back::MoneyBack;

/// One thing to tell Cleeng.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News<'a> {
    /// What became of the payment.
    ///
    /// `earlier` is the id of this payment's *authorized* record, when Cleeng has one: then that record is changed.
    /// After any other record (a rejection that turned out to be a capture) it is none, and a new record is made.
    Status {
        status: StatusNews,
        earlier: Option<CleengPaymentId>,
    },
    /// Money went back to the payer; `record` is the payment's captured record.
    MoneyBack {
        record: CleengPaymentId,
        entry: &'a MoneyBack,
    },
}

/// What Cleeng is told of a change of payment details, which has no record of its own there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DetailsNews<'a> {
    /// A method is kept.
    Made(NewPaymentDetails<'a>),
    /// The subscription is renewed with the new details.
    Attached {
        new: PaymentDetailsId,
        subscription: SubscriptionId,
    },
    /// The new details take the place of the old ones, which are switched off.
    Replaced {
        new: PaymentDetailsId,
        old: PaymentDetailsId,
    },
}

/// A state that the payment alone tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatusNews {
    Authorized,
    Captured,
    Rejected,
    Cancelled,
}

impl StatusNews {
    /// As Cleeng spells it.
    pub(super) fn label(self) -> &'static str {
        match self {
            StatusNews::Authorized => "authorized",
            StatusNews::Captured => "captured",
            StatusNews::Rejected => "rejected",
            StatusNews::Cancelled => "cancelled",
        }
    }
}

impl News<'_> {
    /// The record that is changed; none when a new one is made.
    pub(super) fn changed(self) -> Option<CleengPaymentId> {
        match self {
            News::Status {
                status: StatusNews::Authorized,
                ..
            } => None,
            News::Status {
                status: StatusNews::Captured | StatusNews::Rejected | StatusNews::Cancelled,
                earlier,
            } => earlier,
            News::MoneyBack { record, .. } => Some(record),
        }
    }
}

impl DetailsNews<'_> {
    /// What is known after a lost answer. No documented read finds new details; the rest may be said twice without harm.
    pub(crate) fn after_a_lost_answer(self) -> ReadBack {
        match self {
            DetailsNews::Made(_) => ReadBack::CannotTell,
            DetailsNews::Attached { .. } | DetailsNews::Replaced { .. } => ReadBack::NotRecorded,
        }
    }
}
