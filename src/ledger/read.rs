//! Reads payments as they are known: one, by its id or by the gateway's name of it.

use sqlx::AnyConnection;

use super::attempt_row::{self, attempts_where};
use super::confirmation_row::{self, confirmations_where};
use super::connect::Backend;
use super::fields::Fields;
use super::payment_row::{self, payments_where};
use super::{Doubts, LedgerError};
use crate::domain::attempt::Attempt;
use crate::domain::confirmation::Confirmation;
use crate::domain::ids::{GatewayName, GatewayRef, PaymentId};
use crate::domain::payment::{Known, Payment};

pub(super) async fn known(
    conn: &mut AnyConnection,
    backend: Backend,
    id: PaymentId,
) -> Result<Option<Known>, LedgerError> {
    let mut moment = backend.begin_read(conn).await?;
    let known = parts(&mut moment, id).await?;
    moment.commit().await?;
    Ok(known)
}

/// As [`known`], within a transaction that is under way.
pub(super) async fn parts(
    conn: &mut AnyConnection,
    id: PaymentId,
) -> Result<Option<Known>, LedgerError> {
    let Some(payment) = payment_of(conn, id).await? else {
        return Ok(None);
    };
    Ok(Some(Known {
        payment,
        attempts: attempts_of(conn, id).await?,
        confirmations: confirmations_of(conn, id).await?,
    }))
}

/// The newest payment with this name: a gateway gives each only once.
pub(super) async fn by_reference(
    conn: &mut AnyConnection,
    gateway: &GatewayName,
    reference: &GatewayRef,
) -> Result<Option<PaymentId>, LedgerError> {
    let found = sqlx::query(
        "SELECT id FROM payments WHERE reference = $1 AND gateway = $2 ORDER BY id DESC LIMIT 1",
    )
    .bind(reference.0.clone())
    .bind(gateway.to_string())
    .fetch_optional(conn)
    .await?;
    found
        .map(|row| Fields(&row).uuid("id").map(PaymentId))
        .transpose()
}

pub(super) async fn doubts(conn: &mut AnyConnection) -> Result<Doubts, LedgerError> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS count, MIN(created_at) AS oldest FROM payments WHERE unsettled AND status = 'in_doubt'",
    )
    .fetch_one(conn)
    .await?;
    let fields = Fields(&row);
    Ok(Doubts {
        count: fields.number("count")?,
        oldest: fields.maybe_moment("oldest")?,
    })
}

pub(super) async fn ping(conn: &mut AnyConnection) -> Result<(), LedgerError> {
    sqlx::query("SELECT 1").execute(conn).await?;
    Ok(())
}

async fn payment_of(
    conn: &mut AnyConnection,
    id: PaymentId,
) -> Result<Option<Payment>, LedgerError> {
    sqlx::query(payments_where!("id = $1"))
        .bind(id.to_string())
        .fetch_optional(conn)
        .await?
        .map(|row| payment_row::payment(&row))
        .transpose()
}

async fn attempts_of(conn: &mut AnyConnection, id: PaymentId) -> Result<Vec<Attempt>, LedgerError> {
    sqlx::query(attempts_where!("payment_id = $1 ORDER BY number"))
        .bind(id.to_string())
        .fetch_all(conn)
        .await?
        .iter()
        .map(|row| attempt_row::attempt(row).map(|(_, attempt)| attempt))
        .collect()
}

async fn confirmations_of(
    conn: &mut AnyConnection,
    id: PaymentId,
) -> Result<Vec<Confirmation>, LedgerError> {
    sqlx::query(confirmations_where!("payment_id = $1 ORDER BY sequence"))
        .bind(id.to_string())
        .fetch_all(conn)
        .await?
        .iter()
        .map(confirmation_row::confirmation)
        .collect()
}
