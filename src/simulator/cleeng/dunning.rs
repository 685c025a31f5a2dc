//! Dunning actions: when a renewal is tried, and when it is given up. Pure: what is next follows from what happened.

use serde_json::{Value, json};

use super::calendar::Cycle;
use super::fail::Fail;
use super::wire::DunningChange;
use super::world::World;

const HOUR: i64 = 60 * 60;

/// The rule of one payment method and cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dunning {
    pub(crate) mode: Mode,
    /// Hours before the due date, the earliest try first; negative ones are after it.
    pub(crate) attempts: Vec<i64>,
    /// Hours from the due date to the end of all tries: no page says from when they count.
    pub(crate) grace: i64,
}

/// What Cleeng asks for at the time of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// An authorisation at every try, the capture at the due date.
    AuthoriseFirst,
    /// The charge itself at every try.
    Direct,
}

/// How far one renewal has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Round {
    pub(crate) tried: usize,
    pub(crate) held: Held,
    pub(crate) end: End,
}

/// The authorisation that this round has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    Nothing,
    Authorised(u64),
    CaptureAsked(u64),
}

/// Was the termination asked for?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Ahead,
    Announced,
}

/// What a subscription comes to at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Authorise,
    Capture,
    Terminate,
    /// It ends without anybody being asked.
    Expire,
}

impl Dunning {
    /// What Cleeng sets up by itself: its suggestion, the same for every cycle.
    pub(crate) fn standard() -> Self {
        Dunning {
            mode: Mode::AuthoriseFirst,
            attempts: vec![72, 48, 24, 0],
            grace: 2,
        }
    }

    /// Of the sandbox's daily subscriptions, whose days are too short for the suggestion.
    pub(crate) fn daily() -> Self {
        Dunning {
            attempts: vec![3, 2, 1, 0],
            ..Dunning::standard()
        }
    }

    /// A round that begins now; tries whose time has passed are left out, but never all of them.
    pub(crate) fn round(&self, now: i64, due: i64) -> Round {
        let past = self.past(now, due);
        Round {
            tried: past.min(self.attempts.len().saturating_sub(1)),
            held: Held::Nothing,
            end: End::Ahead,
        }
    }

    /// A try was made now; earlier ones that were missed are not made up for.
    pub(crate) fn tried(&self, round: Round, now: i64, due: i64) -> usize {
        self.past(now, due).max(round.tried.saturating_add(1))
    }

    /// The next step of a renewal that is due then, and its moment.
    pub(crate) fn next(&self, round: Round, due: i64) -> Option<(i64, Step)> {
        if round.end == End::Announced {
            return None;
        }
        let over = (
            due.saturating_add(self.grace.saturating_mul(HOUR)),
            Step::Terminate,
        );
        match (round.held, self.attempts.get(round.tried)) {
            (Held::Authorised(_), _) => Some((due, Step::Capture)),
            (Held::CaptureAsked(_), _) | (Held::Nothing, None) => Some(over),
            (Held::Nothing, Some(hours)) => {
                let step = match self.mode {
                    Mode::AuthoriseFirst => Step::Authorise,
                    Mode::Direct => Step::Capture,
                };
                Some((before(due, *hours), step))
            }
        }
    }

    fn past(&self, now: i64, due: i64) -> usize {
        let passed = |hours: &&i64| before(due, **hours) <= now;
        self.attempts.iter().take_while(passed).count()
    }
}

impl World {
    pub(crate) fn dunning(&self, method: Option<u64>, cycle: Cycle) -> &Dunning {
        let own = method.and_then(|method| self.dunning.get(&(method, cycle)));
        match (own, cycle) {
            (Some(own), _) => own,
            (None, Cycle::Daily) => &self.daily,
            (None, _) => &self.standard,
        }
    }

    /// `PUT /dunning_actions/{cycle}`. The path is not published; the fields are.
    ///
    /// # Errors
    /// The cycle or a number makes no sense (400).
    pub(crate) fn put_dunning(
        &mut self,
        cycle: &str,
        change: DunningChange,
    ) -> Result<Value, Fail> {
        let known = Cycle::named(cycle).ok_or_else(|| Fail::invalid("cycle value is invalid"))?;
        let mut attempts = change.payment_attempts;
        attempts.sort_unstable_by(|a, b| b.cmp(a));
        attempts.dedup();
        let last = attempts.last().copied();
        if attempts.iter().any(|hours| hours.unsigned_abs() > 24 * 31) || attempts.is_empty() {
            return Err(Fail::invalid("paymentAttempts value is invalid"));
        }
        // A try after the grace could never be made.
        if !(0..=24 * 31).contains(&change.grace_period)
            || last.is_some_and(|hours| hours < -change.grace_period)
        {
            return Err(Fail::invalid("gracePeriod value is invalid"));
        }
        let mode = match change.authorized_first {
            true => Mode::AuthoriseFirst,
            false => Mode::Direct,
        };
        let shown = json!({
            "cycle": cycle,
            "authorizedFirst": change.authorized_first,
            "paymentAttempts": attempts,
            "paymentMethodId": change.payment_method_id.0,
            "gracePeriod": change.grace_period,
        });
        let rule = Dunning {
            mode,
            attempts,
            grace: change.grace_period,
        };
        self.dunning
            .insert((change.payment_method_id.0, known), rule);
        self.plan_all();
        Ok(shown)
    }
}

fn before(due: i64, hours: i64) -> i64 {
    due.saturating_sub(hours.saturating_mul(HOUR))
}

#[cfg(test)]
mod tests;
