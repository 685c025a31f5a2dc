//! Takes payments in, several at once. What stands in the way of one is looked into apart from the others.

use std::collections::HashSet;
use std::sync::Arc;

use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{Postgres, Row};

use super::column;
use crate::domain::view::{ConfirmationView, PaymentView};
use crate::ledger::accept::{ACCEPTED, FIRST_VERSION};
use crate::ledger::fields::view_text;
use crate::ledger::lane::Work;
use crate::ledger::payment_row::{self, State};
use crate::ledger::pool::Connections;
use crate::ledger::{LedgerError, NewPayment};

/// Payments whose key or order is taken, by the table or by one before them in the group, are left out. A new payment has no
/// order's copy, no news of the gateway's and no decline.
macro_rules! insert {
    ($open:literal, $close:literal) => {
        concat!(
            "WITH new AS (SELECT ",
            $open, "$1::text", $close, " AS id, ",
            $open, "$2::text", $close, " AS status, ",
            $open, "$3::text", $close, " AS method, ",
            $open, "$4::int8", $close, " AS updated_at, ",
            $open, "$5::int8", $close, " AS expires_at, ",
            $open, "$6::int8", $close, " AS order_id, ",
            $open, "$7::text", $close, " AS gateway, ",
            $open, "$8::text", $close, " AS operation, ",
            $open, "$9::text", $close, " AS return_url, ",
            $open, "$10::text", $close, " AS idempotency_key, ",
            $open, "$11::text", $close, " AS body_hash, ",
            $open, "$12::int8", $close, " AS created_at, ",
            $open, "$13::text", $close, " AS view_json, ",
            $open, "$14::int8", $close, " AS asked_by",
            "), taken AS (INSERT INTO payments (id, version, status, method, published, holds_order, updated_at, \
                 expires_at, order_id, gateway, operation, return_url, idempotency_key, body_hash, created_at, asked_by) \
             SELECT id, $15::int8, status, method, FALSE, TRUE, updated_at, expires_at, \
                 order_id, gateway, operation, return_url, idempotency_key, body_hash, created_at, asked_by FROM new \
             ON CONFLICT DO NOTHING RETURNING id), \
             noted AS (INSERT INTO payment_events (payment_id, sequence, at, kind, view_json) \
             SELECT id, $15::int8, created_at, $16::text, view_json FROM new \
             WHERE (id IN (SELECT id FROM taken)) IS TRUE) \
             SELECT id FROM taken"
        )
    };
}

const GROUP: &str = insert!("unnest(", "[])");
/// One that came alone, as most do while there is little to do.
const ALONE: &str = insert!("(", ")");

pub(in crate::ledger) struct Accepts(pub(in crate::ledger) Connections<Postgres>);

/// One new payment as its columns hold it.
struct NewRow<'n> {
    new: &'n NewPayment,
    state: State,
    view: String,
    asked_by: Option<i64>,
}

impl Work for Accepts {
    type Ask = Arc<NewPayment>;
    /// Created; otherwise it has to be looked into alone.
    type Answer = ();

    fn clashes(_: &[Arc<NewPayment>], _: &Arc<NewPayment>) -> bool {
        false
    }

    async fn run(&self, group: &[Arc<NewPayment>]) -> Result<Vec<Option<()>>, LedgerError> {
        let rows: Result<Vec<NewRow<'_>>, LedgerError> =
            group.iter().map(|new| NewRow::of(new)).collect();
        let mut rows = rows?;
        // Keys and orders are taken in this order by everybody: no two groups wait for each other.
        rows.sort_by_key(|row| (row.new.payment.order_id, row.new.key.as_str()));
        let taken = self.0.run(async |conn| {
            let taken = insert(&rows).fetch_all(&mut **conn).await?;
            let ids = taken.iter().map(|row| row.try_get::<String, _>(0));
            Ok(ids.collect::<Result<HashSet<String>, _>>()?)
        });
        let taken = taken.await?;
        Ok(column(group, |new| {
            taken.contains(&new.payment.id.to_string()).then_some(())
        }))
    }
}

impl NewRow<'_> {
    fn of(new: &NewPayment) -> Result<NewRow<'_>, LedgerError> {
        Ok(NewRow {
            new,
            state: State::of(&new.payment, FIRST_VERSION)?,
            view: view_text(&PaymentView::of(&new.payment, ConfirmationView::NONE))?,
            asked_by: payment_row::asked_by(&new.payment)?,
        })
    }
}

type Insert<'q> = Query<'q, Postgres, PgArguments>;

fn insert<'q>(rows: &'q [NewRow<'q>]) -> Insert<'q> {
    match rows {
        [row] => insert_one(row),
        _ => insert_group(rows),
    }
}

fn insert_group<'q>(rows: &'q [NewRow<'q>]) -> Insert<'q> {
    sqlx::query(GROUP)
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
        .bind(column(rows, |row| row.asked_by))
        .bind(FIRST_VERSION)
        .bind(ACCEPTED)
}

fn insert_one<'q>(row: &'q NewRow<'q>) -> Insert<'q> {
    let (new, state) = (row.new, &row.state);
    sqlx::query(ALONE)
        .bind(&state.id)
        .bind(state.status)
        .bind(&state.method)
        .bind(state.updated_at)
        .bind(state.expires_at)
        .bind(new.payment.order_id.to_i64())
        .bind(new.payment.gateway.to_string())
        .bind(new.payment.operation.label())
        .bind(&new.payment.return_url)
        .bind(new.key.as_str())
        .bind(hex::encode(new.body_hash))
        .bind(new.payment.created_at.0)
        .bind(&row.view)
        .bind(row.asked_by)
        .bind(FIRST_VERSION)
        .bind(ACCEPTED)
}
