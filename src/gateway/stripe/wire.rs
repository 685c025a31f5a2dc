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
}

#[derive(Deserialize)]
pub(super) struct FailedIntent {
    pub(super) id: String,
    pub(super) latest_charge: Option<ChargeOrId>,
}

/// A charge where `expand` was obeyed, else only its id, which we do not need.
pub(super) struct ChargeOrId(pub(super) Option<Charge>);

#[derive(Deserialize)]
pub(super) struct Charge {
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
    /// Of the kind that the event is about; read only when that is an intent.
    #[serde(borrow)]
    pub(super) object: &'a RawValue,
}

#[derive(Deserialize)]
pub(super) struct EventIntent {
    pub(super) id: String,
    #[serde(default)]
    pub(super) metadata: EventMetadata,
}

#[derive(Deserialize, Default)]
pub(super) struct EventMetadata {
    pub(super) payment_id: Option<String>,
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
