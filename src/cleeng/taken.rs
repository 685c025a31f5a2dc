//! Whether Cleeng took a change that may be repeated, whose answer shows nothing that is needed. Pure.

use serde::de::IgnoredAny;

use super::report::refusal;
use super::wire;
use crate::domain::failure::CallError;
use crate::http::{Answer, Purpose, unreadable};

/// An empty body will do, a list, or any object that does not say `"success": false`.
pub(super) fn read(answer: &Answer) -> Result<(), CallError> {
    if !answer.is_success() {
        return Err(refusal(answer, Purpose::Read));
    }
    if answer.body.is_empty() {
        return Ok(());
    }
    if serde_json::from_slice::<Vec<IgnoredAny>>(&answer.body).is_ok() {
        return Ok(());
    }
    let said: wire::Taken =
        serde_json::from_slice(&answer.body).map_err(|_| unreadable(Purpose::Read))?;
    match said.success {
        Some(false) => Err(CallError::Refused {
            code: "not_accepted".to_owned(),
        }),
        Some(true) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::failure::Cause;
    use axum::http::HeaderMap;

    fn read_(status: u16, body: &str) -> Result<(), CallError> {
        read(&Answer::new(
            status,
            HeaderMap::new(),
            body.as_bytes().to_vec(),
        ))
    }

    #[test]
    fn a_change_that_may_be_repeated_is_taken_or_never_in_doubt() {
        for (status, body) in [
            (200, ""),
            (202, "{}"),
            (200, r#"[{"url":"https://a.example"}]"#),
            (
                200,
                r#"{"success":true,"subscription":{"status":"terminated"}}"#,
            ),
        ] {
            assert_eq!(read_(status, body), Ok(()), "{body}");
        }
        let refused = |code: &str| CallError::Refused { code: code.into() };
        let not_done = |cause| CallError::NotDone {
            cause,
            retry_after: None,
        };
        let broken = CallError::Broken {
            code: "http_403".to_owned(),
        };
        for (status, body, reaction) in [
            (200, r#"{"success":false}"#, refused("not_accepted")),
            (200, "<html>", refused("unreadable")),
            (302, "", refused("unreadable")),
            (400, "", refused("400")),
            (404, r#"{"message":"A B"}"#, refused("404")),
            (422, r#"{"message":"already terminated"}"#, refused("422")),
            (403, "", broken),
            (408, "", not_done(Cause::InFlight)),
            (429, "", not_done(Cause::RateLimited)),
            (500, "", not_done(Cause::ServerError)),
        ] {
            assert_eq!(read_(status, body), Err(reaction), "{status} {body}");
        }
    }
}
