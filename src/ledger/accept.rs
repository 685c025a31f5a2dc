//! Takes a payment in, once for each idempotency key, order and cycle; and gives them back when it was never queued.

use std::time::Duration;

use sqlx::AnyConnection;

use super::connect::Backend;
use super::events::{self, Event};
use super::fields::{Fields, as_number, json_text, view_text};
use super::payment_row::{self, State};
use super::{Change, LedgerError, NewPayment, commit, read};
use crate::domain::ids::{OrderId, PaymentId};
use crate::domain::moment::Moment;
use crate::domain::payment::{Renewal, Status};
use crate::domain::view::{ConfirmationView, PaymentView};

/// The version of a payment that was just taken in.
pub(super) const FIRST_VERSION: i64 = 1;

/// The kind of a payment's first entry in its history.
pub(super) const ACCEPTED: &str = "accepted";

/// An accepted payment that is not in the queue after this time was left behind by an ingest that died.
const ORPHANED_AFTER: Duration = Duration::from_secs(10);

/// What stands in the way may be gone when it is looked for; then it is tried again, this often.
const TRIES: u32 = 4;

/// As [`super::Accepted`], with the name of the payment that is to be read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Verdict {
    Created,
    Replayed(PaymentId),
    KeyReused,
    OrderTaken(PaymentId),
    CycleTaken(PaymentId),
}

/// Who holds an order, and whether still with right.
struct Holder {
    id: PaymentId,
    orphaned: bool,
}

/// The unique indices decide, so that two processes at the same instant get one answer each, and one `Created`.
pub(super) async fn accept(
    conn: &mut AnyConnection,
    backend: Backend,
    new: &NewPayment,
) -> Result<Verdict, LedgerError> {
    let mut transaction = backend.begin_write(conn).await?;
    for _ in 0..TRIES {
        if insert(&mut transaction, new).await? {
            transaction.commit().await?;
            return Ok(Verdict::Created);
        }
        if let Some(verdict) = same_key(&mut transaction, new).await? {
            transaction.rollback().await?;
            return Ok(verdict);
        }
        if let Some(holder) = cycle_holder(&mut transaction, new.payment.renewal.as_ref()).await? {
            transaction.rollback().await?;
            return Ok(Verdict::CycleTaken(holder));
        }
        let now = new.payment.created_at;
        match holder(&mut transaction, new.payment.order_id, now).await? {
            Some(holder) if holder.orphaned => {
                take_back(&mut transaction, holder.id, now).await?;
            }
            Some(holder) => {
                transaction.rollback().await?;
                return Ok(Verdict::OrderTaken(holder.id));
            }
            None => {}
        }
    }
    Err(LedgerError::TimedOut)
}

/// Only of those that still wait: for the others the mark says nothing any more.
pub(super) async fn mark_published(
    conn: &mut AnyConnection,
    backend: Backend,
    ids: &[PaymentId],
) -> Result<(), LedgerError> {
    let text = match backend {
        Backend::Postgres => {
            // Who is being changed at this moment needs no mark; to wait for it could be to wait for each other.
            "UPDATE payments SET published = TRUE WHERE id IN (SELECT id FROM payments \
             WHERE unsettled AND id = ANY (ARRAY(SELECT json_array_elements_text(CAST($1 AS JSON)))) \
             AND status = 'accepted' AND NOT published FOR NO KEY UPDATE SKIP LOCKED)"
        }
        Backend::Sqlite => {
            "UPDATE payments SET published = TRUE WHERE status = 'accepted' AND NOT published \
             AND id IN (SELECT value FROM json_each($1))"
        }
    };
    sqlx::query(text)
        .bind(json_text(&ids, "id")?)
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn withdraw(
    conn: &mut AnyConnection,
    backend: Backend,
    id: PaymentId,
    now: Moment,
) -> Result<bool, LedgerError> {
    let mut transaction = backend.begin_write(conn).await?;
    let withdrawn = take_back(&mut transaction, id, now).await?;
    transaction.commit().await?;
    Ok(withdrawn)
}

/// Whether the payment went in; the key, the order or the cycle may be taken.
pub(super) async fn insert(
    conn: &mut AnyConnection,
    new: &NewPayment,
) -> Result<bool, LedgerError> {
    let payment = &new.payment;
    let insert = State::of(payment, FIRST_VERSION)?
        .bind(sqlx::query(payment_row::INSERT))
        .bind(payment.order_id.to_i64())
        .bind(payment.gateway.to_string())
        .bind(payment.operation.label())
        .bind(payment.return_url.clone())
        .bind(new.key.as_str().to_owned())
        .bind(hex::encode(new.body_hash))
        .bind(payment.created_at.0);
    let insert = payment_row::bind_renewal(insert, payment.renewal.as_ref())?;
    let inserted = payment_row::bind_origin(insert, payment)?
        .execute(&mut *conn)
        .await?;
    if inserted.rows_affected() == 0 {
        return Ok(false);
    }
    let event = Event {
        payment: payment.id,
        sequence: FIRST_VERSION,
        at: payment.created_at,
        kind: ACCEPTED,
        detail: None,
        view: Some(view_text(&PaymentView::of(
            payment,
            ConfirmationView::NONE,
        ))?),
    };
    events::append(conn, event).await?;
    Ok(true)
}

async fn same_key(
    conn: &mut AnyConnection,
    new: &NewPayment,
) -> Result<Option<Verdict>, LedgerError> {
    let found = sqlx::query("SELECT id, body_hash FROM payments WHERE idempotency_key = $1")
        .bind(new.key.as_str().to_owned())
        .fetch_optional(conn)
        .await?;
    let Some(row) = found else {
        return Ok(None);
    };
    let fields = Fields(&row);
    if fields.text("body_hash")? == hex::encode(new.body_hash) {
        Ok(Some(Verdict::Replayed(PaymentId(fields.uuid("id")?))))
    } else {
        Ok(Some(Verdict::KeyReused))
    }
}

/// Who holds the cycle of a renewal. It keeps it however old it is: whoever began it finds it again by its key.
async fn cycle_holder(
    conn: &mut AnyConnection,
    renewal: Option<&Renewal>,
) -> Result<Option<PaymentId>, LedgerError> {
    let Some(renewal) = renewal else {
        return Ok(None);
    };
    let found = sqlx::query(
        "SELECT id FROM payments WHERE subscription_id = $1 AND due_at = $2 AND holds_order",
    )
    .bind(as_number(renewal.subscription_id.0, "subscription_id")?)
    .bind(renewal.due_at.0)
    .fetch_optional(conn)
    .await?;
    found
        .map(|row| Fields(&row).uuid("id").map(PaymentId))
        .transpose()
}

/// Only a checkout is ever orphaned: the demand behind a renewal comes again, and finds it by its key.
async fn holder(
    conn: &mut AnyConnection,
    order: OrderId,
    now: Moment,
) -> Result<Option<Holder>, LedgerError> {
    let found = sqlx::query(
        "SELECT id, status, created_at, subscription_id, CASE WHEN published THEN 1 ELSE 0 END AS published \
         FROM payments WHERE order_id = $1 AND holds_order",
    )
    .bind(order.to_i64())
    .fetch_optional(conn)
    .await?;
    let Some(row) = found else {
        return Ok(None);
    };
    let fields = Fields(&row);
    let waits = fields.word("status", Status::from_label)? == Status::Accepted;
    let checkout = fields.maybe_number("subscription_id")?.is_none();
    let old = now.since(fields.moment("created_at")?) > ORPHANED_AFTER;
    Ok(Some(Holder {
        id: PaymentId(fields.uuid("id")?),
        orphaned: waits && old && checkout && !fields.flag("published")?,
    }))
}

/// Ends a payment that no worker has and that is not known to be queued. The first statement decides and locks.
///
/// Its message may be in the queue all the same; the worker that gets it then finds a cancelled payment.
async fn take_back(
    conn: &mut AnyConnection,
    id: PaymentId,
    now: Moment,
) -> Result<bool, LedgerError> {
    let freed = sqlx::query(
        "UPDATE payments SET idempotency_key = NULL \
         WHERE id = $1 AND status = 'accepted' AND NOT published",
    )
    .bind(id.to_string())
    .execute(&mut *conn)
    .await?;
    if freed.rows_affected() == 0 {
        return Ok(false);
    }
    let Some(before) = read::parts(conn, id).await? else {
        return Ok(false);
    };
    let mut after = before.clone();
    after.payment.status = Status::Cancelled;
    after.payment.updated_at = now;
    let change = Change::between(&before, &after, "withdrawn", None);
    Ok(commit::write(conn, &change).await?.is_some())
}
