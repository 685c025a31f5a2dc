//! Orders that exist without having been created one by one: every id of a range, made when it is first asked for.

use std::str::FromStr;

use serde_json::Value;

use super::order::{Discount, LIFETIME_SECONDS, Order};
use super::world::{Desk, World};

/// A range of order ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    first: u64,
    last: u64,
}

impl Standing {
    pub(crate) fn new(first: u64, last: u64) -> Standing {
        Standing { first, last }
    }

    fn holds(self, id: u64) -> bool {
        (self.first..=self.last).contains(&id)
    }
}

impl FromStr for Standing {
    type Err = String;

    /// `FIRST-LAST`.
    fn from_str(text: &str) -> Result<Self, String> {
        let range = text
            .split_once('-')
            .and_then(|(first, last)| Some(Standing::new(first.parse().ok()?, last.parse().ok()?)));
        range
            .filter(|range| range.first <= range.last)
            .ok_or_else(|| "write FIRST-LAST, such as 700000000000-700000999999".to_owned())
    }
}

/// What a standing order costs, in minor units: not all the same, so that a mixed-up amount is seen.
pub(crate) fn total(order_id: u64) -> i64 {
    i64::try_from(order_id % 9_900).map_or(100, |cents| cents.saturating_add(100))
}

impl World {
    /// If this is a standing order that nobody has asked for yet, it exists from now on.
    pub(crate) fn appear(&mut self, desk: &Desk, id: u64) {
        let wanted = self.standing.is_some_and(|range| range.holds(id));
        if !wanted || self.orders.contains_key(&id) {
            return;
        }
        let order = Order {
            id,
            customer_id: id,
            // A single purchase: nothing is kept for renewals.
            offer_id: "A619117184_US".to_owned(),
            total: total(id),
            currency: "EUR".to_owned(),
            country: "US".to_owned(),
            payment_method_id: Some(desk.payment_method_id),
            expires: desk.seconds().saturating_add(LIFETIME_SECONDS),
            coupon: None,
            gift: false,
            delivery: Value::Null,
            billing_address: Value::Null,
            subscription: None,
            discount: Discount::None,
        };
        self.orders.insert(id, order);
    }
}
