//! Stripe's errors, in its own words as far as a client may depend on them.

use serde_json::{Map, Value, json};

use crate::simulator::call::Reply;
use crate::simulator::perform::Refusal;

/// An error to answer with.
#[derive(Debug, Clone)]
pub(crate) struct Fail {
    pub(crate) status: u16,
    /// Is it kept under the idempotency key? Only what an endpoint found while at work is.
    pub(crate) keep: bool,
    error: Map<String, Value>,
}

impl Fail {
    pub(crate) fn new(status: u16, kind: &str, message: impl Into<String>) -> Self {
        let mut error = Map::new();
        error.insert("type".to_owned(), json!(kind));
        error.insert("message".to_owned(), json!(message.into()));
        Fail {
            status,
            keep: false,
            error,
        }
    }

    /// The request itself is wrong.
    pub(crate) fn invalid(param: &str, message: impl Into<String>) -> Self {
        Fail::new(400, "invalid_request_error", message).and("param", json!(param))
    }

    pub(crate) fn code(self, code: &str) -> Self {
        let page = format!(
            "https://stripe.com/docs/error-codes/{}",
            code.replace('_', "-")
        );
        self.and("code", json!(code)).and("doc_url", json!(page))
    }

    pub(crate) fn and(mut self, field: &str, value: Value) -> Self {
        self.error.insert(field.to_owned(), value);
        self
    }

    pub(crate) fn kept(mut self) -> Self {
        self.keep = true;
        self
    }

    pub(crate) fn missing(param: &str) -> Self {
        Fail::invalid(param, format!("Missing required param: {param}.")).code("parameter_missing")
    }

    /// No such object; 404 when the path names it, 400 when a parameter does.
    pub(crate) fn no_such(status: u16, what: &str, id: &str, param: &str) -> Self {
        let message = format!("No such {what}: '{id}'");
        let mut fail = Fail::invalid(param, message).code("resource_missing");
        fail.status = status;
        fail
    }

    pub(crate) fn no_such_url(method: &str, path: &str) -> Self {
        let message = format!("Unrecognized request URL ({method}: {path}).");
        Fail::new(404, "invalid_request_error", message)
    }

    pub(crate) fn unauthorized(message: &str) -> Self {
        Fail::new(401, "invalid_request_error", message)
    }

    pub(crate) fn body(&self) -> Value {
        json!({ "error": self.error })
    }

    pub(crate) fn reply(&self) -> Reply {
        Reply::json(self.status, &self.body())
    }
}

/// Answers that are given without looking at the request.
pub(crate) fn refusal(why: Refusal) -> Reply {
    let fail = match why {
        Refusal::Unauthorized => Fail::unauthorized("Invalid API Key provided: sk_test_****"),
        Refusal::RateLimited => Fail::new(
            429,
            "invalid_request_error",
            "Request rate limit exceeded.",
        )
        .code("rate_limit"),
        Refusal::Broken => Fail::new(500, "api_error", "An unknown error occurred."),
        Refusal::Away => Fail::new(503, "api_error", "The API is temporarily unavailable."),
        Refusal::KeyInFlight => Fail::new(
            409,
            "idempotency_error",
            "There is currently another in-progress request using this Idempotent Key. Please try again later.",
        )
        .code("idempotency_key_in_use"),
        Refusal::KeyConflict => Fail::new(
            400,
            "idempotency_error",
            "Keys for idempotent requests can only be used with the same parameters they were first used with.",
        ),
    };
    fail.reply()
}
