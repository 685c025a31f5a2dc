//! A confirmation: one call owed to Cleeng, in its place in the payment's order.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ids::{CleengPaymentId, PaymentId};
use super::moment::Moment;

/// One call owed to Cleeng. Its name everywhere: the message, the ledger, the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ConfirmationId(pub(crate) Uuid);

impl std::fmt::Display for ConfirmationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What Cleeng is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Report {
    Authorized,
    Captured,
    Rejected,
    Cancelled,
    /// Money was given back, in whole or in part; the refund says how much.
    Refunded,
    /// The payer's bank took the money back.
    ChargedBack,
    /// A method is kept: Cleeng gets payment details of its own for it.
    DetailsMade,
    /// The subscription is renewed with the new details.
    DetailsAttached,
    /// The old details are switched off.
    DetailsReplaced,
}

impl Report {
    pub(crate) const ALL: [Report; 9] = [
        Report::Authorized,
        Report::Captured,
        Report::Rejected,
        Report::Cancelled,
        Report::Refunded,
        Report::ChargedBack,
        Report::DetailsMade,
        Report::DetailsAttached,
        Report::DetailsReplaced,
    ];

    /// Whether it is about payment details and not about a payment.
    pub(crate) fn is_about_details(self) -> bool {
        match self {
            Report::DetailsMade | Report::DetailsAttached | Report::DetailsReplaced => true,
            Report::Authorized
            | Report::Captured
            | Report::Rejected
            | Report::Cancelled
            | Report::Refunded
            | Report::ChargedBack => false,
        }
    }

    /// As the ledger stores it and a metric's label shows it; but for a chargeback also as Cleeng spells the payment's status.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Report::Authorized => "authorized",
            Report::Captured => "captured",
            Report::Rejected => "rejected",
            Report::Cancelled => "cancelled",
            Report::Refunded => "refunded",
            Report::ChargedBack => "charged_back",
            Report::DetailsMade => "details_made",
            Report::DetailsAttached => "details_attached",
            Report::DetailsReplaced => "details_replaced",
        }
    }

    pub(crate) fn from_label(text: &str) -> Option<Report> {
        Report::ALL
            .into_iter()
            .find(|report| report.label() == text)
    }
}

/// How far a confirmation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// Owed; never sent, or surely not done.
    Queued,
    /// Written down as being sent: from here on an answer may have been lost.
    Sending { since: Moment },
    /// Cleeng has it. The id is the payment's, or for payment details theirs, which is a number of another kind. It is missing only when the answer was lost and a read found the record without its id.
    Delivered {
        cleeng_payment_id: Option<CleengPaymentId>,
    },
    /// With the operator.
    DeadLettered,
}

/// One confirmation of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Confirmation {
    pub(crate) id: ConfirmationId,
    pub(crate) payment_id: PaymentId,
    /// 1, 2, 3 … within the payment; they are delivered in this order.
    pub(crate) sequence: i64,
    pub(crate) report: Report,
    pub(crate) delivery: Delivery,
    pub(crate) created_at: Moment,
}

impl Confirmation {
    /// The next one that is owed for a payment which has these so far.
    pub(crate) fn next(
        earlier: &[Confirmation],
        id: ConfirmationId,
        payment_id: PaymentId,
        report: Report,
        now: Moment,
    ) -> Confirmation {
        Confirmation {
            id,
            payment_id,
            sequence: earlier
                .last()
                .map_or(1, |last| last.sequence.saturating_add(1)),
            report,
            delivery: Delivery::Queued,
            created_at: now,
        }
    }

    /// Whether nothing more is done about it without an operator.
    pub(crate) fn is_settled(&self) -> bool {
        match self.delivery {
            Delivery::Queued | Delivery::Sending { .. } => false,
            Delivery::Delivered { .. } | Delivery::DeadLettered => true,
        }
    }
}
