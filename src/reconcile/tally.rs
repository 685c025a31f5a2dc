//! How many verdicts of each kind, what Cleeng's reads proved, and what could not be compared.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::domain::ids::GatewayName;
use crate::domain::reconcile::{Evidence, Kind, Verdict};

/// The most things left out that are told one by one.
const MOST_LEFT_OUT: usize = 50;

/// What a run has counted so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) agreed: u64,
    pub(crate) under_way: u64,
    pub(crate) not_ours: u64,
    disagreed: BTreeMap<Kind, u64>,
    cleeng: BTreeMap<Evidence, u64>,
    /// What was left out, and why: a gateway that cannot list, one that is away.
    pub(crate) not_compared: Vec<String>,
}

/// What a run leaves behind for the metrics of every process, as JSON in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary {
    /// Milliseconds since 1970.
    pub(crate) finished_at: i64,
    pub(crate) took_ms: u64,
    pub(crate) disagreements: BTreeMap<String, u64>,
    pub(crate) cleeng: BTreeMap<String, u64>,
    pub(crate) not_compared: u64,
}

impl Tally {
    pub(super) fn verdict(&mut self, verdict: &Verdict) {
        let count = match verdict {
            Verdict::Agreed => &mut self.agreed,
            Verdict::UnderWay => &mut self.under_way,
            Verdict::NotOurs => &mut self.not_ours,
            Verdict::Disagreed { kind, .. } => self.disagreed.entry(*kind).or_default(),
        };
        *count = count.saturating_add(1);
    }

    pub(super) fn cleeng(&mut self, evidence: Evidence) {
        let count = self.cleeng.entry(evidence).or_default();
        *count = count.saturating_add(1);
    }

    pub(super) fn leave_out(&mut self, gateway: &GatewayName, why: &str) {
        let line = format!("{gateway}: {why}");
        let is_new = !self.not_compared.contains(&line);
        match self.not_compared.len().cmp(&MOST_LEFT_OUT) {
            Ordering::Less if is_new => self.not_compared.push(line),
            Ordering::Equal => self.not_compared.push("and more".to_owned()),
            Ordering::Less | Ordering::Greater => {}
        }
    }

    pub(super) fn leave_out_cleeng(&mut self, why: &str) {
        self.not_compared.push(format!("Cleeng: {why}"));
    }

    pub(crate) fn disagreements(&self) -> u64 {
        self.disagreed.values().sum()
    }

    pub(crate) fn of(&self, kind: Kind) -> u64 {
        self.disagreed.get(&kind).copied().unwrap_or(0)
    }

    pub(crate) fn evidence(&self, evidence: Evidence) -> u64 {
        self.cleeng.get(&evidence).copied().unwrap_or(0)
    }

    /// How many verdicts there are.
    pub(crate) fn compared(&self) -> u64 {
        let rest = [self.under_way, self.not_ours, self.disagreements()];
        rest.iter()
            .fold(self.agreed, |sum, one| sum.saturating_add(*one))
    }

    /// Whether everything in scope was compared, and nothing disagrees.
    pub(crate) fn is_clean(&self) -> bool {
        self.disagreements() == 0 && self.not_compared.is_empty()
    }

    pub(crate) fn line(&self) -> String {
        let kinds = Kind::ALL.into_iter().filter(|kind| self.of(*kind) > 0);
        let kinds: Vec<String> = kinds
            .map(|kind| format!("{} {}", self.of(kind), kind.label()))
            .collect();
        let read = Evidence::ALL.into_iter();
        let read = read.filter(|evidence| self.evidence(*evidence) > 0);
        let read: Vec<String> = read
            .map(|evidence| format!("{} {}", self.evidence(evidence), evidence.label()))
            .collect();
        let or_none = |list: Vec<String>| match list.is_empty() {
            true => "none".to_owned(),
            false => list.join(", "),
        };
        format!(
            "{} compared: {} agreed, {} under way, {} not ours, {} disagreements ({}); Cleeng's reads: {}",
            self.compared(),
            self.agreed,
            self.under_way,
            self.not_ours,
            self.disagreements(),
            or_none(kinds),
            or_none(read),
        )
    }

    pub(crate) fn document(&self) -> Value {
        json!({
            "compared": self.compared(), "agreed": self.agreed, "underWay": self.under_way,
            "notOurs": self.not_ours, "disagreements": self.disagreements(),
            "byKind": self.by_kind(), "cleeng": self.by_evidence(), "notCompared": self.not_compared,
        })
    }

    pub(crate) fn by_kind(&self) -> BTreeMap<String, u64> {
        let all = Kind::ALL.into_iter();
        all.map(|kind| (kind.label().to_owned(), self.of(kind)))
            .collect()
    }

    pub(crate) fn by_evidence(&self) -> BTreeMap<String, u64> {
        let all = Evidence::ALL.into_iter();
        all.map(|evidence| (evidence.label().to_owned(), self.evidence(evidence)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_counts_each_verdict_once_and_shows_what_there_is() {
        let mut tally = Tally::default();
        assert!(tally.is_clean());
        let disagreed = Verdict::Disagreed {
            kind: Kind::UnknownCharge,
            repair: None,
        };
        for verdict in [
            Verdict::Agreed,
            Verdict::Agreed,
            Verdict::UnderWay,
            Verdict::NotOurs,
            disagreed,
        ] {
            tally.verdict(&verdict);
        }
        tally.cleeng(Evidence::Proved);
        tally.cleeng(Evidence::CannotBeRead);
        assert_eq!(
            tally.line(),
            "5 compared: 2 agreed, 1 under way, 1 not ours, 1 disagreements (1 unknown_charge); \
             Cleeng's reads: 1 proved, 1 cannot_be_read"
        );
        assert!(!tally.is_clean());
        assert_eq!(tally.by_kind().len(), Kind::ALL.len());
        let mut partial = Tally::default();
        partial.leave_out(&"stripe".parse().unwrap(), "away");
        partial.leave_out(&"stripe".parse().unwrap(), "away");
        assert_eq!(partial.not_compared, ["stripe: away"]);
        for number in 0..200 {
            partial.leave_out(&"stripe".parse().unwrap(), &format!("entry {number}"));
        }
        assert_eq!(partial.not_compared.len(), MOST_LEFT_OUT + 1);
        assert!(!partial.is_clean());
    }
}
