//! Writes one change that came alone, as most do while there is little to do: in one statement, without the lists of a group.

use sqlx::postgres::{PgArguments, PgConnection, Postgres};
use sqlx::query::Query;
use sqlx::{Error, Row};

use super::changes::{PaymentRow, Rows};
use crate::ledger::Committed;
use crate::ledger::attempt_row::AttemptRow;
use crate::ledger::confirmation_row::ConfirmationRow;
use crate::ledger::payment_row::update_payment;

macro_rules! moved {
    () => {
        concat!(
            "WITH moved AS (",
            update_payment!(),
            "), noted AS (INSERT INTO payment_events (payment_id, sequence, at, kind, detail, view_json) \
             SELECT id, version, $18, $20, $21, $22 FROM moved)"
        )
    };
}

macro_rules! attempt {
    () => {
        ", tried AS (INSERT INTO attempts (id, payment_id, number, stage, path, content_type, body, created_at, \
             key_expires_at, state, cause) \
         SELECT $23, id, $24, $25, $26, $27, $28, $29, $30, $31, $32 FROM moved \
         ON CONFLICT (payment_id, number) DO UPDATE SET state = excluded.state, cause = excluded.cause, \
             body = CASE WHEN excluded.body = '' THEN '' ELSE attempts.body END)"
    };
}

macro_rules! confirmation {
    ($values:literal) => {
        concat!(
            ", owed AS (INSERT INTO confirmations (payment_id, id, sequence, report, delivery, sending_since, \
             cleeng_payment_id, created_at) SELECT id, ",
            $values,
            " FROM moved ON CONFLICT (payment_id, sequence) DO UPDATE SET delivery = excluded.delivery, \
             sending_since = excluded.sending_since, cleeng_payment_id = excluded.cleeng_payment_id)"
        )
    };
}

const PAYMENT: &str = concat!(moved!(), " SELECT version FROM moved");
const WITH_ATTEMPT: &str = concat!(moved!(), attempt!(), " SELECT version FROM moved");
const WITH_CONFIRMATION: &str = concat!(
    moved!(),
    confirmation!("$23, $24, $25, $26, $27, $28, $29"),
    " SELECT version FROM moved"
);
const WITH_BOTH: &str = concat!(
    moved!(),
    attempt!(),
    confirmation!("$33, $34, $35, $36, $37, $38, $39"),
    " SELECT version FROM moved"
);

type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// The statement for a group of one; nothing when it needs the lists all the same.
pub(super) fn statement<'q>(rows: &'q Rows<'q>) -> Option<Statement<'q>> {
    let [payment] = rows.payments.as_slice() else {
        return None;
    };
    let with = |text| bind_payment(sqlx::query(text), payment);
    match (rows.attempts.as_slice(), rows.confirmations.as_slice()) {
        ([], []) => Some(with(PAYMENT)),
        ([(attempt, _)], []) => Some(bind_attempt(with(WITH_ATTEMPT), attempt)),
        ([], [(one, _)]) => Some(bind_confirmation(with(WITH_CONFIRMATION), one)),
        ([(attempt, _)], [(one, _)]) => {
            let query = bind_attempt(with(WITH_BOTH), attempt);
            Some(bind_confirmation(query, one))
        }
        _ => None,
    }
}

pub(super) async fn write(
    statement: Statement<'_>,
    conn: &mut PgConnection,
) -> Result<Committed, Error> {
    let moved = statement.fetch_optional(conn).await?;
    let version = moved.map(|row| row.try_get(0)).transpose()?;
    Ok(version.map_or(Committed::Conflict, Committed::Version))
}

fn bind_payment<'q>(query: Statement<'q>, row: &'q PaymentRow<'q>) -> Statement<'q> {
    let state = &row.state;
    query
        .bind(&state.id)
        .bind(state.version)
        .bind(state.status)
        .bind(&state.method)
        .bind(state.order_amount)
        .bind(&state.order_currency)
        .bind(state.customer_id)
        .bind(&state.offer_id)
        .bind(state.order_expires_at)
        .bind(&state.gateway_customer)
        .bind(&state.reference)
        .bind(&state.next_action)
        .bind(state.decline_class)
        .bind(&state.decline_code)
        .bind(&state.stored_method)
        .bind(state.published)
        .bind(state.holds_order)
        .bind(state.updated_at)
        .bind(state.expires_at)
        .bind(row.change.kind)
        .bind(&row.change.detail)
        .bind(&row.view)
}

fn bind_attempt<'q>(query: Statement<'q>, row: &'q AttemptRow<'q>) -> Statement<'q> {
    query
        .bind(&row.id)
        .bind(row.number)
        .bind(row.stage)
        .bind(row.path)
        .bind(row.content_type)
        .bind(row.body)
        .bind(row.created_at)
        .bind(row.key_expires_at)
        .bind(row.state)
        .bind(row.cause)
}

fn bind_confirmation<'q>(query: Statement<'q>, row: &'q ConfirmationRow) -> Statement<'q> {
    query
        .bind(&row.id)
        .bind(row.sequence)
        .bind(row.report)
        .bind(row.delivery)
        .bind(row.sending_since)
        .bind(row.cleeng_payment_id)
        .bind(row.created_at)
}
