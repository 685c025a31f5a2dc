//! Takes payments in, several at once. What stands in the way of one is looked into apart from the others.

use std::collections::HashSet;

use sqlx::{Postgres, Row};

use super::column;
use crate::domain::view::PaymentView;
use crate::ledger::accept::{ACCEPTED, FIRST_VERSION};
use crate::ledger::fields::view_text;
use crate::ledger::lane::Work;
use crate::ledger::payment_row::State;
use crate::ledger::pool::Connections;
use crate::ledger::{LedgerError, NewPayment};

/// Payments whose key or order is taken, by the table or by one before them in the group, are left out. A new payment has no
/// order's copy, no news of the gateway's and no decline.
const INSERT: &str = "WITH new AS (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int8[], $5::int8[], \
         $6::int8[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::int8[], $13::text[]) \
         AS n(id, status, method, updated_at, expires_at, order_id, gateway, operation, return_url, \
             idempotency_key, body_hash, created_at, view_json)), \
     taken AS (INSERT INTO payments (id, version, status, method, published, holds_order, updated_at, expires_at, \
             order_id, gateway, operation, return_url, idempotency_key, body_hash, created_at) \
         SELECT id, $14::int8, status, method, FALSE, TRUE, updated_at, expires_at, \
             order_id, gateway, operation, return_url, idempotency_key, body_hash, created_at FROM new \
         ON CONFLICT DO NOTHING RETURNING id), \
     noted AS (INSERT INTO payment_events (payment_id, sequence, at, kind, view_json) \
         SELECT id, $14::int8, created_at, $15::text, view_json FROM new \
         WHERE (id IN (SELECT id FROM taken)) IS TRUE) \
     SELECT id FROM taken";

pub(in crate::ledger) struct Accepts(pub(in crate::ledger) Connections<Postgres>);

/// One new payment as its columns hold it.
struct NewRow<'n> {
    new: &'n NewPayment,
    state: State,
    view: String,
}

impl Work for Accepts {
    type Ask = NewPayment;
    /// Created; otherwise it has to be looked into alone.
    type Answer = ();

    fn clashes(_: &[NewPayment], _: &NewPayment) -> bool {
        false
    }

    async fn run(&self, group: &[NewPayment]) -> Result<Vec<Option<()>>, LedgerError> {
        let rows: Result<Vec<NewRow<'_>>, LedgerError> = group.iter().map(NewRow::of).collect();
        let rows = rows?;
        let taken = self.0.run(async |conn| {
            let taken = insert(&rows).fetch_all(&mut **conn).await?;
            let ids = taken.iter().map(|row| row.try_get::<String, _>(0));
            Ok(ids.collect::<Result<HashSet<String>, _>>()?)
        });
        let taken = taken.await?;
        Ok(column(&rows, |row| {
            taken.contains(&row.state.id).then_some(())
        }))
    }
}

impl NewRow<'_> {
    fn of(new: &NewPayment) -> Result<NewRow<'_>, LedgerError> {
        Ok(NewRow {
            new,
            state: State::of(&new.payment, FIRST_VERSION)?,
            view: view_text(&PaymentView::of(&new.payment, &[]))?,
        })
    }
}

type Insert<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

fn insert<'q>(rows: &'q [NewRow<'q>]) -> Insert<'q> {
    sqlx::query(INSERT)
        .bind(column(rows, |row| row.state.id.as_str()))
        .bind(column(rows, |row| row.state.status))
        .bind(column(rows, |row| row.state.method.as_str()))
        .bind(column(rows, |row| row.state.updated_at))
        .bind(column(rows, |row| row.state.expires_at))
        .bind(column(rows, |row| row.new.payment.order_id.to_i64()))
        .bind(column(rows, |row| row.new.payment.gateway.to_string()))
        .bind(column(rows, |row| row.new.payment.operation.label()))
        .bind(column(rows, |row| row.new.payment.return_url.as_deref()))
        .bind(column(rows, |row| row.new.key.as_str()))
        .bind(column(rows, |row| hex::encode(row.new.body_hash)))
        .bind(column(rows, |row| row.new.payment.created_at.0))
        .bind(column(rows, |row| row.view.as_str()))
        .bind(FIRST_VERSION)
        .bind(ACCEPTED)
}
