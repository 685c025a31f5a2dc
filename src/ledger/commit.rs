//! Writes a change: the payment, all that belongs to it and the history entry, or nothing of it.

use sqlx::AnyConnection;

use super::attempt_row::{self, AttemptRow};
use super::confirmation_row::{self, ConfirmationRow};
use super::connect::Backend;
use super::events::{self, Event};
use super::fields::{Fields, view_text};
use super::payment_row::{self, State};
use super::{Change, Committed, LedgerError, money_back};

/// A commit that loses the order or the cycle to a payment accepted at the same instant is written again, without.
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
    let state = State::of(payment, payment.version)?;
    let update = state.bind(sqlx::query(payment_row::UPDATE));
    let Some(updated) = update.fetch_optional(&mut *conn).await? else {
        return Ok(None);
    };
    let version = Fields(&updated).number("version")?;

    for attempt in &change.attempts {
        AttemptRow::of(payment.id, attempt)
            .bind(sqlx::query(attempt_row::UPSERT))
            .execute(&mut *conn)
            .await?;
    }
    for confirmation in &change.confirmations {
        ConfirmationRow::of(payment.id, confirmation)
            .bind(sqlx::query(confirmation_row::UPSERT))
            .execute(&mut *conn)
            .await?;
    }

    for entry in &change.money_back {
        money_back::write(conn, payment.id, entry).await?;
    }

    let event = Event {
        payment: payment.id,
        sequence: version,
        at: payment.updated_at,
        kind: change.kind,
        detail: change.detail.as_deref(),
        view: change.view().as_ref().map(view_text).transpose()?,
    };
    events::append(conn, event).await?;
    Ok(Some(version))
}

/// A unique index said no.
fn is_collision(error: &LedgerError) -> bool {
    match error {
        LedgerError::Away(source) => source
            .as_database_error()
            .is_some_and(|database| database.is_unique_violation()),
        LedgerError::TimedOut
        | LedgerError::Unbelieved(_)
        | LedgerError::NoTls(_)
        | LedgerError::Closed
        | LedgerError::Tables(_)
        | LedgerError::Unreadable { .. } => false,
    }
}
