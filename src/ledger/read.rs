//! Reads payments as they are known: one, by the gateway's name of it, or a page of them.

use std::collections::BTreeMap;

use sqlx::{AnyConnection, AssertSqlSafe};

use super::attempt_row::{self, attempts_where};
use super::confirmation_row::{self, confirmations_where};
use super::connect::Backend;
use super::fields::Fields;
use super::payment_row::{self, Statement, payments_where};
use super::{Doubts, LedgerError, PaymentFilter};
use crate::domain::attempt::Attempt;
use crate::domain::confirmation::Confirmation;
use crate::domain::ids::{GatewayName, GatewayRef, PaymentId};
use crate::domain::payment::{Known, Payment};

/// The longest page of payments.
const PAGE: i64 = 500;

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
        "SELECT COUNT(*) AS count, MIN(created_at) AS oldest FROM payments WHERE status = 'in_doubt'",
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

pub(super) async fn list(
    conn: &mut AnyConnection,
    backend: Backend,
    filter: &PaymentFilter,
) -> Result<Vec<Known>, LedgerError> {
    let page = Page::of(filter);
    let mut moment = backend.begin_read(conn).await?;

    let payments = page.query(payments_where!(""), &page.text);
    let payments = payments.fetch_all(&mut *moment).await?;
    let ids = format!(
        "payment_id IN (SELECT id FROM payments WHERE {})",
        page.text
    );
    let mut attempts: BTreeMap<PaymentId, Vec<Attempt>> = BTreeMap::new();
    let rest = format!("{ids} ORDER BY number");
    let rows = page.query(attempts_where!(""), &rest);
    for row in rows.fetch_all(&mut *moment).await? {
        let (payment, attempt) = attempt_row::attempt(&row)?;
        attempts.entry(payment).or_default().push(attempt);
    }
    let mut confirmations: BTreeMap<PaymentId, Vec<Confirmation>> = BTreeMap::new();
    let rest = format!("{ids} ORDER BY sequence");
    let rows = page.query(confirmations_where!(""), &rest);
    for row in rows.fetch_all(&mut *moment).await? {
        let one = confirmation_row::confirmation(&row)?;
        confirmations.entry(one.payment_id).or_default().push(one);
    }
    moment.commit().await?;

    payments
        .iter()
        .map(|row| {
            let payment = payment_row::payment(row)?;
            Ok(Known {
                attempts: attempts.remove(&payment.id).unwrap_or_default(),
                confirmations: confirmations.remove(&payment.id).unwrap_or_default(),
                payment,
            })
        })
        .collect()
}

/// The condition, order and limit of a list, with its arguments in the order of their placeholders.
struct Page {
    text: String,
    arguments: Vec<Argument>,
}

enum Argument {
    Text(String),
    Number(i64),
}

impl Page {
    /// Only what is filtered by is in the text, so that each list can use its index.
    fn of(filter: &PaymentFilter) -> Page {
        let status = filter
            .status
            .map(|status| ("status", Argument::Text(status.label().to_owned())));
        let order = filter
            .order_id
            .map(|order| ("order_id", Argument::Number(order.to_i64())));
        let reference = filter
            .reference
            .clone()
            .map(|reference| ("reference", Argument::Text(reference)));
        let mut text = "TRUE".to_owned();
        let mut arguments = Vec::new();
        for (column, argument) in [status, order, reference].into_iter().flatten() {
            arguments.push(argument);
            text.push_str(&format!(" AND {column} = ${}", arguments.len()));
        }
        arguments.push(Argument::Number(filter.limit.clamp(1, PAGE)));
        let limit = arguments.len();
        text.push_str(&format!(" ORDER BY id DESC LIMIT ${limit}"));
        Page { text, arguments }
    }

    /// `select` and `rest` are texts of this file, `rest` with this page's placeholders.
    fn query(&self, select: &'static str, rest: &str) -> Statement<'static> {
        let text = AssertSqlSafe(format!("{select}{rest}"));
        self.arguments
            .iter()
            .fold(sqlx::query(text), |query, argument| match argument {
                Argument::Text(text) => query.bind(text.clone()),
                Argument::Number(number) => query.bind(*number),
            })
    }
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
