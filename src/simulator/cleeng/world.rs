//! Everything Cleeng knows of one publisher.

use std::collections::BTreeMap;

use super::access::{Pass, Subscription};
use super::details::Details;
use super::order::Order;
use super::payment::Payment;
use super::standing::Standing;
use crate::domain::moment::Moment;
use crate::simulator::book::Recorded;
use crate::simulator::mint::Mint;

/// The publisher's resources, by id; ids are counted up, so they are in the order of creation.
pub(crate) struct World {
    pub(crate) orders: BTreeMap<u64, Order>,
    pub(crate) payments: BTreeMap<u64, Payment>,
    pub(crate) details: BTreeMap<u64, Details>,
    pub(crate) subscriptions: BTreeMap<u64, Subscription>,
    pub(crate) passes: BTreeMap<u64, Pass>,
    /// Which orders have their subscription or pass.
    pub(crate) granted: BTreeMap<u64, u64>,
    /// Every record of a payment, in its order.
    pub(crate) recorded: Vec<Recorded>,
    pub(crate) standing: Option<Standing>,
    next_order: u64,
    next: u64,
}

/// Whose account it is, and what time.
pub(crate) struct Desk {
    pub(crate) publisher_id: u64,
    pub(crate) payment_method_id: u64,
    pub(crate) now: Moment,
    /// The same moment, finer.
    pub(crate) micros: i64,
}

impl Desk {
    pub(crate) fn seconds(&self) -> i64 {
        self.now.unix_seconds()
    }
}

impl World {
    pub(crate) fn new(mint: &Mint, standing: Option<Standing>) -> Self {
        World {
            orders: BTreeMap::new(),
            payments: BTreeMap::new(),
            details: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            passes: BTreeMap::new(),
            granted: BTreeMap::new(),
            recorded: Vec::new(),
            standing,
            next_order: mint.number(100_000_001, 500_000_000),
            next: mint.number(500_000_001, 900_000_000),
        }
    }

    pub(crate) fn next_order(&mut self) -> u64 {
        self.next_order = self.next_order.saturating_add(1);
        self.next_order
    }

    /// The next id of anything else.
    pub(crate) fn next(&mut self) -> u64 {
        self.next = self.next.saturating_add(1);
        self.next
    }
}
