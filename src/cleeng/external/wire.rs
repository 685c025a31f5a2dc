//! Cleeng's JSON about what a gateway bills itself. The guides name the fields of the requests, not every answer's wrapper.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::cleeng::wire::Decimal;
use crate::domain::ids::maybe_number_or_text;

/// The body of `POST /payments` without an order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewPayment<'a> {
    pub(super) customer_id: u64,
    pub(super) status: &'a str,
    pub(super) offer_id: &'a str,
    pub(super) payment_method_id: u64,
    pub(super) net_amount: Decimal,
    /// Has to be there, and may be null.
    pub(super) tax_amount: Option<Decimal>,
    pub(super) currency: &'a str,
    pub(super) external_payment_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) country: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rejected_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subscription_id: Option<u64>,
}

/// The body of `POST /subscriptions` and of `POST /passes`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewAccess<'a> {
    pub(super) customer_id: u64,
    pub(super) offer_id: &'a str,
    pub(super) payment_method_id: u64,
    pub(super) external_id: &'a str,
    pub(super) payment_id: i64,
    /// Unix seconds, here and below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expires_at: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Renewal {
    pub(super) payment_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expires_at: Option<i64>,
}

/// The body of `PATCH /passes/{id}`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewEnd {
    pub(super) expires_at: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Revival {
    pub(super) expiration_date: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cancellation<'a> {
    pub(super) cancellation_reason: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Transfer {
    pub(super) customer_id: u64,
}

/// What may stand around one subscription or pass.
#[derive(Deserialize)]
pub(super) struct Wrapper<'a> {
    pub(super) success: Option<bool>,
    #[serde(borrow)]
    pub(super) subscription: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) pass: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct List {
    pub(super) data: Vec<Access>,
}

/// A subscription or a pass.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Access {
    #[serde(default, deserialize_with = "maybe_number_or_text")]
    pub(super) subscription_id: Option<u64>,
    #[serde(default, deserialize_with = "maybe_number_or_text")]
    pub(super) pass_id: Option<u64>,
    #[serde(default, deserialize_with = "maybe_number_or_text")]
    pub(super) id: Option<u64>,
    /// A subscription's.
    pub(super) status: Option<String>,
    /// A subscription's end.
    #[serde(default, deserialize_with = "maybe_number_or_text")]
    pub(super) date_to: Option<u64>,
    /// A pass's end; without one it goes on for ever.
    #[serde(default, deserialize_with = "maybe_number_or_text")]
    pub(super) expires_at: Option<u64>,
    pub(super) latest_payment_external_id: Option<String>,
    pub(super) subscription_external_id: Option<String>,
    pub(super) external_id: Option<String>,
}
