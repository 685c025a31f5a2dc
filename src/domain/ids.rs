//! The names of things: every id is its own type, parsed at the door.

mod cleeng;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub(crate) use cleeng::{
    CleengPaymentId, CustomerId, DemandId, OrderId, PaymentDetailsId, SubscriptionId,
};

/// Why a text is not the id it should be. The text itself is not repeated: it may be a secret pasted into the wrong field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not {0}")]
pub(crate) struct BadId(pub(crate) &'static str);

/// An id that follows from what it names: the same words give the same id, always. Not to be guessed it is not.
pub(crate) fn named(words: &[&str]) -> Uuid {
    let mut hash = Sha256::new();
    for word in words {
        hash.update(word.as_bytes());
        hash.update([0]);
    }
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(hash.finalize()) {
        *to = from;
    }
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// One thing to be paid. A UUIDv7, so that payments sort by the time they were accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct PaymentId(pub(crate) Uuid);

impl fmt::Display for PaymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for PaymentId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        Uuid::parse_str(text)
            .map(PaymentId)
            .map_err(|_| BadId("a payment id (a UUID)"))
    }
}

/// One try of an operation under one idempotency key. A UUIDv7: it is sent to the gateway and must not be guessable, and 74 of its
/// bits are random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct AttemptId(pub(crate) Uuid);

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for AttemptId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        Uuid::parse_str(text)
            .map(AttemptId)
            .map_err(|_| BadId("an attempt id (a UUID)"))
    }
}

/// Reads an unsigned number that may come as a number or as a string of digits.
pub(crate) fn number_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    deserializer.deserialize_any(NumberOrText)
}

/// As [`number_or_text`], for a field that may be absent or null.
pub(crate) fn maybe_number_or_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u64>, D::Error> {
    Option::<Numeric>::deserialize(deserializer).map(|found| found.map(|n| n.0))
}

struct Numeric(u64);

impl<'de> Deserialize<'de> for Numeric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        number_or_text(deserializer).map(Numeric)
    }
}

struct NumberOrText;

impl de::Visitor<'_> for NumberOrText {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number, or a string of digits")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<u64, E> {
        Ok(number)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<u64, E> {
        u64::try_from(number).map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<u64, E> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(E::custom("not a whole number or a string of digits"));
        }
        text.parse().map_err(|_| E::custom("a number too large"))
    }
}

/// A configured gateway: a lower-case word, because it becomes part of queue names and environment variables.
/// There are few, and each is named by every payment: a clone is cheap.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct GatewayName(Arc<str>);

impl GatewayName {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GatewayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for GatewayName {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let starts_well = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        let reads_well = text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if starts_well && reads_well && text.len() <= 32 {
            Ok(GatewayName(text.into()))
        } else {
            Err(BadId(
                "a gateway name (1 to 32 of a-z, 0-9 and _, starting with a letter)",
            ))
        }
    }
}

impl Serialize for GatewayName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for GatewayName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// The caller's `Idempotency-Key`: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct IdempotencyKey(String);

impl IdempotencyKey {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The same key as that customer's own. The space cannot be in a key as it is sent: no customer's key is another's, or a
    /// server's.
    pub(crate) fn of(&self, customer: CustomerId) -> IdempotencyKey {
        IdempotencyKey(format!("{customer} {}", self.0))
    }
}

impl FromStr for IdempotencyKey {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let visible = text.bytes().all(|b| b.is_ascii_graphic());
        if visible && (1..=255).contains(&text.len()) {
            Ok(IdempotencyKey(text.to_owned()))
        } else {
            Err(BadId(
                "an idempotency key (1 to 255 visible ASCII characters, no spaces)",
            ))
        }
    }
}

/// The gateway's own id of a payment (`pi_…` at Stripe).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct GatewayRef(pub(crate) String);

impl fmt::Display for GatewayRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The gateway's own id of something that hangs on a payment: a refund, a dispute.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ObjectRef(pub(crate) String);

/// Our id of one refund that we ask for. The gateway brings it back, so that a lost answer is found by reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct RefundId(pub(crate) Uuid);

impl fmt::Display for RefundId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for RefundId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        Uuid::parse_str(text)
            .map(RefundId)
            .map_err(|_| BadId("a refund id (a UUID)"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_id_is_read_from_a_number_and_from_digits() {
        assert_eq!(
            serde_json::from_str::<OrderId>("123456789").unwrap(),
            OrderId(123_456_789)
        );
        assert_eq!(
            serde_json::from_str::<OrderId>("\"123456789\"").unwrap(),
            OrderId(123_456_789)
        );
    }

    #[test]
    fn what_is_no_order_id_is_refused() {
        for bad in [
            "0",
            "-1",
            "1.5",
            "\"\"",
            "\"12a\"",
            "\" 1\"",
            "true",
            "null",
            "[1]",
            "9999999999999",
        ] {
            assert!(serde_json::from_str::<OrderId>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_idempotency_key_is_visible_ascii_of_bounded_length() {
        assert!("order-1:try_2".parse::<IdempotencyKey>().is_ok());
        let long = "k".repeat(256);
        for bad in ["", "a b", "ключ", "a\u{7}b", long.as_str()] {
            assert!(bad.parse::<IdempotencyKey>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_customers_key_is_nobody_elses() {
        let key: IdempotencyKey = "7".parse().unwrap();
        let of_seven = key.of(CustomerId(7));
        assert_ne!(of_seven, key.of(CustomerId(77)));
        // What a server could send is no customer's key, whatever it writes.
        assert!(of_seven.as_str().parse::<IdempotencyKey>().is_err());
    }

    #[test]
    fn a_gateway_name_fits_into_a_queue_name() {
        assert!("stripe".parse::<GatewayName>().is_ok());
        for bad in ["", "Stripe", "a.b", "1up", "a-b", "a#"] {
            assert!(bad.parse::<GatewayName>().is_err(), "{bad:?}");
        }
    }
}
