//! Writes a change: the payment, its attempts, its confirmations and the history entry, or nothing of it.

use serde_json::Value;
use sqlx::AnyConnection;

use super::connect::Backend;
use super::events::{self, Event};
use super::fields::{Fields, json_text};
use super::{Change, Committed, LedgerError, attempt_row, confirmation_row, payment_row, read};
use crate::domain::view::PaymentView;

/// A commit that loses the order to a payment accepted at the same instant is written again, without the order.
const TRIES: u32 = 3;

pub(super) async fn commit(
    conn: &mut AnyConnection,
    backend: Backend,
    change: &Change,
) -> Result<Committed, LedgerError> {
    let mut tries = 1;
    loop {
        match commit_once(conn, backend, change).await {
            Err(error) if tries < TRIES && is_collision(&error) => tries += 1,
            settled => return settled,
        }
    }
}

async fn commit_once(
    conn: &mut AnyConnection,
    backend: Backend,
    change: &Change,
) -> Result<Committed, LedgerError> {
    let mut transaction = backend.begin_write(conn).await?;
    let Some(version) = write(&mut transaction, change).await? else {
        transaction.rollback().await?;
        return Ok(Committed::Conflict);
    };
    transaction.commit().await?;
    Ok(Committed::Version(version))
}

/// The payment's new version; nothing when its version is not the change's any more.
///
/// The payment's row comes first: from there on it is locked, so writers of one payment follow each other.
pub(super) async fn write(
    conn: &mut AnyConnection,
    change: &Change,
) -> Result<Option<i64>, LedgerError> {
    let payment = &change.payment;
    let update =
        payment_row::bind_state(sqlx::query(payment_row::UPDATE), payment, payment.version)?;
    let Some(updated) = update.fetch_optional(&mut *conn).await? else {
        return Ok(None);
    };
    let updated = Fields(&updated);
    let version = updated.number("version")?;
    let last_view = updated.maybe_text("last_view")?;

    for attempt in &change.attempts {
        attempt_row::bind(sqlx::query(attempt_row::UPSERT), payment.id, attempt)
            .execute(&mut *conn)
            .await?;
    }
    for confirmation in &change.confirmations {
        confirmation_row::bind(
            sqlx::query(confirmation_row::UPSERT),
            payment.id,
            confirmation,
        )
        .execute(&mut *conn)
        .await?;
    }
    if payment.status.is_final() {
        sqlx::query(attempt_row::SCRUB)
            .bind(payment.id.to_string())
            .execute(&mut *conn)
            .await?;
    }

    let confirmations = read::confirmations_of(conn, payment.id).await?;
    let view = PaymentView::of(payment, &confirmations);
    let view = json_text(&view, "view_json")?;
    let event = Event {
        payment: payment.id,
        sequence: version,
        at: payment.updated_at,
        kind: change.kind,
        detail: change.detail.as_deref(),
        view: shows_news(last_view.as_deref(), &view).then_some(view),
    };
    events::append(conn, event).await?;
    Ok(Some(version))
}

/// Whether two views differ in more than the time of the last change.
fn shows_news(last: Option<&str>, view: &str) -> bool {
    match (last.map(without_time), without_time(view)) {
        (Some(Some(last)), Some(view)) => last != view,
        _ => true,
    }
}

fn without_time(view: &str) -> Option<Value> {
    let mut value: Value = serde_json::from_str(view).ok()?;
    value.as_object_mut()?.remove("updatedAt");
    Some(value)
}

/// A unique index said no.
fn is_collision(error: &LedgerError) -> bool {
    match error {
        LedgerError::Away(source) => source
            .as_database_error()
            .is_some_and(|database| database.is_unique_violation()),
        LedgerError::TimedOut | LedgerError::Tables(_) | LedgerError::Unreadable { .. } => false,
    }
}
