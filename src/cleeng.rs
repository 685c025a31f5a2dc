//! The Cleeng Payment API 3.1, as far as a connector calls it.

use crate::domain::confirmation::Report;
use crate::domain::failure::CallError;
use crate::domain::ids::{CleengPaymentId, OrderId};
use crate::domain::moment::Moment;
use crate::domain::money::Money;
use crate::domain::payment::Payment;

/// Cleeng's order, as far as charging needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) id: OrderId,
    pub(crate) customer_id: u64,
    pub(crate) publisher_id: Option<u64>,
    pub(crate) offer_id: String,
    pub(crate) total: Money,
    pub(crate) payment_method_id: Option<u64>,
    pub(crate) expires_at: Option<Moment>,
}

/// What reading back says about a report whose answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadBack {
    /// Cleeng has it; the id where the read shows one.
    Recorded(Option<CleengPaymentId>),
    /// Cleeng surely has it not.
    NotRecorded,
    /// Cleeng offers no read that could tell.
    CannotTell,
}

// The client to be written (`Cleeng`), with these calls:
//   fn new(config: &CleengConfig, http: reqwest::Client) -> Cleeng
//   async fn order(&self, id: OrderId) -> Result<Option<Order>, CallError>          // None: Cleeng has no such order
//   async fn report(&self, payment: &Payment, report: Report, earlier: Option<CleengPaymentId>) -> Result<CleengPaymentId, CallError>
//       // earlier: Cleeng's id of this payment's earlier record (authorized), then PATCH /payments/{id} or /cancel, else POST /payments
//   async fn read_back(&self, payment: &Payment, report: Report) -> Result<ReadBack, CallError>
