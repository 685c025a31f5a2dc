//! An attempt as a row, both ways.

use super::LedgerError;
use super::fields::{Columns, Fields, known};
use super::payment_row::Statement;
use crate::domain::attempt::{Attempt, AttemptState, Prepared, Stage};
use crate::domain::failure::Cause;
use crate::domain::ids::{AttemptId, PaymentId};
use crate::domain::secret::Secret;

macro_rules! attempts_where {
    ($rest:expr) => {
        concat!(
            "SELECT id, payment_id, number, stage, path, content_type, body, created_at, ",
            "key_expires_at, state, cause FROM attempts WHERE ",
            $rest
        )
    };
}
pub(super) use attempts_where;

/// Only the state of an attempt changes: its bytes are what was, or will be, sent, until they are forgotten.
pub(super) const UPSERT: &str = "INSERT INTO attempts (id, payment_id, number, stage, path, content_type, body, \
     created_at, key_expires_at, state, cause) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
     ON CONFLICT (payment_id, number) DO UPDATE SET state = excluded.state, cause = excluded.cause, \
     body = CASE WHEN excluded.body = '' THEN '' ELSE attempts.body END";

/// An attempt as its columns hold it: `$1` to `$11` of [`UPSERT`].
pub(super) struct AttemptRow<'a> {
    pub(super) id: String,
    pub(super) payment_id: String,
    pub(super) number: i64,
    pub(super) stage: &'static str,
    pub(super) path: &'a str,
    pub(super) content_type: &'static str,
    pub(super) body: &'a str,
    pub(super) created_at: i64,
    pub(super) key_expires_at: i64,
    pub(super) state: &'static str,
    pub(super) cause: Option<&'static str>,
}

impl AttemptRow<'_> {
    pub(super) fn of(payment: PaymentId, attempt: &Attempt) -> AttemptRow<'_> {
        let (state, cause) = state_words(attempt.state);
        AttemptRow {
            id: attempt.id.to_string(),
            payment_id: payment.to_string(),
            number: attempt.number,
            stage: attempt.request.stage.label(),
            path: &attempt.request.path,
            content_type: attempt.request.content_type,
            body: attempt.request.body.reveal(),
            created_at: attempt.created_at.0,
            key_expires_at: attempt.key_expires_at.0,
            state,
            cause,
        }
    }

    pub(super) fn bind(self, query: Statement<'_>) -> Statement<'_> {
        query
            .bind(self.id)
            .bind(self.payment_id)
            .bind(self.number)
            .bind(self.stage)
            .bind(self.path.to_owned())
            .bind(self.content_type)
            .bind(self.body.to_owned())
            .bind(self.created_at)
            .bind(self.key_expires_at)
            .bind(self.state)
            .bind(self.cause)
    }
}

/// The attempt and the payment that it belongs to.
pub(super) fn attempt(row: &impl Columns) -> Result<(PaymentId, Attempt), LedgerError> {
    let fields = Fields(row);
    let attempt = Attempt {
        id: AttemptId(fields.uuid("id")?),
        number: fields.number("number")?,
        request: Prepared {
            stage: fields.word("stage", Stage::from_label)?,
            path: fields.text("path")?,
            content_type: fields.word("content_type", Prepared::content_type_from)?,
            body: Secret::new(fields.text("body")?),
        },
        created_at: fields.moment("created_at")?,
        key_expires_at: fields.moment("key_expires_at")?,
        state: state(&fields)?,
    };
    Ok((PaymentId(fields.uuid("payment_id")?), attempt))
}

fn state_words(state: AttemptState) -> (&'static str, Option<&'static str>) {
    match state {
        AttemptState::Open => ("open", None),
        AttemptState::NotDone(cause) => ("not_done", Some(cause.label())),
        AttemptState::Unknown(cause) => ("unknown", Some(cause.label())),
        AttemptState::Answered => ("answered", None),
        AttemptState::Void => ("void", None),
    }
}

fn state(fields: &Fields<'_, impl Columns>) -> Result<AttemptState, LedgerError> {
    let cause = || fields.word("cause", Cause::from_label);
    match fields.text("state")?.as_str() {
        "open" => Ok(AttemptState::Open),
        "not_done" => cause().map(AttemptState::NotDone),
        "unknown" => cause().map(AttemptState::Unknown),
        "answered" => Ok(AttemptState::Answered),
        "void" => Ok(AttemptState::Void),
        _ => known(None, "state"),
    }
}
