//! Why the ledger did not answer.

use std::sync::Arc;

/// All of them mean the same to a caller: wait, keep the message, try again.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum LedgerError {
    #[error("the ledger is away or too slow")]
    Away(#[source] Arc<sqlx::Error>),
    #[error("the ledger did not answer in time")]
    TimedOut,
    /// Only when it is opened: made by another build, or its database user may not create tables.
    #[error("the ledger's tables could not be made fit for this build")]
    Tables(#[source] Arc<sqlx::migrate::MigrateError>),
    /// The process stops, or a bug ended the call.
    #[error("the ledger gave no answer")]
    Closed,
    /// A row that this build cannot read: a bug or a foreign hand.
    #[error("the ledger holds something unreadable in {column}")]
    Unreadable { column: &'static str },
}

impl LedgerError {
    /// Whether the fault may lie with one call of a group: the database refused a row of it, or a row cannot be read. Then
    /// nothing was done of the whole group.
    pub(super) fn may_be_one_calls(&self) -> bool {
        match self {
            LedgerError::Away(cause) => cause.as_database_error().is_some(),
            LedgerError::Unreadable { .. } => true,
            LedgerError::TimedOut | LedgerError::Tables(_) | LedgerError::Closed => false,
        }
    }
}

impl From<sqlx::Error> for LedgerError {
    fn from(cause: sqlx::Error) -> LedgerError {
        LedgerError::Away(Arc::new(cause))
    }
}

impl From<sqlx::migrate::MigrateError> for LedgerError {
    fn from(cause: sqlx::migrate::MigrateError) -> LedgerError {
        LedgerError::Tables(Arc::new(cause))
    }
}
