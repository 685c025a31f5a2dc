//! An attempt as a row, both ways.

use sqlx::any::AnyRow;

use super::LedgerError;
use super::fields::{Fields, known};
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

/// Only the state of an attempt changes: its bytes are what was, or will be, sent.
pub(super) const UPSERT: &str = "INSERT INTO attempts (id, payment_id, number, stage, path, content_type, body, \
     created_at, key_expires_at, state, cause) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
     ON CONFLICT (id) DO UPDATE SET state = excluded.state, cause = excluded.cause";

/// Forgets the bytes of a payment's closed attempts: they hold its single-use token.
pub(super) const SCRUB: &str = "UPDATE attempts SET body = '' \
     WHERE payment_id = $1 AND state IN ('answered', 'void') AND body <> ''";

pub(super) fn bind<'q>(
    query: Statement<'q>,
    payment: PaymentId,
    attempt: &Attempt,
) -> Statement<'q> {
    let (state, cause) = state_words(attempt.state);
    query
        .bind(attempt.id.to_string())
        .bind(payment.to_string())
        .bind(attempt.number)
        .bind(attempt.request.stage.label())
        .bind(attempt.request.path.clone())
        .bind(attempt.request.content_type)
        .bind(attempt.request.body.reveal().clone())
        .bind(attempt.created_at.0)
        .bind(attempt.key_expires_at.0)
        .bind(state)
        .bind(cause)
}

/// The attempt and the payment that it belongs to.
pub(super) fn attempt(row: &AnyRow) -> Result<(PaymentId, Attempt), LedgerError> {
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

fn state(fields: &Fields<'_>) -> Result<AttemptState, LedgerError> {
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
