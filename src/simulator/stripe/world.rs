//! Everything Stripe knows of its one account.

use std::collections::HashMap;

use serde_json::Value;

use super::dispute::Dispute;
use super::event::Event;
use super::give_back::Refund;
use super::intent::Intent;
use super::method::Method;
use super::refund::Charge;
use super::setup::Setup;
use crate::domain::moment::Moment;
use crate::simulator::book::Taken;
use crate::simulator::mint::Mint;
use crate::simulator::post::Letter;
use crate::simulator::{Sim, clock};

/// The account's objects, by id.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) customers: HashMap<String, Value>,
    pub(crate) methods: HashMap<String, Method>,
    pub(crate) intents: HashMap<String, Intent>,
    pub(crate) setups: HashMap<String, Setup>,
    pub(crate) charges: HashMap<String, Charge>,
    pub(crate) refunds: HashMap<String, Refund>,
    pub(crate) disputes: HashMap<String, Dispute>,
    pub(crate) events: Vec<Event>,
    /// Webhooks that the present call caused; taken when it is done.
    pub(crate) letters: Vec<Letter>,
    /// Each time money was taken or held, in their order.
    pub(crate) taken: Vec<Taken>,
    places: u64,
}

/// Who is asking, when, and under which key: what an event says of its cause.
pub(crate) struct Desk<'a> {
    pub(crate) mint: &'a Mint,
    pub(crate) now: Moment,
    pub(crate) request: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) public_url: &'a str,
}

impl<'a> Desk<'a> {
    /// For what happens without a call to the API.
    pub(crate) fn of_no_call(sim: &'a Sim) -> Desk<'a> {
        Desk {
            mint: &sim.mint,
            now: clock::now(),
            request: None,
            key: None,
            public_url: sim.settings.public_url.as_str(),
        }
    }

    pub(crate) fn seconds(&self) -> i64 {
        self.now.unix_seconds()
    }
}

impl World {
    /// The next place in the order of creation.
    pub(crate) fn place(&mut self) -> u64 {
        self.places = self.places.saturating_add(1);
        self.places
    }
}
