//! What is known of Cleeng's keys, and when it has to be found out anew. Pure: the time comes in, nothing is fetched here.

use std::sync::Arc;
use std::time::Duration;

use super::jwks::Key;
use super::token::Token;
use crate::config::JwksConfig;
use crate::domain::moment::Moment;

/// What the keys say about a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    /// One of them has signed it.
    Signed,
    /// The key that it names has not signed it.
    Forged,
    /// None of them has, and it may be one that we do not have yet.
    NoKey,
}

/// What to do about a token that no known key has signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Have the keys fetched and look again; or wait for the fetch that is under way.
    Fetch,
    /// The keys are as good as new: the token is of no key of Cleeng's.
    Refuse,
    /// The keys cannot be had: nothing can be said about the token.
    CannotTell,
}

/// The keys, and how they were come by.
pub(super) struct Cache {
    ages: JwksConfig,
    held: Option<Held>,
    tried: Tried,
}

#[derive(Clone)]
struct Held {
    keys: Arc<[Key]>,
    since: Moment,
}

/// The last fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tried {
    Never,
    UnderWay,
    Failed(Moment),
    Done(Moment),
}

impl Cache {
    pub(super) fn new(ages: JwksConfig) -> Cache {
        Cache {
            ages,
            held: None,
            tried: Tried::Never,
        }
    }

    /// The keys that may be used at `now`: none once they are too old.
    pub(super) fn usable(&self, now: Moment) -> Arc<[Key]> {
        let held = self.held.as_ref();
        let young = held.filter(|held| now.since(held.since) < self.ages.keep);
        young.map_or_else(|| Arc::from([]), |held| Arc::clone(&held.keys))
    }

    /// What to do when the usable keys do not match.
    pub(super) fn without_match(&self, now: Moment) -> Next {
        match self.tried {
            Tried::Never | Tried::UnderWay => Next::Fetch,
            Tried::Failed(at) | Tried::Done(at) if self.is_due(at, now) => Next::Fetch,
            Tried::Failed(_) => Next::CannotTell,
            Tried::Done(_) => Next::Refuse,
        }
    }

    /// Whether another fetch may begin, for a token's sake.
    pub(super) fn may_fetch(&self, now: Moment) -> bool {
        match self.tried {
            Tried::Never => true,
            Tried::UnderWay => false,
            Tried::Failed(at) | Tried::Done(at) => self.is_due(at, now),
        }
    }

    /// How long until the keys are fetched though nobody asks.
    pub(super) fn rest(&self, now: Moment) -> Duration {
        let (since, age) = match self.tried {
            Tried::Never => return Duration::ZERO,
            // After its end this is asked again.
            Tried::UnderWay => return self.ages.refetch_after,
            Tried::Failed(at) => (at, self.ages.refetch_after),
            Tried::Done(at) => (at, self.ages.max_age.max(self.ages.refetch_after)),
        };
        age.saturating_sub(now.since(since))
    }

    pub(super) fn begin(&mut self) {
        self.tried = Tried::UnderWay;
    }

    /// A fetch has ended at `now`; none: it failed, and what was known stays.
    pub(super) fn end(&mut self, fetched: Option<Vec<Key>>, now: Moment) {
        self.tried = match fetched {
            Some(keys) => {
                self.held = Some(Held {
                    keys: keys.into(),
                    since: now,
                });
                Tried::Done(now)
            }
            None => Tried::Failed(now),
        };
    }

    /// A clock that was set back does not keep us from fetching.
    fn is_due(&self, at: Moment, now: Moment) -> bool {
        now < at || now.since(at) >= self.ages.refetch_after
    }
}

/// Holds a token against the keys: against that of its name, or all where one side names none.
pub(super) fn hold(token: &Token<'_>, keys: &[Key]) -> Match {
    let mut named = false;
    for key in keys {
        let same_name = match (&token.kid, &key.kid) {
            (Some(wanted), Some(kid)) if wanted != kid => continue,
            (Some(_), Some(_)) => true,
            (None, _) | (_, None) => false,
        };
        if token.is_signed_with(key) {
            return Match::Signed;
        }
        named |= same_name;
    }
    match named {
        true => Match::Forged,
        false => Match::NoKey,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callers::sample;
    use proptest::prelude::*;

    const AGES: JwksConfig = JwksConfig {
        timeout: Duration::from_millis(800),
        max_age: Duration::from_secs(60),
        keep: Duration::from_secs(600),
        refetch_after: Duration::from_secs(10),
    };

    fn at(seconds: i64) -> Moment {
        Moment::from_unix_seconds(1_700_000_000 + seconds)
    }

    /// With a set that was fetched at second 0.
    fn filled() -> Cache {
        let mut cache = Cache::new(AGES);
        cache.begin();
        cache.end(Some(vec![sample::rfc_key()]), at(0));
        cache
    }

    fn key(kid: Option<&str>, good: bool) -> Key {
        let mut key = sample::rfc_key();
        key.kid = kid.map(str::to_owned);
        if !good {
            key.modulus[7] ^= 1;
        }
        key
    }

    #[test]
    fn a_token_is_held_against_the_key_of_its_name_or_against_all() {
        use Match::{Forged, NoKey, Signed};
        for (kid, keys, expected) in [
            (None, vec![key(Some("a"), true)], Signed),
            (None, vec![key(Some("a"), false), key(None, true)], Signed),
            (None, vec![key(Some("a"), false)], NoKey),
            (None, vec![], NoKey),
            (Some("a"), vec![key(Some("a"), true)], Signed),
            (Some("a"), vec![key(Some("a"), false)], Forged),
            (
                Some("a"),
                vec![key(Some("a"), false), key(Some("a"), true)],
                Signed,
            ),
            // A good key under another name is not the one that the token means.
            (Some("a"), vec![key(Some("b"), true)], NoKey),
            (Some("a"), vec![key(None, true)], Signed),
            (Some("a"), vec![key(None, false)], NoKey),
        ] {
            let mut token = Token::read(sample::RFC_7515).unwrap();
            token.kid = kid.map(str::to_owned);
            assert_eq!(hold(&token, &keys), expected, "{kid:?} {}", keys.len());
        }
    }

    #[test]
    fn an_unknown_key_is_looked_for_once_in_a_while_and_refused_in_between() {
        let mut cache = filled();
        for (second, next) in [(0, Next::Refuse), (9, Next::Refuse), (10, Next::Fetch)] {
            assert_eq!(cache.without_match(at(second)), next, "{second}");
            assert_eq!(cache.may_fetch(at(second)), next == Next::Fetch);
        }
        cache.begin();
        // Everybody waits for the one fetch.
        assert_eq!(cache.without_match(at(11)), Next::Fetch);
        assert!(!cache.may_fetch(at(11)));
        cache.end(Some(vec![sample::rfc_key()]), at(11));
        assert_eq!(cache.without_match(at(12)), Next::Refuse);
    }

    #[test]
    fn while_the_keys_cannot_be_had_nothing_is_said_about_an_unknown_one() {
        let mut cache = Cache::new(AGES);
        assert_eq!(cache.without_match(at(0)), Next::Fetch);
        cache.begin();
        cache.end(None, at(1));
        assert_eq!(cache.without_match(at(2)), Next::CannotTell);
        assert_eq!(cache.without_match(at(11)), Next::Fetch);
        let mut cache = filled();
        cache.end(None, at(20));
        assert_eq!(cache.without_match(at(21)), Next::CannotTell);
        // What was known serves on.
        assert_eq!(cache.usable(at(21)).len(), 1);
    }

    #[test]
    fn old_keys_serve_for_their_time_and_no_longer() {
        let mut cache = filled();
        cache.end(None, at(500));
        assert_eq!(cache.usable(at(599)).len(), 1);
        assert_eq!(cache.usable(at(600)).len(), 0);
        cache.end(Some(vec![sample::rfc_key()]), at(700));
        assert_eq!(cache.usable(at(700)).len(), 1);
    }

    #[test]
    fn keys_are_fetched_by_their_age_and_after_a_failure_sooner() {
        assert_eq!(Cache::new(AGES).rest(at(0)), Duration::ZERO);
        let mut cache = filled();
        assert_eq!(cache.rest(at(0)), Duration::from_secs(60));
        assert_eq!(cache.rest(at(45)), Duration::from_secs(15));
        assert_eq!(cache.rest(at(99)), Duration::ZERO);
        cache.end(None, at(99));
        assert_eq!(cache.rest(at(100)), Duration::from_secs(9));
    }

    proptest! {
        /// However the requests come: two fetches are never closer than the setting, and keys are never used past their time.
        #[test]
        fn fetches_keep_their_distance_and_keys_their_time(
            steps in prop::collection::vec((0_i64..30, prop::bool::ANY, prop::bool::ANY), 1..60),
        ) {
            let mut cache = Cache::new(AGES);
            let (mut now, mut last, mut fetched) = (0, None::<i64>, None::<i64>);
            for (later, asked, works) in steps {
                now += later;
                let due = cache.rest(at(now)).is_zero();
                if due || (asked && cache.may_fetch(at(now))) {
                    prop_assert!(last.is_none_or(|last| now - last >= 10), "{now} after {last:?}");
                    cache.begin();
                    cache.end(works.then(|| vec![sample::rfc_key()]), at(now));
                    last = Some(now);
                    fetched = if works { Some(now) } else { fetched };
                }
                let usable = !cache.usable(at(now)).is_empty();
                prop_assert_eq!(usable, fetched.is_some_and(|then| now - then < 600));
                // Refused is only what was held against keys of the last successful and recent fetch.
                if cache.without_match(at(now)) == Next::Refuse {
                    prop_assert_eq!(fetched, last);
                    prop_assert!(fetched.is_some_and(|then| now - then < 10));
                }
            }
        }
    }
}
