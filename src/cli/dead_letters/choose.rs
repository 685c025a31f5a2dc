//! Which dead letters are meant: by id, by what they say of themselves, or all.

use std::time::Duration;

use clap::Args;
use uuid::Uuid;

use crate::config::span;
use crate::domain::ids::GatewayName;
use crate::domain::moment::Moment;
use crate::operator::letter::Letter;

/// Filters that every subcommand has.
#[derive(Debug, Args)]
pub(super) struct Narrow {
    /// Only from this queue, such as confirmations or commands.stripe.checkout
    #[arg(long, value_name = "QUEUE")]
    pub(super) source: Option<String>,
    /// Only about this gateway
    #[arg(long, value_name = "NAME")]
    pub(super) gateway: Option<GatewayName>,
    /// Only those that have been there for longer, such as 1h
    #[arg(long, value_name = "DURATION", value_parser = span)]
    pub(super) older_than: Option<Duration>,
    /// Only those that have been there for less long, such as 30m
    #[arg(long, value_name = "DURATION", value_parser = span)]
    pub(super) newer_than: Option<Duration>,
    /// How many messages to look at, at most
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub(super) scan: usize,
}

/// A choice; an empty one means all.
pub(super) struct Choice<'a> {
    pub(super) ids: &'a [Uuid],
    pub(super) reason: Option<&'a str>,
    pub(super) narrow: &'a Narrow,
}

impl Choice<'_> {
    /// A message of unknown age is neither older nor newer than anything.
    pub(super) fn takes(&self, letter: &Letter, now: Moment) -> bool {
        let narrow = self.narrow;
        let age = letter.dead.parked_at.map(|at| now.since(at));
        (self.ids.is_empty() || self.ids.contains(&letter.id()))
            && self.reason.is_none_or(|reason| reason == letter.reason())
            && narrow
                .source
                .as_deref()
                .is_none_or(|source| source == letter.source())
            && narrow
                .gateway
                .as_ref()
                .is_none_or(|gateway| Some(gateway) == letter.gateway.as_ref())
            && narrow
                .older_than
                .is_none_or(|limit| age.is_some_and(|age| age > limit))
            && narrow
                .newer_than
                .is_none_or(|limit| age.is_some_and(|age| age < limit))
    }

    /// Those asked for by id that are not there.
    pub(super) fn missing(&self, letters: &[Letter]) -> Vec<Uuid> {
        let there = |id: &Uuid| letters.iter().any(|letter| letter.id() == *id);
        self.ids.iter().copied().filter(|id| !there(id)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn narrow() -> Narrow {
        Narrow {
            source: None,
            gateway: None,
            older_than: None,
            newer_than: None,
            scan: 10,
        }
    }

    fn letter() -> Letter {
        let dead = crate::broker::DeadLetter::sample(Uuid::from_u128(1), "too_old", Moment(10_000));
        Letter {
            source: dead.source(),
            dead,
            envelope: None,
            payment: None,
            gateway: Some("stripe".parse().unwrap()),
        }
    }

    #[test]
    fn every_filter_has_to_fit() {
        let hour = Duration::from_secs(3600);
        let fits = [
            narrow(),
            Narrow {
                source: Some("confirmations".into()),
                ..narrow()
            },
            Narrow {
                gateway: Some("stripe".parse().unwrap()),
                newer_than: Some(hour),
                ..narrow()
            },
            Narrow {
                older_than: Some(Duration::from_secs(1)),
                ..narrow()
            },
        ];
        let fits_not = [
            Narrow {
                source: Some("gateway-events".into()),
                ..narrow()
            },
            Narrow {
                gateway: Some("simulated".parse().unwrap()),
                ..narrow()
            },
            Narrow {
                older_than: Some(hour),
                ..narrow()
            },
            Narrow {
                newer_than: Some(Duration::from_secs(1)),
                ..narrow()
            },
        ];
        let takes = |ids: &[Uuid], reason, narrow| {
            let choice = Choice {
                ids,
                reason,
                narrow,
            };
            choice.takes(&letter(), Moment(20_000))
        };
        for narrow in &fits {
            assert!(takes(&[], Some("too_old"), narrow), "{narrow:?}");
            assert!(!takes(&[], Some("given_up"), narrow), "{narrow:?}");
            assert!(takes(&[Uuid::from_u128(1)], None, narrow), "{narrow:?}");
            assert!(!takes(&[Uuid::from_u128(2)], None, narrow), "{narrow:?}");
        }
        for narrow in &fits_not {
            assert!(!takes(&[], None, narrow), "{narrow:?}");
        }
    }
}
