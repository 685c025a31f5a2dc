//! Offers: their price, cycle and trial. Every offer exists; a test sets up the ones that are not the usual.

use serde::Deserialize;

use super::calendar::Cycle;
use super::world::World;
use crate::simulator::clock;

/// The usual price, in minor units of whatever currency is asked for.
pub(crate) const PRICE: i64 = 999;

/// An offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) price: i64,
    pub(crate) cycle: Cycle,
    pub(crate) trial: Trial,
}

/// How long it is free at first, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trial {
    None,
    Of(i64),
}

/// `POST /_offers`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct WantedOffer {
    offer_id: String,
    price_minor: Option<i64>,
    cycle: Option<String>,
    trial: Option<String>,
}

impl World {
    pub(crate) fn offer(&self, id: &str) -> Offer {
        self.offers.get(id).copied().unwrap_or(Offer {
            price: PRICE,
            cycle: Cycle::Monthly,
            trial: Trial::None,
        })
    }

    /// A first order of an offer with a trial costs nothing; a customer has one trial of each offer.
    pub(crate) fn is_trial(&self, customer_id: u64, offer_id: &str) -> bool {
        let has_had = || {
            self.subscriptions
                .values()
                .any(|had| had.customer_id == customer_id && had.offer_id == offer_id)
        };
        self.offer(offer_id).trial != Trial::None && !has_had()
    }

    /// # Errors
    /// A sentence for the caller: the cycle, the price or the span of the trial makes no sense.
    pub(crate) fn want_offer(&mut self, wanted: WantedOffer) -> Result<(), String> {
        let cycle = wanted.cycle.as_deref().unwrap_or("monthly");
        let trial = match wanted.trial.as_deref() {
            None => Trial::None,
            Some(text) => clock::span(text)
                .and_then(|span| i64::try_from(span.as_secs()).ok())
                .map(Trial::Of)
                .ok_or_else(|| format!("trial: {text:?} is no span like 7d"))?,
        };
        let offer = Offer {
            price: wanted.price_minor.unwrap_or(PRICE),
            cycle: Cycle::named(cycle).ok_or_else(|| format!("there is no cycle {cycle:?}"))?,
            trial,
        };
        if offer.price < 0 || !super::order::is_offer(&wanted.offer_id) {
            return Err("offerId or priceMinor makes no sense".to_owned());
        }
        self.offers.insert(wanted.offer_id, offer);
        Ok(())
    }
}
