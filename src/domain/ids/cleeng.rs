//! Cleeng's ids, and those of what it demands.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};
use uuid::Uuid;

use super::{BadId, number_or_text};

/// A Cleeng order. Cleeng writes ids as numbers and as numeric strings, for the same field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(crate) struct OrderId(pub(crate) u64);

impl OrderId {
    /// The id as the ledger's column holds it.
    pub(crate) fn to_i64(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<u64> for OrderId {
    type Error = BadId;

    fn try_from(number: u64) -> Result<Self, BadId> {
        // Ten digits are the longest id in Cleeng's specification; twelve leave room and keep it far inside an i64.
        if (1..=999_999_999_999).contains(&number) {
            Ok(OrderId(number))
        } else {
            Err(BadId("an order id (a number from 1 to 999999999999)"))
        }
    }
}

impl<'de> Deserialize<'de> for OrderId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = number_or_text(deserializer)?;
        OrderId::try_from(number).map_err(de::Error::custom)
    }
}

/// A customer of the publisher's at Cleeng.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct CustomerId(pub(crate) u64);

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<u64> for CustomerId {
    type Error = BadId;

    fn try_from(number: u64) -> Result<Self, BadId> {
        // As for an order.
        if (1..=999_999_999_999).contains(&number) {
            Ok(CustomerId(number))
        } else {
            Err(BadId("a customer id (a number from 1 to 999999999999)"))
        }
    }
}

/// A Cleeng subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct SubscriptionId(pub(crate) u64);

impl fmt::Display for SubscriptionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Payment details at Cleeng: a stored method with its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct PaymentDetailsId(pub(crate) u64);

impl fmt::Display for PaymentDetailsId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One demand of Cleeng. It follows from what is demanded: the same webhook, sent again, has the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct DemandId(pub(crate) Uuid);

impl fmt::Display for DemandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Cleeng's id of a payment that it recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct CleengPaymentId(pub(crate) i64);

impl fmt::Display for CleengPaymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
