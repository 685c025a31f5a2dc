//! What befalls a payment by somebody else's hand: a refund from the dashboard, a dispute, the end of an authorisation.
//!
//! The id says where: `pi_…` is Stripe's, anything else the simulated gateway's.

use serde::Deserialize;
use serde_json::{Value, json};

use super::perform::Later;
use super::post::Letter;
use super::simulated::money_back::DisputeStatus;
use super::simulated::subscription::Wish;
use super::stripe::dispute::Status as StripeStatus;
use super::stripe::fail::Fail;
use super::stripe::world::{Desk, World};
use super::{Sim, clock};

/// What it left behind.
pub(crate) struct Befallen {
    pub(crate) shown: Value,
    pub(crate) letters: Vec<Letter>,
    pub(crate) later: Option<Later>,
}

/// `POST /_gateway/refunds`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefundWish {
    id: String,
    amount: Option<i64>,
}

/// `POST /_gateway/disputes`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DisputeWish {
    id: String,
    amount: Option<i64>,
    reason: Option<String>,
    #[serde(default)]
    inquiry: bool,
}

/// `POST /_gateway/disputes/close`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CloseWish {
    id: String,
    result: DisputeEnd,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DisputeEnd {
    Won,
    Lost,
    /// An inquiry that did not become a dispute.
    Closed,
}

/// `POST /_gateway/expire`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpireWish {
    id: String,
}

/// Money is given back by a hand in the gateway's dashboard; nothing when there is none left.
pub(crate) fn refund(sim: &Sim, wish: &RefundWish) -> Option<Befallen> {
    if is_stripes(&wish.id) {
        return at_stripe(sim, |world, desk| {
            let id = world.dashboard_refund(desk, &wish.id, wish.amount)?;
            let later = world.later(&id);
            Ok((super::stripe::work::show_refund(world, &id)?, later))
        });
    }
    let mut world = sim.simulated();
    let made = world.refund(&wish.id, wish.amount, None, &sim.mint, clock::now());
    let id = made.ok()?;
    Some(Befallen {
        shown: world.show_refund(&id)?,
        letters: world.letter_of_refund(&id, &sim.mint).into_iter().collect(),
        later: Some(Later::SimulatedRefund(id)),
    })
}

/// The payer's bank disputes a payment; nothing when none was captured.
pub(crate) fn dispute(sim: &Sim, wish: &DisputeWish) -> Option<Befallen> {
    let reason = wish.reason.as_deref().unwrap_or("fraudulent").to_owned();
    if is_stripes(&wish.id) {
        let status = match wish.inquiry {
            true => StripeStatus::WarningNeedsResponse,
            false => StripeStatus::NeedsResponse,
        };
        return at_stripe(sim, |world, desk| {
            let id = world.open_dispute(desk, &wish.id, wish.amount, status, reason)?;
            Ok((world.show_dispute(&id)?, None))
        });
    }
    let status = match wish.inquiry {
        true => DisputeStatus::Inquiry,
        false => DisputeStatus::Open,
    };
    let mut world = sim.simulated();
    let now = clock::now();
    let made = world.open_dispute(&wish.id, wish.amount, status, reason, &sim.mint, now);
    disputed(sim, &world, &made.ok()?)
}

/// A dispute comes to its end; nothing when it is not open.
pub(crate) fn close(sim: &Sim, wish: &CloseWish) -> Option<Befallen> {
    if wish.id.starts_with("dp_") {
        let status = match wish.result {
            DisputeEnd::Won => StripeStatus::Won,
            DisputeEnd::Lost => StripeStatus::Lost,
            DisputeEnd::Closed => StripeStatus::WarningClosed,
        };
        return at_stripe(sim, |world, desk| {
            world.close_dispute(desk, &wish.id, status)?;
            Ok((world.show_dispute(&wish.id)?, None))
        });
    }
    let end = match wish.result {
        DisputeEnd::Won => DisputeStatus::Won,
        DisputeEnd::Lost => DisputeStatus::Lost,
        // There is no word for it here: it stays the inquiry that it was.
        DisputeEnd::Closed => DisputeStatus::Inquiry,
    };
    let mut world = sim.simulated();
    match world.end_dispute(&wish.id, end) {
        true => disputed(sim, &world, &wish.id),
        false => None,
    }
}

/// An authorisation runs out; nothing when none holds money.
pub(crate) fn expire(sim: &Sim, wish: &ExpireWish) -> Option<Befallen> {
    if is_stripes(&wish.id) {
        return at_stripe(sim, |world, desk| {
            world.expire(desk, &wish.id)?;
            Ok((json!({ "id": wish.id }), None))
        });
    }
    let mut world = sim.simulated();
    let public_url = sim.settings.public_url.as_str();
    world.expire(&wish.id).then(|| Befallen {
        shown: json!({ "id": wish.id }),
        letters: world
            .letter(&wish.id, &sim.mint, public_url)
            .into_iter()
            .collect(),
        later: None,
    })
}

/// The simulated gateway bills a subscription by itself; nothing when there is no such subscription.
pub(crate) fn bill(sim: &Sim, wish: &Wish) -> Option<Befallen> {
    let (shown, letter) = sim.simulated().bill(wish, &sim.mint, clock::now())?;
    Some(Befallen {
        shown,
        letters: vec![letter],
        later: None,
    })
}

fn disputed(sim: &Sim, world: &super::simulated::world::World, id: &str) -> Option<Befallen> {
    Some(Befallen {
        shown: world.show_dispute(id)?,
        letters: world.letter_of_dispute(id, &sim.mint).into_iter().collect(),
        later: None,
    })
}

fn is_stripes(id: &str) -> bool {
    id.starts_with("pi_")
}

fn at_stripe(
    sim: &Sim,
    step: impl FnOnce(&mut World, &Desk<'_>) -> Result<(Value, Option<Later>), Fail>,
) -> Option<Befallen> {
    let desk = Desk::of_no_call(sim);
    let mut world = sim.stripe();
    let (shown, later) = step(&mut world, &desk).ok()?;
    Some(Befallen {
        shown,
        letters: std::mem::take(&mut world.letters),
        later,
    })
}
