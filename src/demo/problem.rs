//! Why the page did not get what it asked for, in the shape of the API's problems (RFC 9457).

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// The request makes no sense, for the reason given.
    Refused(String),
    Away,
    /// The simulator answered with this status.
    Answered(u16),
    Unreadable,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, word, title, detail) = match self {
            Problem::Refused(why) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "demo-request",
                "The demo cannot do that",
                why,
            ),
            Problem::Away => (
                StatusCode::BAD_GATEWAY,
                "simulator-away",
                "The simulator cannot be reached",
                "It runs in the same process as this page: start the demo again.".to_owned(),
            ),
            Problem::Answered(status) => (
                StatusCode::BAD_GATEWAY,
                "simulator-refused",
                "The simulator refused",
                format!("It answered with status {status}."),
            ),
            Problem::Unreadable => (
                StatusCode::BAD_GATEWAY,
                "simulator-unreadable",
                "The simulator's answer cannot be read",
                "This page and the simulator do not agree on its shape.".to_owned(),
            ),
        };
        let body = json!({
            "type": format!("urn:cleeng-connector:problem:{word}"),
            "title": title,
            "status": status.as_u16(),
            "detail": detail,
        });
        let headers = [(header::CONTENT_TYPE, "application/problem+json")];
        (status, headers, body.to_string()).into_response()
    }
}
