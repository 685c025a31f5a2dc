//! What can be made to go wrong, by name: queued for the next matching call, by probability, or carried by a test token.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Deserialize;

use super::mint::Mint;
use super::operation::Operation;

const NAMES: [(&str, Kind); 17] = [
    ("drop", Kind::Gate(Gate::Drop)),
    ("hang", Kind::Gate(Gate::Hang)),
    ("error_503", Kind::Gate(Gate::Away)),
    ("rate_limited", Kind::Gate(Gate::RateLimited)),
    ("unauthorized", Kind::Gate(Gate::Unauthorized)),
    ("slow", Kind::Slow),
    ("error_500", Kind::Undone(Undone::Broken)),
    ("garbage_undone", Kind::Undone(Undone::Garbage)),
    ("commit_then_drop", Kind::Answer(Answer::Drop)),
    ("commit_then_hang", Kind::Answer(Answer::Hang)),
    ("commit_then_500", Kind::Answer(Answer::Broken)),
    ("garbage", Kind::Answer(Answer::Garbage)),
    ("webhook_first", Kind::Mail(Mail::First)),
    ("webhook_duplicate", Kind::Mail(Mail::Duplicate)),
    ("webhook_delay", Kind::Mail(Mail::Delay)),
    ("webhook_lost", Kind::Mail(Mail::Lost)),
    ("webhook_stale_first", Kind::Mail(Mail::Stale)),
];

/// One fault, ready to strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    pub(crate) delay: Duration,
    pub(crate) retry_after_seconds: u64,
}

/// When a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Before the idempotency layer; nothing is done or kept.
    Gate(Gate),
    /// While the key is in flight, before the work.
    Slow,
    /// Instead of the work.
    Undone(Undone),
    /// The work is done, its answer is lost or spoiled.
    Answer(Answer),
    /// To the webhooks the work causes.
    Mail(Mail),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    Drop,
    Hang,
    Away,
    RateLimited,
    Unauthorized,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undone {
    /// A 500 that is kept under the key.
    Broken,
    Garbage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Drop,
    Hang,
    Broken,
    Garbage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mail {
    /// One delivery is tried before the API call is answered.
    First,
    Duplicate,
    Delay,
    Lost,
    /// An event about an older state is sent after the newer one.
    Stale,
}

/// `POST /_faults`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Rule {
    operation: String,
    fault: String,
    times: Option<u32>,
    probability: Option<f64>,
    #[serde(rename = "match")]
    text: Option<String>,
    delay_ms: Option<u64>,
    retry_after: Option<u64>,
}

/// Everything that waits to go wrong.
#[derive(Default)]
pub(crate) struct Faults(Mutex<Board>);

#[derive(Default)]
struct Board {
    queued: VecDeque<(Rule, Fault, u32)>,
    likely: Vec<(Rule, Fault, f64)>,
    spent: HashSet<String>,
}

impl Fault {
    /// The fault of that name, with its usual delay (2 s) and `Retry-After` (1 s).
    pub(crate) fn named(name: &str) -> Option<Self> {
        let (_, kind) = NAMES.iter().find(|(known, _)| *known == name)?;
        Some(Fault {
            kind: *kind,
            delay: Duration::from_secs(2),
            retry_after_seconds: 1,
        })
    }

    /// What it does to the webhooks, if that is what it does.
    pub(crate) fn mail(&self) -> Option<Mail> {
        match self.kind {
            Kind::Mail(mail) => Some(mail),
            Kind::Gate(_) | Kind::Slow | Kind::Undone(_) | Kind::Answer(_) => None,
        }
    }
}

impl Rule {
    fn matches(
        &self,
        operation: Operation,
        mentions: &impl Fn(&str) -> bool,
        fault: &Fault,
    ) -> bool {
        let name = operation.name();
        let wanted = self.operation == "*"
            || self.operation == name
            || self
                .operation
                .strip_suffix('*')
                .is_some_and(|party| name.starts_with(party));
        let text = self.text.as_ref().is_none_or(|text| mentions(text));
        // A webhook can only suffer what befalls webhooks, and no call at Cleeng causes one.
        let possible = match (operation.is_webhook(), fault.mail().is_some()) {
            (true, mail) => mail,
            (false, true) => operation.causes_webhooks(),
            (false, false) => true,
        };
        wanted && text && possible
    }
}

impl Faults {
    /// # Errors
    /// A sentence for the caller: there is no such fault or operation.
    pub(crate) fn add(&self, rule: Rule) -> Result<(), String> {
        let mut fault = Fault::named(&rule.fault)
            .ok_or_else(|| format!("there is no fault {:?}", rule.fault))?;
        let pattern = rule.operation.trim_end_matches('*');
        if !Operation::ALL
            .iter()
            .any(|operation| operation.name().starts_with(pattern))
        {
            return Err(format!("there is no operation {:?}", rule.operation));
        }
        if let Some(delay) = rule.delay_ms {
            fault.delay = Duration::from_millis(delay);
        }
        if let Some(seconds) = rule.retry_after {
            fault.retry_after_seconds = seconds;
        }
        let mut board = self.board();
        match rule.probability {
            Some(probability) => board.likely.push((rule, fault, probability)),
            None => {
                let times = rule.times.unwrap_or(1);
                board.queued.push_back((rule, fault, times));
            }
        }
        Ok(())
    }

    /// The fault that strikes this call, if one does; a queued one is used up by it.
    pub(crate) fn strike(
        &self,
        operation: Operation,
        mentions: impl Fn(&str) -> bool,
        mint: &Mint,
    ) -> Option<Fault> {
        let mut board = self.board();
        let hit = board
            .queued
            .iter_mut()
            .find(|(rule, fault, left)| *left > 0 && rule.matches(operation, &mentions, fault));
        if let Some((_, fault, left)) = hit {
            *left = left.saturating_sub(1);
            let fault = *fault;
            board.queued.retain(|(_, _, left)| *left > 0);
            return Some(fault);
        }
        board
            .likely
            .iter()
            .find(|(rule, fault, probability)| {
                rule.matches(operation, &mentions, fault) && mint.chance(*probability)
            })
            .map(|(_, fault, _)| *fault)
    }

    /// The fault a test token carries (`pm_sim_<fault>`, `tok_sim_<fault>_declined`): once per `scope`.
    pub(crate) fn carried(&self, token: &str, prefix: &str, scope: &str) -> Option<Fault> {
        let (fault, _) = carried_by(token, prefix)?;
        let first = self.board().spent.insert(format!("{scope} {token}"));
        first.then_some(fault)
    }

    pub(crate) fn clear(&self) {
        *self.board() = Board::default();
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The fault in a test token, and whether the card behind it is declined.
pub(crate) fn carried_by(token: &str, prefix: &str) -> Option<(Fault, bool)> {
    let rest = token.strip_prefix(prefix)?;
    let (name, declined) = match rest.strip_suffix("_declined") {
        Some(name) => (name, true),
        None => (rest, false),
    };
    Fault::named(name).map(|fault| (fault, declined))
}
