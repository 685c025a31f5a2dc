//! Why the ledger did not answer.

use std::sync::Arc;

use crate::tls::{Settings, Unbelieved};

/// What TLS to PostgreSQL is set with.
const SETTINGS: Settings = Settings {
    server: "PostgreSQL",
    url: "ledger.url",
    authority: "sslrootcert in ledger.url",
    identity: "sslcert and sslkey in ledger.url",
};

/// All of them mean the same to a caller: wait, keep the message, try again.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum LedgerError {
    #[error("the ledger is away or too slow")]
    Away(#[source] Arc<sqlx::Error>),
    /// It is there, and TLS with it was not agreed on.
    #[error(transparent)]
    Unbelieved(Unbelieved),
    /// The server has none, or a file of ours cannot be used.
    #[error(
        "TLS with PostgreSQL was not agreed on; look at sslmode and the files in ledger.url, and at ssl of the server"
    )]
    NoTls(#[source] Arc<sqlx::Error>),
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

/// The classes of PostgreSQL's SQLSTATE that blame a statement, not the server or the way to it: cardinality, data, integrity,
/// transaction rollback, syntax and access, unsupported, limits, object state (a lock not had in time).
const STATEMENTS_FAULT: [&str; 8] = ["21", "22", "23", "40", "42", "0A", "54", "55"];
/// In one of them, yet says that the outcome is not known.
const COMPLETION_UNKNOWN: &str = "40003";
/// SQLite's result codes that do the same: too big, constraint, mismatch. Its extended codes have them in their low byte.
const SQLITE_FAULT: [u32; 3] = [18, 19, 20];

impl LedgerError {
    /// Whether the fault may lie with one call of a group, and surely nothing was done of the whole of it. An error that speaks
    /// of the server, or of the way there, says nothing about what was done: a proxy may have lost it after the commit.
    pub(super) fn may_be_one_calls(&self) -> bool {
        match self {
            LedgerError::Away(cause) => cause
                .as_database_error()
                .and_then(|error| error.code())
                .is_some_and(|code| blames_the_statement(&code)),
            LedgerError::Unreadable { .. } => true,
            LedgerError::Unbelieved(_)
            | LedgerError::NoTls(_)
            | LedgerError::TimedOut
            | LedgerError::Tables(_)
            | LedgerError::Closed => false,
        }
    }
}

/// SQLSTATEs have five characters, SQLite's codes are numbers of at most four digits.
fn blames_the_statement(code: &str) -> bool {
    match code.len() {
        5 => {
            code != COMPLETION_UNKNOWN
                && STATEMENTS_FAULT.iter().any(|class| code.starts_with(class))
        }
        _ => code
            .parse::<u32>()
            .is_ok_and(|number| SQLITE_FAULT.contains(&(number & 0xff))),
    }
}

impl From<sqlx::Error> for LedgerError {
    fn from(cause: sqlx::Error) -> LedgerError {
        if let Some(unbelieved) = Unbelieved::by(&cause, SETTINGS) {
            return LedgerError::Unbelieved(unbelieved);
        }
        if matches!(cause, sqlx::Error::Tls(_)) {
            return LedgerError::NoTls(Arc::new(cause));
        }
        LedgerError::Away(Arc::new(cause))
    }
}

impl From<sqlx::migrate::MigrateError> for LedgerError {
    fn from(cause: sqlx::migrate::MigrateError) -> LedgerError {
        LedgerError::Tables(Arc::new(cause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_blames_the_statement_surely_did_nothing() {
        for code in [
            "22021", "23505", "40P01", "40001", "55P03", "2067", "787", "18",
        ] {
            assert!(blames_the_statement(code), "{code}");
        }
        for code in [
            "08006", "08P01", "25006", "40003", "53300", "57P01", "XX000", "5", "261", "10", "",
        ] {
            assert!(!blames_the_statement(code), "{code}");
        }
    }
}
