//! Several payments at once, as they are known: those that a condition names, the newest first.

use std::collections::BTreeMap;

use sqlx::{AnyConnection, AssertSqlSafe};

use super::attempt_row::{self, attempts_where};
use super::confirmation_row::{self, confirmations_where};
use super::connect::Backend;
use super::payment_row::{self, Statement, payments_where};
use super::{LedgerError, PaymentFilter};
use crate::domain::attempt::Attempt;
use crate::domain::confirmation::Confirmation;
use crate::domain::ids::PaymentId;
use crate::domain::payment::Known;

/// The longest page.
const MOST: i64 = 500;

/// The condition, order and limit of a page, with its arguments in the order of their placeholders.
pub(super) struct Page {
    text: String,
    arguments: Vec<Argument>,
}

pub(super) enum Argument {
    Text(String),
    Number(i64),
}

impl Page {
    /// Only what is filtered by is in the text, so that each list can use its index.
    pub(super) fn of(filter: &PaymentFilter) -> Page {
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
        Page { text, arguments }.newest(filter.limit)
    }

    /// Those for which `condition` holds of a number, its `$1`.
    pub(super) fn with(condition: &'static str, number: i64, limit: i64) -> Page {
        let page = Page {
            text: condition.to_owned(),
            arguments: vec![Argument::Number(number)],
        };
        page.newest(limit)
    }

    /// Those for which `condition` holds, its arguments in their order; the oldest first.
    pub(super) fn oldest(
        condition: &'static str,
        mut arguments: Vec<Argument>,
        limit: i64,
    ) -> Page {
        arguments.push(Argument::Number(limit.clamp(1, MOST)));
        Page {
            text: format!("{condition} ORDER BY id LIMIT ${}", arguments.len()),
            arguments,
        }
    }

    /// Those for which `condition` holds of `argument`, its `$1`, and that are older than `before`.
    pub(super) fn older(
        condition: &'static str,
        argument: Option<Argument>,
        before: Option<PaymentId>,
        limit: i64,
    ) -> Page {
        let mut page = Page {
            text: condition.to_owned(),
            arguments: argument.into_iter().collect(),
        };
        if let Some(before) = before {
            page.arguments.push(Argument::Text(before.to_string()));
            let place = page.arguments.len();
            page.text.push_str(&format!(" AND id < ${place}"));
        }
        page.newest(limit)
    }

    /// All parts are of one moment.
    pub(super) async fn read(
        &self,
        conn: &mut AnyConnection,
        backend: Backend,
    ) -> Result<Vec<Known>, LedgerError> {
        let mut moment = backend.begin_read(conn).await?;

        let payments = self.query(payments_where!(""), &self.text);
        let payments = payments.fetch_all(&mut *moment).await?;
        let ids = format!(
            "payment_id IN (SELECT id FROM payments WHERE {})",
            self.text
        );
        let mut attempts: BTreeMap<PaymentId, Vec<Attempt>> = BTreeMap::new();
        let rest = format!("{ids} ORDER BY number");
        let rows = self.query(attempts_where!(""), &rest);
        for row in rows.fetch_all(&mut *moment).await? {
            let (payment, attempt) = attempt_row::attempt(&row)?;
            attempts.entry(payment).or_default().push(attempt);
        }
        let mut confirmations: BTreeMap<PaymentId, Vec<Confirmation>> = BTreeMap::new();
        let rest = format!("{ids} ORDER BY sequence");
        let rows = self.query(confirmations_where!(""), &rest);
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

    /// The limit is held between 1 and [`MOST`]. Ids grow with time.
    fn newest(mut self, limit: i64) -> Page {
        self.arguments.push(Argument::Number(limit.clamp(1, MOST)));
        let limit = self.arguments.len();
        self.text
            .push_str(&format!(" ORDER BY id DESC LIMIT ${limit}"));
        self
    }

    /// `select` and `rest` are texts of this room, `rest` with this page's placeholders.
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
