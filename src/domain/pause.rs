//! What an operator can pause, and what is known of a pause.

use std::fmt;
use std::str::FromStr;

use super::ids::{BadId, GatewayName};
use super::moment::Moment;
use super::queue::Queue;

/// The part of the work that a pause holds back. Its text is also its name in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// The commands for one gateway. Its events go on being taken: they only read.
    Gateway(GatewayName),
    /// What Cleeng has to be told.
    Confirmations,
}

/// A pause in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pause {
    pub(crate) side: Side,
    pub(crate) since: Moment,
    /// The operator's own words.
    pub(crate) because: Option<String>,
}

impl Side {
    /// The side that a queue is on; none for a queue that cannot be paused.
    pub(crate) fn of(queue: &Queue) -> Option<Side> {
        match queue {
            Queue::Commands { gateway, .. } => Some(Side::Gateway(gateway.clone())),
            Queue::Confirmations => Some(Side::Confirmations),
            Queue::GatewayEvents | Queue::Dead => None,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Side::Gateway(name) => write!(f, "gateway {name}"),
            Side::Confirmations => f.write_str("confirmations"),
        }
    }
}

impl FromStr for Side {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        match text.split_once(' ') {
            Some(("gateway", name)) => name.parse().map(Side::Gateway),
            None if text == "confirmations" => Ok(Side::Confirmations),
            Some(_) | None => Err(BadId("what can be paused (gateway <name>, confirmations)")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_is_read_back_from_its_text() {
        let stripe = Side::Gateway("stripe".parse().unwrap());
        for side in [stripe, Side::Confirmations] {
            assert_eq!(side.to_string().parse(), Ok(side));
        }
        for text in ["", "gateway", "gateway Bad", "confirmations now", "stripe"] {
            assert!(text.parse::<Side>().is_err(), "{text}");
        }
    }

    #[test]
    fn events_and_dead_letters_are_on_no_side() {
        assert_eq!(Side::of(&Queue::GatewayEvents), None);
        assert_eq!(Side::of(&Queue::Dead), None);
        assert_eq!(Side::of(&Queue::Confirmations), Some(Side::Confirmations));
    }
}
