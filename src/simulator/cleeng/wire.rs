//! What Cleeng reads: strict bodies, with ids as numbers or numeric strings.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::fail::Fail;
use crate::domain::ids::number_or_text;
use crate::simulator::call::Call;

mod access;

pub(crate) use access::{
    Cancellation, NewPass, NewSubscription, PassChange, Renewal, Revival, SubscriptionChange,
    Termination, Transfer,
};

/// An id: Cleeng mixes numbers and numeric strings for the same field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Id(pub(crate) u64);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        number_or_text(deserializer).map(Id)
    }
}

/// `POST /orders`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct NewOrder {
    pub(crate) customer_id: Id,
    pub(crate) offer_id: String,
    pub(crate) currency: Option<String>,
    pub(crate) country: Option<String>,
    #[serde(rename = "customerIP")]
    pub(crate) customer_ip: Option<String>,
    pub(crate) payment_method_id: Option<Id>,
    pub(crate) coupon_code: Option<String>,
    pub(crate) tax_rate: Option<String>,
    pub(crate) billing_address: Option<Map<String, Value>>,
    pub(crate) payment_operation: Option<String>,
    pub(crate) subscription_id: Option<Id>,
    pub(crate) buy_as_a_gift: Option<bool>,
    pub(crate) delivery_details: Option<Map<String, Value>>,
    pub(crate) total_price: Option<String>,
    pub(crate) method_fee: Option<String>,
}

/// `PATCH /orders/{id}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct OrderChange {
    pub(crate) payment_method_id: Option<Id>,
    pub(crate) coupon_code: Option<String>,
    pub(crate) buy_as_a_gift: Option<bool>,
    pub(crate) delivery_details: Option<Map<String, Value>>,
}

/// `POST /payments`, of a payment that Cleeng manages.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct NewPayment {
    pub(crate) order_id: Id,
    pub(crate) status: String,
    pub(crate) payment_operation: String,
    pub(crate) payment_details_id: Option<Id>,
    pub(crate) payment_details: Option<PaymentDetails>,
    pub(crate) external_payment_id: Option<String>,
    pub(crate) rejected_reason: Option<String>,
    pub(crate) refunded_reason: Option<String>,
    pub(crate) subscription_id: Option<Id>,
}

/// The token that is stored in the same call.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct PaymentDetails {
    pub(crate) token: String,
    pub(crate) payment_method_id: Option<Id>,
    pub(crate) payment_method_specific_params: Option<Value>,
    pub(crate) active: Option<bool>,
}

/// `PATCH /payments/{id}`. The names of the refund's amount and type are not published: the candidates are all taken.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct PaymentChange {
    pub(crate) status: String,
    pub(crate) order_id: Option<Id>,
    pub(crate) payment_operation: Option<String>,
    pub(crate) external_payment_id: Option<String>,
    pub(crate) payment_details: Option<PaymentDetails>,
    pub(crate) rejected_reason: Option<String>,
    pub(crate) refunded_reason: Option<String>,
    #[serde(alias = "refundAmount", alias = "refundedAmount")]
    pub(crate) amount: Option<Box<RawValue>>,
    #[serde(rename = "type", alias = "refundType")]
    pub(crate) kind: Option<String>,
}

/// `POST /payment_details`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct NewDetails {
    pub(crate) customer_id: Id,
    pub(crate) token: String,
    pub(crate) payment_method_id: Id,
    pub(crate) payment_method_specific_params: Option<Value>,
    pub(crate) active: Option<bool>,
}

/// `PATCH /payment_details/{id}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DetailsChange {
    pub(crate) active: bool,
}

/// `POST /payments` without an order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct NewExternalPayment {
    pub(crate) customer_id: Id,
    pub(crate) status: String,
    pub(crate) offer_id: String,
    pub(crate) payment_method_id: Id,
    pub(crate) net_amount: Box<RawValue>,
    /// Must be there, and may be null.
    pub(crate) tax_amount: Box<RawValue>,
    pub(crate) currency: String,
    pub(crate) external_payment_id: String,
    pub(crate) country: Option<String>,
    pub(crate) rejected_reason: Option<String>,
    pub(crate) subscription_id: Option<Id>,
}

/// `PATCH /payment_details/{id}/attemptRestrictions`: exactly one of the two.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Restriction {
    /// In seconds since 1970; nothing lifts it.
    To(Option<i64>),
    /// How often it was rejected, by month.
    Rejections(BTreeMap<String, u32>),
}

/// `PUT /dunning_actions/{cycle}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct DunningChange {
    pub(crate) authorized_first: bool,
    pub(crate) payment_attempts: Vec<i64>,
    pub(crate) payment_method_id: Id,
    pub(crate) grace_period: i64,
}

/// `POST /payment_methods`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct NewMethod {
    pub(crate) source: String,
    pub(crate) method_name: String,
    pub(crate) payment_gateway: String,
    pub(crate) is_external_payment: bool,
    pub(crate) payment_support: Value,
    pub(crate) payment_amount_accuracy: Value,
    pub(crate) fee_rate: Option<Value>,
    pub(crate) handler: Option<String>,
    pub(crate) gateway_parameters: Option<Value>,
    pub(crate) auto_terminate: Option<bool>,
}

/// Does the body name an order? Payments that Cleeng does not manage have none.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Peek {
    order_id: Option<IgnoredAny>,
    net_amount: Option<IgnoredAny>,
}

/// Is this the body of an externally managed payment?
pub(crate) fn is_external(call: &Call) -> bool {
    serde_json::from_slice::<Peek>(&call.body)
        .is_ok_and(|peek| peek.order_id.is_none() && peek.net_amount.is_some())
}

/// # Errors
/// Not exactly one of the two, or not of that form.
pub(crate) fn restriction(call: &Call) -> Result<Restriction, Fail> {
    let fields: BTreeMap<String, Value> = body(call)?;
    let wrong = |name: &str| Fail::invalid(format!("{name} value is invalid"));
    let mut given = fields.into_iter();
    match (given.next(), given.next()) {
        (Some((name, value)), None) if name == "attemptRestrictedTo" => match value.as_i64() {
            Some(at) if at >= 0 => Ok(Restriction::To(Some(at))),
            None if value.is_null() => Ok(Restriction::To(None)),
            Some(_) | None => Err(wrong(&name)),
        },
        (Some((name, value)), None) if name == "attemptRejections" => {
            let months: BTreeMap<String, u32> =
                serde_json::from_value(value).map_err(|_| wrong(&name))?;
            match months.keys().all(|month| is_month(month)) {
                true => Ok(Restriction::Rejections(months)),
                false => Err(wrong(&name)),
            }
        }
        (_, _) => Err(Fail::invalid(
            "exactly one of attemptRestrictedTo and attemptRejections is taken",
        )),
    }
}

/// `2026-03`.
fn is_month(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('-').is_some_and(|(year, month)| {
        year.len() == 4
            && digits(year)
            && month.len() == 2
            && digits(month)
            && ("01"..="12").contains(&month)
    })
}

/// # Errors
/// Not 1 to 120 characters.
pub(crate) fn external_id(text: &str) -> Result<(), Fail> {
    match text.chars().count() {
        1..=120 => Ok(()),
        _ => Err(Fail::invalid("externalId value is invalid")),
    }
}

pub(crate) fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.chars().all(|letter| letter.is_ascii_uppercase())
}

/// # Errors
/// As [`body`]; no body at all is an empty object.
pub(crate) fn body_or_empty<T: DeserializeOwned>(call: &Call) -> Result<T, Fail> {
    let text: &[u8] = match call.body.is_empty() {
        true => b"{}",
        false => &call.body,
    };
    serde_json::from_slice(text).map_err(|error| Fail::invalid(error.to_string()))
}

/// # Errors
/// The body is not the JSON that belongs here.
pub(crate) fn body<T: DeserializeOwned>(call: &Call) -> Result<T, Fail> {
    serde_json::from_slice(&call.body).map_err(|error| Fail::invalid(error.to_string()))
}

/// # Errors
/// The path's id is not a number.
pub(crate) fn path_id(text: &str) -> Result<u64, Fail> {
    text.parse()
        .map_err(|_| Fail::invalid(format!("invalid id: {text}")))
}
