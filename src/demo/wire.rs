//! What the simulator says about itself, as far as the page needs it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::ids::OrderId;
use crate::domain::money::Currency;

/// `POST /_orders`.
#[derive(Debug, Deserialize)]
pub(super) struct Order {
    pub(super) id: OrderId,
}

/// `GET /_ledger`.
#[derive(Debug, Deserialize)]
pub(super) struct Ledger {
    pub(super) stripe: Stripe,
    pub(super) simulated: Simulated,
    pub(super) cleeng: Cleeng,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stripe {
    pub(super) payment_intents: Vec<Intent>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Intent {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) amount: i64,
    pub(super) currency: Currency,
    pub(super) metadata: BTreeMap<String, String>,
    /// How often money was taken or held.
    pub(super) charges: u32,
    pub(super) created: i64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Simulated {
    pub(super) charges: Vec<Charge>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Charge {
    pub(super) id: String,
    pub(super) reference: String,
    pub(super) status: String,
    pub(super) amount: i64,
    pub(super) currency: Currency,
    pub(super) charges: u32,
    pub(super) created: i64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Cleeng {
    pub(super) orders: Vec<Priced>,
    pub(super) payments: Vec<CleengPayment>,
}

/// An order and what it costs.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Priced {
    pub(super) id: OrderId,
    /// A decimal in major units, kept as text: it is money.
    pub(super) total_price: Box<RawValue>,
    pub(super) currency: Currency,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CleengPayment {
    pub(super) id: u64,
    pub(super) order_id: OrderId,
    pub(super) status: String,
    /// A decimal in major units, kept as text: it is money.
    pub(super) amount: Box<RawValue>,
    pub(super) currency: Currency,
    pub(super) external_payment_id: String,
    pub(super) rejected_reason: Option<String>,
    #[serde(default)]
    pub(super) history: Vec<String>,
    pub(super) created: i64,
}
