//! Stripe's objects as they come over the wire, as far as we read them. Nothing here can be printed.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

use crate::domain::secret::Secret;

#[derive(Deserialize)]
pub(super) struct Customer {
    pub(super) id: String,
    pub(super) livemode: bool,
}

#[derive(Deserialize)]
pub(super) struct Intent {
    pub(super) id: String,
    pub(super) livemode: bool,
    pub(super) status: String,
    pub(super) currency: String,
    pub(super) amount_received: Option<i64>,
    pub(super) amount_capturable: Option<i64>,
    pub(super) customer: Option<String>,
    pub(super) payment_method: Option<String>,
    pub(super) setup_future_usage: Option<String>,
    pub(super) client_secret: Option<Secret<String>>,
    pub(super) next_action: Option<NextAction>,
    pub(super) last_payment_error: Option<Failure>,
    pub(super) latest_charge: Option<ChargeOrId>,
    pub(super) cancellation_reason: Option<String>,
}

/// Which kind of intent an answer shows.
#[derive(Deserialize)]
pub(super) struct Kind {
    pub(super) object: Option<String>,
}

/// A method that is kept without a charge.
#[derive(Deserialize)]
pub(super) struct SetupIntent {
    pub(super) id: String,
    pub(super) livemode: bool,
    pub(super) status: String,
    pub(super) customer: Option<String>,
    pub(super) payment_method: Option<MethodOrId>,
    pub(super) client_secret: Option<Secret<String>>,
    pub(super) next_action: Option<NextAction>,
    pub(super) last_setup_error: Option<Failure>,
}

#[derive(Deserialize)]
pub(super) struct Method {
    pub(super) id: String,
    pub(super) livemode: bool,
    pub(super) customer: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) card: Option<Card>,
    pub(super) billing_details: Option<BillingDetails>,
}

/// Stripe shows no `livemode` on a refund: it is of the mode of the key that reads it.
#[derive(Deserialize)]
pub(super) struct Refund {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) status: Option<String>,
    pub(super) failure_reason: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) payment_intent: Option<String>,
    pub(super) metadata: Option<RefundMetadata>,
}

#[derive(Deserialize)]
pub(super) struct RefundMetadata {
    pub(super) refund_id: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Dispute {
    pub(super) id: String,
    pub(super) livemode: bool,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) status: String,
}

/// One page of a list.
#[derive(Deserialize)]
pub(super) struct List<T> {
    pub(super) data: Vec<T>,
    pub(super) has_more: bool,
}

#[derive(Deserialize)]
pub(super) struct NextAction {
    pub(super) redirect_to_url: Option<RedirectToUrl>,
}

#[derive(Deserialize)]
pub(super) struct RedirectToUrl {
    pub(super) url: Option<Secret<String>>,
}

/// The body of an answer that is an error.
#[derive(Deserialize)]
pub(super) struct ErrorBody {
    pub(super) error: Failure,
}

/// An error, or an intent's `last_payment_error`: the same shape. Its `message` is for people and is not read.
#[derive(Deserialize, Default)]
pub(super) struct Failure {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) code: Option<String>,
    pub(super) decline_code: Option<String>,
    pub(super) advice_code: Option<String>,
    pub(super) param: Option<String>,
    pub(super) payment_intent: Option<FailedIntent>,
    pub(super) setup_intent: Option<FailedIntent>,
}

#[derive(Deserialize)]
pub(super) struct FailedIntent {
    pub(super) id: String,
    pub(super) latest_charge: Option<ChargeOrId>,
}

/// A method's id, and the method itself where `expand` was obeyed.
pub(super) struct MethodOrId {
    pub(super) id: String,
    pub(super) shown: Option<Method>,
}

/// A charge where `expand` was obeyed, else only its id, which we do not need.
pub(super) struct ChargeOrId(pub(super) Option<Charge>);

#[derive(Deserialize)]
pub(super) struct Charge {
    /// Taken or held; not so for a charge that was declined.
    pub(super) paid: Option<bool>,
    pub(super) outcome: Option<ChargeOutcome>,
    pub(super) payment_method_details: Option<MethodDetails>,
    pub(super) billing_details: Option<BillingDetails>,
}

#[derive(Deserialize)]
pub(super) struct ChargeOutcome {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct MethodDetails {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) card: Option<Card>,
}

#[derive(Deserialize)]
pub(super) struct Card {
    pub(super) brand: Option<String>,
    pub(super) last4: Option<String>,
    pub(super) exp_month: Option<u8>,
    pub(super) exp_year: Option<u16>,
    pub(super) capture_before: Option<i64>,
}

#[derive(Deserialize)]
pub(super) struct BillingDetails {
    pub(super) name: Option<Secret<String>>,
}

/// A webhook's body.
#[derive(Deserialize)]
pub(super) struct Event<'a> {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) livemode: bool,
    #[serde(borrow)]
    pub(super) data: EventData<'a>,
}

#[derive(Deserialize)]
pub(super) struct EventData<'a> {
    /// Of the kind that the event is about; read only when that is one we look at.
    #[serde(borrow)]
    pub(super) object: &'a RawValue,
}

#[derive(Deserialize)]
pub(super) struct EventObject {
    pub(super) id: String,
    /// Where the object hangs on a payment.
    pub(super) payment_intent: Option<String>,
    pub(super) metadata: Option<EventMetadata>,
}

#[derive(Deserialize)]
pub(super) struct EventMetadata {
    pub(super) payment_id: Option<String>,
}

impl<'de> Deserialize<'de> for MethodOrId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MethodVisitor)
    }
}

struct MethodVisitor;

impl<'de> de::Visitor<'de> for MethodVisitor {
    type Value = MethodOrId;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a payment method or its id")
    }

    fn visit_str<E: de::Error>(self, id: &str) -> Result<Self::Value, E> {
        Ok(MethodOrId {
            id: id.to_owned(),
            shown: None,
        })
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let method = Method::deserialize(MapAccessDeserializer::new(map))?;
        Ok(MethodOrId {
            id: method.id.clone(),
            shown: Some(method),
        })
    }
}

impl<'de> Deserialize<'de> for ChargeOrId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ChargeVisitor).map(ChargeOrId)
    }
}

struct ChargeVisitor;

impl<'de> de::Visitor<'de> for ChargeVisitor {
    type Value = Option<Charge>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a charge or its id")
    }

    fn visit_str<E: de::Error>(self, _id: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Charge::deserialize(MapAccessDeserializer::new(map)).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_is_read_expanded_and_as_an_id() {
        let read = |text| serde_json::from_str::<ChargeOrId>(text);
        assert!(read("\"ch_1\"").unwrap().0.is_none());
        assert!(
            read(r#"{"id":"ch_1","outcome":{"type":"blocked"}}"#)
                .unwrap()
                .0
                .is_some()
        );
        assert!(read("1").is_err());
    }
}
