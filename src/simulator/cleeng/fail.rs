//! Cleeng's errors: a status and a message, never a code.

use serde_json::json;

use crate::simulator::call::Reply;
use crate::simulator::perform::Refusal;

/// An error to answer with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fail {
    pub(crate) status: u16,
    pub(crate) message: String,
    shape: Shape,
}

/// What stands around the message; it differs from call to call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Message,
    Subscription,
    Data,
}

impl Fail {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Fail {
            status,
            message: message.into(),
            shape: Shape::Message,
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Fail::new(400, message)
    }

    /// Understood, and against a rule of business.
    pub(crate) fn unprocessable(message: impl Into<String>) -> Self {
        Fail::new(422, message)
    }

    pub(crate) fn not_found(what: &str, id: impl std::fmt::Display) -> Self {
        Fail::new(404, format!("{what} with id: {id} not found"))
    }

    /// As the change of a subscription is refused.
    pub(crate) fn without_subscription(mut self) -> Self {
        self.shape = Shape::Subscription;
        self
    }

    /// As the read of a customer is refused.
    pub(crate) fn without_data(mut self) -> Self {
        self.shape = Shape::Data;
        self
    }

    pub(crate) fn reply(&self) -> Reply {
        let message = &self.message;
        let body = match self.shape {
            Shape::Message => json!({ "message": message }),
            Shape::Subscription => {
                json!({ "success": false, "subscription": null, "message": message })
            }
            Shape::Data => json!({ "data": null, "success": false, "message": message }),
        };
        Reply::json(self.status, &body)
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
