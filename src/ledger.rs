//! What was intended, sent and learned: the durable memory of every payment, in PostgreSQL or SQLite.

use crate::domain::attempt::Attempt;
use crate::domain::confirmation::Confirmation;
use crate::domain::ids::{IdempotencyKey, PaymentId};
use crate::domain::moment::Moment;
use crate::domain::payment::{Known, Payment};

/// Why the ledger did not answer. All of them mean the same to a caller: wait, keep the message, try again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LedgerError {
    #[error("the ledger is away or too slow")]
    Away(#[source] sqlx::Error),
    #[error("the ledger did not answer in time")]
    TimedOut,
    /// A row that this build cannot read: a bug or a foreign hand.
    #[error("the ledger holds something unreadable in {column}")]
    Unreadable { column: &'static str },
}

/// A payment to be taken in, with what makes a repetition recognisable.
#[derive(Debug, Clone)]
pub(crate) struct NewPayment {
    pub(crate) payment: Payment,
    pub(crate) key: IdempotencyKey,
    /// SHA-256 of the body as canonical JSON.
    pub(crate) body_hash: [u8; 32],
}

/// What became of a [`NewPayment`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Accepted {
    Created,
    /// The key and the body are known: this is its payment.
    Replayed(Box<Known>),
    /// The key is known with another body.
    KeyReused,
    /// Another payment, under another key, holds the order.
    OrderTaken(PaymentId),
}

/// Everything that is written together: one transaction, or nothing.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// The payment as it shall be, still with the version that the decision was taken on.
    pub(crate) payment: Payment,
    /// To be inserted, or replaced by their id (only their state changes).
    pub(crate) attempts: Vec<Attempt>,
    /// To be inserted, or replaced by their id (only their delivery changes).
    pub(crate) confirmations: Vec<Confirmation>,
    /// What happened, for the history: a short fixed word.
    pub(crate) kind: &'static str,
    /// More about it for an operator: codes and causes, never a secret.
    pub(crate) detail: Option<String>,
}

/// What became of a [`Change`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Committed {
    /// Written; the payment has this version now.
    Version(i64),
    /// Somebody else was faster: read again and decide again. Nothing was written.
    Conflict,
}

/// One line of a payment's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HistoryEntry {
    pub(crate) sequence: i64,
    pub(crate) at: Moment,
    pub(crate) kind: String,
    pub(crate) detail: Option<String>,
    /// The payment's view (JSON text) when this entry changed what the API shows.
    pub(crate) view: Option<String>,
}

/// The payments in doubt, for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Doubts {
    pub(crate) count: i64,
    /// When the oldest of them was accepted.
    pub(crate) oldest: Option<Moment>,
}
