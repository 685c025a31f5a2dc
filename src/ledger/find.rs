//! Finds payments by what they belong to: a list for operators, a subscription, a stored method, an order, a record at Cleeng.

use sqlx::AnyConnection;
use tokio::time::timeout_at;

use super::fields::{Fields, as_number};
use super::page::Page;
use super::{Ledger, LedgerError, PaymentFilter};
use crate::domain::ids::{CleengPaymentId, OrderId, PaymentDetailsId, PaymentId, SubscriptionId};
use crate::domain::payment::Known;

/// The most payments of one look-up.
const MOST: i64 = 50;

impl Ledger {
    pub(crate) async fn list(&self, filter: &PaymentFilter) -> Result<Vec<Known>, LedgerError> {
        self.page(&Page::of(filter)).await
    }

    /// The renewals of a subscription, the newest first, at most 50.
    pub(crate) async fn payments_of_subscription(
        &self,
        subscription: SubscriptionId,
    ) -> Result<Vec<Known>, LedgerError> {
        let number = as_number(subscription.0, "subscription_id")?;
        let page = Page::with("subscription_id = $1", number, MOST);
        self.page(&page).await
    }

    /// The renewals with a stored method that are authorised, or may become so: the newest first, at most 50. One that was
    /// given up is not among them any more, so asking again brings the rest.
    pub(crate) async fn authorized_with(
        &self,
        details: PaymentDetailsId,
    ) -> Result<Vec<Known>, LedgerError> {
        let number = as_number(details.0, "payment_details_id")?;
        // The second condition is the index's, word for word: SQLite uses it for nothing less.
        let condition =
            "payment_details_id = $1 AND (unsettled OR reserved) AND status <> 'failed'";
        self.page(&Page::with(condition, number, MOST)).await
    }

    /// All payments of an order, also those that do not hold it any more: the newest first, at most 50.
    pub(crate) async fn payments_of_order(
        &self,
        order: OrderId,
    ) -> Result<Vec<Known>, LedgerError> {
        let page = Page::with("order_id = $1", order.to_i64(), MOST);
        self.page(&page).await
    }

    /// The payment that Cleeng recorded under this id.
    ///
    /// Rare and slow: it reads all confirmations, since an index for it would be written with every payment. In a large ledger
    /// it may not end within the time-out; who knows an order or a reference asks for that.
    pub(crate) async fn by_cleeng_payment(
        &self,
        id: CleengPaymentId,
    ) -> Result<Option<PaymentId>, LedgerError> {
        let mut session = self.session().await?;
        let work = by_cleeng_payment(&mut session.conn, id);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }

    async fn page(&self, page: &Page) -> Result<Vec<Known>, LedgerError> {
        let mut session = self.session().await?;
        let work = page.read(&mut session.conn, self.backend);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }
}

/// With news about payment details the number is theirs, which could be a payment's as well.
/// No order is asked for: with one PostgreSQL would go through an index, which is slower than through the table.
async fn by_cleeng_payment(
    conn: &mut AnyConnection,
    id: CleengPaymentId,
) -> Result<Option<PaymentId>, LedgerError> {
    let found =
        sqlx::query("SELECT payment_id FROM confirmations WHERE cleeng_payment_id = $1 AND report NOT LIKE 'details%' LIMIT 1")
            .bind(id.0)
            .fetch_optional(conn)
            .await?;
    found
        .map(|row| Fields(&row).uuid("payment_id").map(PaymentId))
        .transpose()
}
