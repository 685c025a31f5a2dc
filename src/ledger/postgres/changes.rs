//! Writes changes of several payments at once, each of them whole or not at all.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::Row;
use sqlx::postgres::{PgArguments, Postgres};
use sqlx::query::Query;

use super::{alone, column};
use crate::domain::ids::PaymentId;
use crate::ledger::attempt_row::AttemptRow;
use crate::ledger::confirmation_row::ConfirmationRow;
use crate::ledger::fields::view_text;
use crate::ledger::lane::Work;
use crate::ledger::payment_row::State;
use crate::ledger::pool::Connections;
use crate::ledger::{Change, Committed, LedgerError};

/// What belongs to a payment is written only where the payment itself was: `moved` are those that still had their version.
/// `(… IN …) IS TRUE` is looked up in a hash table; as a join it would compare each with each. What is new is inserted and what is
/// not is updated: to try the one and fall back on the other costs both. Neither order nor cycle is held twice: see the single
/// statement in `payment_row`.
const WRITE: &str = "WITH change AS (SELECT unnest($1::text[]) AS id, unnest($2::int8[]) AS version, unnest($3::text[]) AS status, \
         unnest($4::text[]) AS method, unnest($5::int8[]) AS order_amount, unnest($6::text[]) AS \
         order_currency, unnest($7::int8[]) AS customer_id, unnest($8::text[]) AS offer_id, \
         unnest($9::int8[]) AS order_expires_at, unnest($10::text[]) AS gateway_customer, unnest($11::text[]) \
         AS reference, unnest($12::text[]) AS next_action, unnest($13::text[]) AS decline_class, \
         unnest($14::text[]) AS decline_code, unnest($15::text[]) AS stored_method, unnest($16::bool[]) AS \
         published, unnest($17::bool[]) AS holds_order, unnest($18::int8[]) AS updated_at, \
         unnest($19::int8[]) AS expires_at, unnest($20::text[]) AS kind, unnest($21::text[]) AS detail, \
         unnest($22::text[]) AS view_json), \
     moved AS (UPDATE payments AS p SET version = p.version + 1, status = c.status, method = c.method, \
             order_amount = c.order_amount, order_currency = c.order_currency, customer_id = c.customer_id, \
             offer_id = c.offer_id, order_expires_at = c.order_expires_at, gateway_customer = c.gateway_customer, \
             reference = c.reference, next_action = c.next_action, decline_class = c.decline_class, \
             decline_code = c.decline_code, stored_method = c.stored_method, published = p.published OR c.published, \
             holds_order = c.holds_order AND (p.holds_order OR (NOT EXISTS (SELECT 1 FROM payments AS other \
                 WHERE other.order_id = p.order_id AND other.holds_order) \
                 AND NOT EXISTS (SELECT 1 FROM payments AS other \
                 WHERE other.subscription_id = p.subscription_id AND other.due_at = p.due_at AND other.holds_order))), \
             updated_at = c.updated_at, expires_at = c.expires_at \
         FROM change AS c WHERE p.id = c.id AND p.version = c.version \
         RETURNING p.id, p.version, c.updated_at, c.kind, c.detail, c.view_json), \
     attempt AS (SELECT unnest($23::text[]) AS id, unnest($24::text[]) AS payment_id, unnest($25::int8[]) AS number, \
             unnest($26::text[]) AS stage, unnest($27::text[]) AS path, unnest($28::text[]) AS content_type, \
             unnest($29::text[]) AS body, unnest($30::int8[]) AS created_at, unnest($31::int8[]) AS \
             key_expires_at, unnest($32::text[]) AS state, unnest($33::text[]) AS cause, unnest($34::bool[]) AS is_new), \
     tried AS (INSERT INTO attempts (id, payment_id, number, stage, path, content_type, body, created_at, key_expires_at, state, cause) \
         SELECT id, payment_id, number, stage, path, content_type, body, created_at, key_expires_at, state, cause FROM attempt \
         WHERE is_new AND (payment_id IN (SELECT id FROM moved)) IS TRUE), \
     answered AS (UPDATE attempts AS t SET state = a.state, cause = a.cause, \
             body = CASE WHEN a.body = '' THEN '' ELSE t.body END FROM attempt AS a \
         WHERE NOT a.is_new AND t.payment_id = a.payment_id AND t.number = a.number \
         AND (a.payment_id IN (SELECT id FROM moved)) IS TRUE), \
     confirmation AS (SELECT unnest($35::text[]) AS id, unnest($36::text[]) AS payment_id, unnest($37::int8[]) AS sequence, \
             unnest($38::text[]) AS report, unnest($39::text[]) AS delivery, unnest($40::int8[]) AS \
             sending_since, unnest($41::int8[]) AS cleeng_payment_id, unnest($42::int8[]) AS created_at, \
             unnest($43::bool[]) AS is_new), \
     owed AS (INSERT INTO confirmations (id, payment_id, sequence, report, delivery, sending_since, cleeng_payment_id, created_at) \
         SELECT id, payment_id, sequence, report, delivery, sending_since, cleeng_payment_id, created_at FROM confirmation \
         WHERE is_new AND (payment_id IN (SELECT id FROM moved)) IS TRUE), \
     told AS (UPDATE confirmations AS t SET delivery = c.delivery, sending_since = c.sending_since, \
             cleeng_payment_id = c.cleeng_payment_id FROM confirmation AS c \
         WHERE NOT c.is_new AND t.payment_id = c.payment_id AND t.sequence = c.sequence \
         AND (c.payment_id IN (SELECT id FROM moved)) IS TRUE), \
     noted AS (INSERT INTO payment_events (payment_id, sequence, at, kind, detail, view_json) \
         SELECT id, version, updated_at, kind, detail, view_json FROM moved) \
     SELECT id, version FROM moved";

pub(in crate::ledger) struct Changes(pub(in crate::ledger) Connections<Postgres>);

/// A group as its columns hold it.
pub(super) struct Rows<'g> {
    pub(super) payments: Vec<PaymentRow<'g>>,
    /// With whether it is new to the ledger.
    pub(super) attempts: Vec<(AttemptRow<'g>, bool)>,
    pub(super) confirmations: Vec<(ConfirmationRow, bool)>,
}

pub(super) struct PaymentRow<'g> {
    pub(super) state: State,
    pub(super) change: &'g Change,
    pub(super) view: Option<String>,
}

impl Work for Changes {
    type Ask = Arc<Change>;
    type Answer = Committed;

    /// One statement changes each row once.
    fn clashes(group: &[Arc<Change>], change: &Arc<Change>) -> bool {
        let id = change.payment.id;
        group.iter().any(|other| other.payment.id == id)
    }

    async fn run(&self, group: &[Arc<Change>]) -> Result<Vec<Option<Committed>>, LedgerError> {
        let rows = Rows::of(group)?;
        if let Some(statement) = alone::statement(&rows) {
            let written = self
                .0
                .run(async |conn| Ok(alone::write(statement, conn).await?));
            return Ok(vec![Some(written.await?)]);
        }
        let moved = self.0.run(async |conn| {
            let moved = write(&rows).fetch_all(&mut **conn).await?;
            let versions = moved
                .iter()
                .map(|row| Ok((row.try_get::<String, _>(0)?, row.try_get::<i64, _>(1)?)));
            Ok(versions.collect::<Result<HashMap<String, i64>, sqlx::Error>>()?)
        });
        let moved = moved.await?;
        Ok(column(group, |change| {
            let version = moved.get(&change.payment.id.to_string());
            Some(version.map_or(Committed::Conflict, |version| Committed::Version(*version)))
        }))
    }
}

impl Rows<'_> {
    fn of(group: &[Arc<Change>]) -> Result<Rows<'_>, LedgerError> {
        let mut rows = Rows {
            payments: Vec::with_capacity(group.len()),
            attempts: Vec::new(),
            confirmations: Vec::new(),
        };
        for change in group {
            let id: PaymentId = change.payment.id;
            rows.payments.push(PaymentRow {
                state: State::of(&change.payment, change.payment.version)?,
                change,
                view: change.view().as_ref().map(view_text).transpose()?,
            });
            let attempts = change.attempts.iter();
            rows.attempts.extend(attempts.map(|one| {
                let is_new = one.number > change.last_attempt;
                (AttemptRow::of(id, one), is_new)
            }));
            let confirmations = change.confirmations.iter();
            rows.confirmations.extend(confirmations.map(|one| {
                let is_new = one.sequence > change.last_confirmation;
                (ConfirmationRow::of(id, one), is_new)
            }));
        }
        // Rows are locked in this order by everybody: no two groups wait for each other.
        rows.payments.sort_by(|a, b| a.state.id.cmp(&b.state.id));
        Ok(rows)
    }
}

type Write<'q> = Query<'q, Postgres, PgArguments>;

fn write<'q>(rows: &'q Rows<'q>) -> Write<'q> {
    let query = bind_payments(sqlx::query(WRITE), &rows.payments);
    let query = bind_attempts(query, &rows.attempts);
    bind_confirmations(query, &rows.confirmations)
}

fn bind_payments<'q>(query: Write<'q>, rows: &'q [PaymentRow<'q>]) -> Write<'q> {
    query
        .bind(column(rows, |row| row.state.id.as_str()))
        .bind(column(rows, |row| row.state.version))
        .bind(column(rows, |row| row.state.status))
        .bind(column(rows, |row| row.state.method.as_str()))
        .bind(column(rows, |row| row.state.order_amount))
        .bind(column(rows, |row| row.state.order_currency.as_deref()))
        .bind(column(rows, |row| row.state.customer_id))
        .bind(column(rows, |row| row.state.offer_id.as_deref()))
        .bind(column(rows, |row| row.state.order_expires_at))
        .bind(column(rows, |row| row.state.gateway_customer.as_deref()))
        .bind(column(rows, |row| row.state.reference.as_deref()))
        .bind(column(rows, |row| row.state.next_action.as_deref()))
        .bind(column(rows, |row| row.state.decline_class))
        .bind(column(rows, |row| row.state.decline_code.as_deref()))
        .bind(column(rows, |row| row.state.stored_method.as_deref()))
        .bind(column(rows, |row| row.state.published))
        .bind(column(rows, |row| row.state.holds_order))
        .bind(column(rows, |row| row.state.updated_at))
        .bind(column(rows, |row| row.state.expires_at))
        .bind(column(rows, |row| row.change.kind))
        .bind(column(rows, |row| row.change.detail.as_deref()))
        .bind(column(rows, |row| row.view.as_deref()))
}

fn bind_attempts<'q>(query: Write<'q>, rows: &'q [(AttemptRow<'q>, bool)]) -> Write<'q> {
    query
        .bind(column(rows, |(row, _)| row.id.as_str()))
        .bind(column(rows, |(row, _)| row.payment_id.as_str()))
        .bind(column(rows, |(row, _)| row.number))
        .bind(column(rows, |(row, _)| row.stage))
        .bind(column(rows, |(row, _)| row.path))
        .bind(column(rows, |(row, _)| row.content_type))
        .bind(column(rows, |(row, _)| row.body))
        .bind(column(rows, |(row, _)| row.created_at))
        .bind(column(rows, |(row, _)| row.key_expires_at))
        .bind(column(rows, |(row, _)| row.state))
        .bind(column(rows, |(row, _)| row.cause))
        .bind(column(rows, |(_, is_new)| *is_new))
}

fn bind_confirmations<'q>(query: Write<'q>, rows: &'q [(ConfirmationRow, bool)]) -> Write<'q> {
    query
        .bind(column(rows, |(row, _)| row.id.as_str()))
        .bind(column(rows, |(row, _)| row.payment_id.as_str()))
        .bind(column(rows, |(row, _)| row.sequence))
        .bind(column(rows, |(row, _)| row.report))
        .bind(column(rows, |(row, _)| row.delivery))
        .bind(column(rows, |(row, _)| row.sending_since))
        .bind(column(rows, |(row, _)| row.cleeng_payment_id))
        .bind(column(rows, |(row, _)| row.created_at))
        .bind(column(rows, |(_, is_new)| *is_new))
}
