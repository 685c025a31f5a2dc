//! What Cleeng can be told of a payment, each with all that it takes: a refund without its amount cannot be asked for.

use crate::domain::confirmation::Report;
use crate::domain::ids::CleengPaymentId;
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

/// A state that the payment alone tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatusNews {
    Authorized,
    Captured,
    Rejected,
    Cancelled,
}

impl StatusNews {
    /// None for money that went back: the payment does not tell how much.
    pub(crate) fn of(report: Report) -> Option<StatusNews> {
        match report {
            Report::Authorized => Some(StatusNews::Authorized),
            Report::Captured => Some(StatusNews::Captured),
            Report::Rejected => Some(StatusNews::Rejected),
            Report::Cancelled => Some(StatusNews::Cancelled),
            Report::Refunded | Report::ChargedBack => None,
        }
    }

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
