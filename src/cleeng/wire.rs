//! Cleeng's JSON, as far as it is read and written. Its wrappers are not documented for every call, so several are taken.

use serde::ser::{Error, SerializeMap};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::config::RefundFields;
use crate::domain::ids::{OrderId, maybe_number_or_text, number_or_text};
use crate::domain::money::{Currency, Money};

/// The wrappers that are seen around an order: the Core API's, the sibling resources', the front-end API's.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderWrapper<'a> {
    #[serde(borrow)]
    pub(super) order: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) data: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) response_data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Order<'a> {
    pub(super) id: OrderId,
    #[serde(deserialize_with = "number_or_text")]
    pub(super) customer_id: u64,
    #[serde(default, deserialize_with = "maybe_number_or_text")]
    pub(super) publisher_id: Option<u64>,
    pub(super) offer_id: String,
    /// As it is written: a number or a string, in major units. Never a float.
    #[serde(borrow)]
    pub(super) total_price: &'a RawValue,
    pub(super) currency: Currency,
    #[serde(default, deserialize_with = "maybe_number_or_text")]
    pub(super) payment_method_id: Option<u64>,
    #[serde(default, deserialize_with = "maybe_number_or_text")]
    pub(super) expiration_date: Option<u64>,
}

/// The body of `POST /orders` for a renewal.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewOrder<'a> {
    pub(super) customer_id: u64,
    pub(super) offer_id: &'a str,
    pub(super) currency: &'a str,
    pub(super) country: &'a str,
    pub(super) payment_method_id: u64,
    pub(super) payment_operation: &'a str,
    /// A string: so it is documented.
    pub(super) subscription_id: String,
}

/// The answer to a report. A payment of its own, or one wrapped in `payment` or `data`.
#[derive(Deserialize)]
pub(super) struct Reported {
    pub(super) success: Option<bool>,
    pub(super) payment: Option<PaymentId>,
    pub(super) data: Option<PaymentId>,
    #[serde(default, deserialize_with = "maybe_number_or_text")]
    pub(super) id: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct PaymentId {
    #[serde(default, deserialize_with = "maybe_number_or_text")]
    pub(super) id: Option<u64>,
}

/// An error's body. `message` is for people and may name the customer, so it is not read; the old codes are machine words.
#[derive(Deserialize)]
pub(super) struct ErrorBody {
    pub(super) code: Option<String>,
}

/// The body of `POST /payments`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewPayment<'a> {
    /// A string in this call, a number in the next one: so it is documented.
    pub(super) order_id: String,
    pub(super) status: &'a str,
    pub(super) payment_operation: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) external_payment_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rejected_reason: Option<String>,
    /// Texts, as the order's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subscription_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payment_details_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payment_details: Option<PaymentDetails<'a>>,
}

/// The body of `PATCH /payments/{id}`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Change<'a> {
    pub(super) order_id: OrderId,
    pub(super) status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) external_payment_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rejected_reason: Option<String>,
}

/// The body of `PATCH /payments/{id}` for money that went back. Two of its fields are named by the configuration.
pub(super) struct Refund<'a> {
    pub(super) order_id: OrderId,
    pub(super) payment_operation: &'a str,
    pub(super) refunded_reason: String,
    pub(super) amount: Decimal,
    pub(super) kind: &'a str,
    pub(super) fields: &'a RefundFields,
}

impl Serialize for Refund<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_map(Some(6))?;
        body.serialize_entry("orderId", &self.order_id)?;
        body.serialize_entry("status", "refunded")?;
        body.serialize_entry("paymentOperation", self.payment_operation)?;
        body.serialize_entry("refundedReason", &self.refunded_reason)?;
        body.serialize_entry(&self.fields.amount, &self.amount)?;
        body.serialize_entry(&self.fields.kind, self.kind)?;
        body.end()
    }
}

/// A number in major units, written digit by digit. Never a float.
pub(super) struct Decimal(pub(super) Money);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.to_decimal())
            .map_err(S::Error::custom)?
            .serialize(serializer)
    }
}

/// The token with which Cleeng has later payments charged.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PaymentDetails<'a> {
    pub(super) token: &'a str,
    pub(super) payment_method_specific_params: SpecificParams<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SpecificParams<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) variant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_card_four_digits: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) holder_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) card_expiration_date: Option<&'a str>,
}

/// The answer to a search for subscriptions.
#[derive(Deserialize)]
pub(super) struct Subscriptions {
    pub(super) data: Vec<Found>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Found {
    pub(super) latest_payment_external_id: Option<String>,
    /// Unix seconds.
    #[serde(default, deserialize_with = "maybe_number_or_text")]
    pub(super) date_from: Option<u64>,
}

/// What may stand around one subscription.
#[derive(Deserialize)]
pub(super) struct SubscriptionWrapper<'a> {
    #[serde(borrow)]
    pub(super) subscription: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) data: Option<&'a RawValue>,
}

/// One subscription. Its dates are Unix seconds.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Subscription {
    #[serde(default, deserialize_with = "maybe_number_or_text")]
    pub(super) subscription_id: Option<u64>,
    pub(super) status: Option<String>,
    #[serde(default, deserialize_with = "maybe_number_or_text")]
    pub(super) date_to: Option<u64>,
    #[serde(default, deserialize_with = "maybe_number_or_text")]
    pub(super) next_payment_action_date: Option<u64>,
    pub(super) latest_payment_external_id: Option<String>,
    pub(super) is_externally_managed: Option<bool>,
}

/// What is a customer's, or what may stand around it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Owned<'a> {
    #[serde(default, deserialize_with = "maybe_number_or_text")]
    pub(super) customer_id: Option<u64>,
    #[serde(borrow)]
    pub(super) subscription: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) payment_details: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) data: Option<&'a RawValue>,
}

/// What may stand around a list of payments.
#[derive(Deserialize)]
pub(super) struct ListWrapper<'a> {
    #[serde(borrow)]
    pub(super) data: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) payments: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) items: Option<&'a RawValue>,
}

/// One listed payment.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Recorded {
    #[serde(deserialize_with = "number_or_text")]
    pub(super) id: u64,
    #[serde(default, deserialize_with = "maybe_number_or_text")]
    pub(super) order_id: Option<u64>,
    pub(super) external_payment_id: Option<String>,
    pub(super) status: Option<String>,
}

/// The body of `POST /subscriptions/{id}/terminate`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Termination<'a> {
    pub(super) termination_type: &'a str,
}

/// The body of `PATCH /subscriptions/{id}`.
#[derive(Serialize)]
pub(super) struct StatusChange<'a> {
    pub(super) status: &'a str,
}

/// The answer to a change of which nothing else is needed.
#[derive(Deserialize)]
pub(super) struct Taken {
    pub(super) success: Option<bool>,
}

/// The body of `POST /payment_details`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewDetails<'a> {
    pub(super) customer_id: u64,
    pub(super) token: &'a str,
    pub(super) payment_method_id: u64,
    pub(super) payment_method_specific_params: SpecificParams<'a>,
    pub(super) active: bool,
}

/// The answer to `POST /payment_details`: bare, or wrapped.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Made {
    pub(super) success: Option<bool>,
    pub(super) data: Option<DetailsId>,
    pub(super) payment_details: Option<DetailsId>,
    #[serde(default, deserialize_with = "maybe_number_or_text")]
    pub(super) id: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct DetailsId {
    #[serde(default, deserialize_with = "maybe_number_or_text")]
    pub(super) id: Option<u64>,
}

/// The body of `PATCH /subscriptions/{id}` that has it renewed with other details.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Attachment {
    pub(super) payment_details_id: u64,
}

/// The body of `PATCH /payment_details/{id}`.
#[derive(Serialize)]
pub(super) struct Activity {
    pub(super) active: bool,
}
