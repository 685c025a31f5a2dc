//! Stripe's JSON about subscriptions that it bills itself: invoices, and subscriptions that change.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

#[derive(Deserialize)]
pub(super) struct Event<'a> {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// Unix seconds, here and below.
    pub(super) created: i64,
    #[serde(borrow)]
    pub(super) data: EventData<'a>,
}

#[derive(Deserialize)]
pub(super) struct EventData<'a> {
    #[serde(borrow)]
    pub(super) object: &'a RawValue,
    /// What an update has changed, as it was before.
    pub(super) previous_attributes: Option<Before>,
}

#[derive(Deserialize)]
pub(super) struct Before {
    /// Present when it was changed, also when it was null.
    #[serde(default, deserialize_with = "present")]
    pub(super) cancel_at: bool,
    #[serde(default, deserialize_with = "present")]
    pub(super) cancel_at_period_end: bool,
    pub(super) metadata: Option<BTreeMap<String, IgnoredAny>>,
}

/// Whoever made the subscription at Stripe wrote it there, for us.
#[derive(Deserialize)]
pub(super) struct Metadata {
    #[serde(rename = "customerId")]
    pub(super) customer_id: Option<String>,
    #[serde(rename = "offerId")]
    pub(super) offer_id: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Invoice {
    pub(super) id: String,
    pub(super) billing_reason: Option<String>,
    pub(super) currency: String,
    pub(super) total: i64,
    pub(super) total_excluding_tax: Option<i64>,
    pub(super) customer_address: Option<Address>,
    pub(super) parent: Option<Parent>,
    pub(super) lines: Option<Lines>,
}

#[derive(Deserialize)]
pub(super) struct Address {
    pub(super) country: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Parent {
    pub(super) subscription_details: Option<SubscriptionDetails>,
}

/// The subscription's metadata as they were when the invoice was made.
#[derive(Deserialize)]
pub(super) struct SubscriptionDetails {
    pub(super) subscription: String,
    pub(super) metadata: Option<Metadata>,
}

#[derive(Deserialize)]
pub(super) struct Lines {
    pub(super) data: Vec<Line>,
}

#[derive(Deserialize)]
pub(super) struct Line {
    pub(super) period: Option<Period>,
}

#[derive(Deserialize)]
pub(super) struct Period {
    pub(super) end: i64,
}

#[derive(Deserialize)]
pub(super) struct Subscription {
    pub(super) id: String,
    pub(super) metadata: Option<Metadata>,
    #[serde(default)]
    pub(super) cancel_at_period_end: bool,
    pub(super) cancel_at: Option<i64>,
    pub(super) cancellation_details: Option<CancellationDetails>,
}

#[derive(Deserialize)]
pub(super) struct CancellationDetails {
    pub(super) reason: Option<String>,
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}
