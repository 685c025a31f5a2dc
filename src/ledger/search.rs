//! Finds payments for an operator, page by page: each way has an index of its own, so that none reads the whole table.

use tokio::time::timeout_at;

use super::page::{Argument, Page};
use super::{Ledger, LedgerError};
use crate::domain::ids::PaymentId;
use crate::domain::payment::Known;

/// What an operator looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SearchBy {
    All,
    /// What has not settled, the failed ones included.
    Open,
    InDoubt,
    Failed,
    /// Cleeng's number of the order.
    Order(i64),
    /// Cleeng's number of the customer; known once the order was read.
    Customer(i64),
    Subscription(i64),
    /// The gateway's own id of the payment.
    Reference(String),
}

impl SearchBy {
    /// The condition of the query. A customer's payments are in an index once they have settled.
    pub(super) fn condition(&self) -> &'static str {
        match self {
            SearchBy::All => "TRUE",
            SearchBy::Open => "unsettled",
            SearchBy::InDoubt => "unsettled AND status = 'in_doubt'",
            SearchBy::Failed => "unsettled AND status = 'failed'",
            SearchBy::Order(_) => "order_id = $1",
            SearchBy::Customer(_) => "(settled_customer = $1 OR (unsettled AND customer_id = $1))",
            SearchBy::Subscription(_) => "subscription_id = $1",
            SearchBy::Reference(_) => "reference = $1",
        }
    }

    fn argument(&self) -> Option<Argument> {
        match self {
            SearchBy::All | SearchBy::Open | SearchBy::InDoubt | SearchBy::Failed => None,
            SearchBy::Order(number)
            | SearchBy::Customer(number)
            | SearchBy::Subscription(number) => Some(Argument::Number(*number)),
            SearchBy::Reference(reference) => Some(Argument::Text(reference.clone())),
        }
    }
}

impl Ledger {
    /// The newest that fit, those older than `before` if it is given. `limit` is held between 1 and 500.
    pub(crate) async fn search(
        &self,
        by: &SearchBy,
        before: Option<PaymentId>,
        limit: i64,
    ) -> Result<Vec<Known>, LedgerError> {
        let page = Page::older(by.condition(), by.argument(), before, limit);
        let mut session = self.session().await?;
        let work = page.read(&mut session.conn, self.backend);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }
}
