//! The JSON of the simulated gateway's webhooks about subscriptions that it bills itself.

use serde::Deserialize;

use crate::domain::ids::number_or_text;
use crate::domain::money::Money;

#[derive(Deserialize)]
pub(super) struct Kind {
    #[serde(rename = "type")]
    pub(super) kind: String,
}

#[derive(Deserialize)]
pub(super) struct Event {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// Unix milliseconds.
    pub(super) created: i64,
    pub(super) subscription: Subscription,
    pub(super) payment: Option<Payment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Subscription {
    pub(super) id: String,
    pub(super) metadata: Metadata,
    /// Unix seconds: until when it is paid for.
    pub(super) period_end: Option<i64>,
    /// Why it ended.
    pub(super) end_reason: Option<EndReason>,
}

/// What whoever made the subscription at the gateway wrote on it, for us.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    #[serde(deserialize_with = "number_or_text")]
    pub(super) customer_id: u64,
    pub(super) offer_id: String,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(super) enum EndReason {
    Unpaid,
    Asked,
}

#[derive(Deserialize)]
pub(super) struct Payment {
    pub(super) id: String,
    pub(super) reason: Reason,
    /// Without tax.
    pub(super) amount: Money,
    pub(super) tax: Option<Money>,
    pub(super) country: Option<String>,
    pub(super) failure: Option<String>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reason {
    Begin,
    Renewal,
}
