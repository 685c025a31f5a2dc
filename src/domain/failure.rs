//! What can go wrong with a call to the outside, sorted by what we will do about it.

use std::fmt;
use std::time::Duration;

use serde::de::{self, IntoDeserializer};
use serde::{Deserialize, Serialize};

/// What was seen, for the log, the attempt's record and the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cause {
    /// Name, connection or TLS failed: no byte of the request left.
    Connect,
    /// No answer within the time-out.
    TimedOut,
    /// The connection ended before the answer was complete.
    Reset,
    /// A 5xx answer (or 424).
    ServerError,
    /// A 5xx that the gateway replays from its store under this key: the key is spent and proves nothing.
    StoredError,
    /// A 2xx that could not be read.
    Unreadable,
    /// 429.
    RateLimited,
    /// Another request with the same key is under way (409), or 408.
    InFlight,
    /// The object is in a state that does not allow the call: a read will tell which.
    StateConflict,
    /// Our credential was turned away.
    Credential,
}

impl Cause {
    /// As the ledger stores it and a metric's label shows it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Cause::Connect => "connect",
            Cause::TimedOut => "timed_out",
            Cause::Reset => "reset",
            Cause::ServerError => "server_error",
            Cause::StoredError => "stored_error",
            Cause::Unreadable => "unreadable",
            Cause::RateLimited => "rate_limited",
            Cause::InFlight => "in_flight",
            Cause::StateConflict => "state_conflict",
            Cause::Credential => "credential",
        }
    }

    /// The reverse of [`Cause::label`]: serde's names are the same words, and cannot leave one out.
    pub(crate) fn from_label(text: &str) -> Option<Cause> {
        Cause::deserialize(IntoDeserializer::<de::value::Error>::into_deserializer(
            text,
        ))
        .ok()
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// A failed call. A declined card is none of these: it is an [`super::outcome::Outcome`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallError {
    /// Surely not done: send it again, not before `retry_after`.
    #[error("not done ({cause})")]
    NotDone {
        cause: Cause,
        retry_after: Option<Duration>,
    },
    /// Perhaps done: look up first; resend only under the same key.
    #[error("outcome unknown ({cause})")]
    Unknown { cause: Cause },
    /// This request will never do: park it. `code` is the other side's word or the HTTP status, never a body.
    #[error("refused ({code})")]
    Refused { code: String },
    /// No request will do, we are wrong (401, 403): keep the message, stop taking, shout.
    #[error("credential refused ({code})")]
    Broken { code: String },
}

impl CallError {
    /// The reaction, as a metric's label.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            CallError::NotDone { .. } => "not_done",
            CallError::Unknown { .. } => "unknown",
            CallError::Refused { .. } => "refused",
            CallError::Broken { .. } => "broken",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_read_back_from_its_label() {
        for cause in [
            Cause::Connect,
            Cause::StoredError,
            Cause::StateConflict,
            Cause::Credential,
        ] {
            assert_eq!(Cause::from_label(cause.label()), Some(cause));
        }
        assert_eq!(Cause::from_label("nonsense"), None);
    }
}
