//! Everything Cleeng knows of one publisher.

use std::collections::BTreeMap;

use super::agenda::{Agenda, Schedule};
use super::calendar::Cycle;
use super::details::Details;
use super::dunning::Dunning;
use super::endpoint::Endpoint;
use super::hooks::Hooks;
use super::letter::{Awaits, Letter};
use super::method::Method;
use super::offer::Offer;
use super::order::Order;
use super::pass::Pass;
use super::payment::Payment;
use super::standing::Standing;
use super::subscription::Subscription;
use super::topic::Topic;
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
    /// Which orders have opened or extended their subscription or pass.
    pub(crate) granted: BTreeMap<u64, u64>,
    pub(crate) offers: BTreeMap<String, Offer>,
    pub(crate) methods: BTreeMap<u64, Method>,
    pub(crate) dunning: BTreeMap<(u64, Cycle), Dunning>,
    /// The rules where none is set.
    pub(crate) standard: Dunning,
    pub(crate) daily: Dunning,
    pub(crate) endpoints: BTreeMap<Topic, Vec<Endpoint>>,
    pub(crate) letters: BTreeMap<u64, Letter>,
    /// What webhooks that were taken ask for, as long as it is not reported.
    pub(crate) awaited: Vec<Awaits>,
    pub(crate) agenda: Agenda,
    pub(crate) schedule: Schedule,
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
    /// The wall clock in microseconds, wherever Cleeng's own was moved: latencies are taken from it.
    pub(crate) micros: i64,
}

impl Desk {
    pub(crate) fn seconds(&self) -> i64 {
        self.now.unix_seconds()
    }
}

impl World {
    pub(crate) fn new(mint: &Mint, hooks: &Hooks, standing: Option<Standing>) -> Self {
        let endpoints = Topic::REQUIRED
            .into_iter()
            .map(|topic| (topic, Endpoint::given(hooks).into_iter().collect()));
        World {
            orders: BTreeMap::new(),
            payments: BTreeMap::new(),
            details: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            passes: BTreeMap::new(),
            granted: BTreeMap::new(),
            offers: BTreeMap::new(),
            methods: BTreeMap::new(),
            dunning: BTreeMap::new(),
            standard: Dunning::standard(),
            daily: Dunning::daily(),
            endpoints: endpoints.collect(),
            letters: BTreeMap::new(),
            awaited: Vec::new(),
            agenda: Agenda::default(),
            schedule: match &hooks.url {
                Some(_) => Schedule::Kept,
                None => Schedule::Unasked,
            },
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
