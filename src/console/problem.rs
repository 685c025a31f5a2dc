//! What an operator is told when it does not work: RFC 9457 `application/problem+json`, as the public API does.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::broker::BrokerError;
use crate::ledger::LedgerError;
use crate::operator::DeskError;
use crate::telemetry::chain::error_chain;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// There is no token to know an operator by.
    Off,
    Unauthorized,
    WrongToken,
    TooManyTries,
    UnknownPath,
    WrongMethod,
    UnknownPayment,
    UnknownLetter,
    /// The request makes no sense, for the reason given.
    Invalid(String),
    /// It makes sense and is not done, for the reason given.
    NotTaken(String),
    /// Somebody else is at the dead letters.
    Busy,
    Unavailable(String),
}

impl Problem {
    fn told(&self) -> (StatusCode, &'static str, &'static str, String) {
        let text = str::to_owned;
        match self {
            Problem::Off => (
                StatusCode::NOT_FOUND,
                "console-off",
                "The console is not configured",
                text(
                    "Set ops.admin_token (CONNECTOR_OPS__ADMIN_TOKEN, or …_FILE) to 16 characters or more, such as `openssl rand -hex 32` prints, and restart.",
                ),
            ),
            Problem::Unauthorized => (
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "The token is missing",
                text("Send Authorization: Bearer with a token of ops.admin_token."),
            ),
            Problem::WrongToken => (
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "The token is wrong",
                text("It is none of ops.admin_token."),
            ),
            Problem::TooManyTries => (
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-tries",
                "Too many wrong tokens",
                text("Somebody tries tokens: no token is looked at for a moment. Try again."),
            ),
            Problem::UnknownPath => (
                StatusCode::NOT_FOUND,
                "unknown-path",
                "No such path",
                text("See the README for the paths of this API."),
            ),
            Problem::WrongMethod => (
                StatusCode::METHOD_NOT_ALLOWED,
                "wrong-method",
                "The path does not know this method",
                text("See the Allow header."),
            ),
            Problem::UnknownPayment => (
                StatusCode::NOT_FOUND,
                "unknown-payment",
                "No such payment",
                text("The ledger has no payment of this id."),
            ),
            Problem::UnknownLetter => (
                StatusCode::NOT_FOUND,
                "unknown-dead-letter",
                "No such dead letter",
                text(
                    "It may have been replayed or discarded meanwhile. Only the first 1000 are looked at.",
                ),
            ),
            Problem::Invalid(why) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid-request",
                "The request is wrong",
                why.clone(),
            ),
            Problem::NotTaken(why) => (
                StatusCode::CONFLICT,
                "not-done",
                "Nothing was changed",
                why.clone(),
            ),
            Problem::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "Somebody else is at the dead letters",
                text("Nothing was done. Try again in a moment."),
            ),
            Problem::Unavailable(why) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "Broker or ledger cannot be used",
                why.clone(),
            ),
        }
    }
}

impl From<LedgerError> for Problem {
    fn from(cause: LedgerError) -> Problem {
        Problem::Unavailable(format!("The ledger: {}.", error_chain(&cause)))
    }
}

impl From<BrokerError> for Problem {
    fn from(cause: BrokerError) -> Problem {
        Problem::Unavailable(format!("The broker: {}.", error_chain(&cause)))
    }
}

impl From<DeskError> for Problem {
    fn from(cause: DeskError) -> Problem {
        match cause {
            DeskError::Broker(cause) => cause.into(),
            DeskError::Ledger(cause) => cause.into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, word, title, detail) = self.told();
        let document = json!({
            "type": format!("urn:cleeng-connector:problem:{word}"),
            "title": title, "status": status.as_u16(), "detail": detail,
        });
        let mut response = (status, Json(document)).into_response();
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        ) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}

pub(super) async fn no_such_path() -> Problem {
    Problem::UnknownPath
}

pub(super) async fn no_such_method() -> Problem {
    Problem::WrongMethod
}
