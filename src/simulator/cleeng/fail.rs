//! Cleeng's errors: a status and a message, never a code.

use serde_json::json;

use crate::simulator::call::Reply;
use crate::simulator::perform::Refusal;

/// An error to answer with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fail {
    pub(crate) status: u16,
    pub(crate) message: String,
}

impl Fail {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Fail {
            status: 400,
            message: message.into(),
        }
    }

    /// Understood, and against a rule of business.
    pub(crate) fn unprocessable(message: impl Into<String>) -> Self {
        Fail {
            status: 422,
            message: message.into(),
        }
    }

    pub(crate) fn not_found(what: &str, id: impl std::fmt::Display) -> Self {
        Fail {
            status: 404,
            message: format!("{what} with id: {id} not found"),
        }
    }

    pub(crate) fn reply(&self) -> Reply {
        Reply::json(self.status, &json!({ "message": self.message }))
    }
}

/// Answers that are given without looking at the request.
pub(crate) fn refusal(why: Refusal) -> Reply {
    let (status, message) = match why {
        Refusal::Unauthorized => (401, "Invalid publisher token"),
        Refusal::RateLimited => (429, "Too many requests"),
        Refusal::Broken => (500, "Internal server error"),
        Refusal::Away => (503, "Service unavailable"),
        // Cleeng has no keys.
        Refusal::KeyInFlight | Refusal::KeyConflict => (500, "Internal server error"),
    };
    Reply::json(status, &json!({ "message": message }))
}
