//! What Cleeng reads: strict bodies, with ids as numbers or numeric strings.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::fail::Fail;
use crate::domain::ids::number_or_text;
use crate::simulator::call::Call;

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
    pub(crate) billing_address: Option<Value>,
    pub(crate) payment_operation: Option<String>,
    pub(crate) subscription_id: Option<Id>,
    pub(crate) buy_as_a_gift: Option<bool>,
    pub(crate) delivery_details: Option<Value>,
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
    pub(crate) delivery_details: Option<Value>,
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

/// `POST /subscriptions/{id}/terminate`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Termination {
    pub(crate) termination_type: String,
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
