//! One payment's story in the order of its times: what was asked, sent, answered, told, given up, and done by hand. Pure.

use serde_json::{Value, json};

use crate::domain::attempt::{Attempt, AttemptState};
use crate::domain::deed::Deed;
use crate::domain::demand::Demand;
use crate::domain::moment::Moment;
use crate::domain::money_back::MoneyBack;
use crate::domain::payment::Known;
use crate::ledger::HistoryEntry;
use crate::operator::document;

/// The history's word for a request that was written down; the attempt itself says more.
const ATTEMPT: &str = "attempt";

/// All that is known of a payment.
pub(super) struct Story {
    pub(super) known: Known,
    pub(super) history: Vec<HistoryEntry>,
    pub(super) deeds: Vec<Deed>,
    pub(super) demands: Vec<Demand>,
    pub(super) money_back: Vec<MoneyBack>,
    /// Dead letters about it, as a list shows them, each with when it came there.
    pub(super) letters: Vec<(Option<Moment>, Value)>,
}

/// Each entry has `at`, `source` and, by source, what there is to say. The oldest comes first.
pub(super) fn of(story: &Story) -> Vec<Value> {
    let mut entries: Vec<(Moment, Value)> = Vec::new();
    let news = story.history.iter().filter(|entry| entry.kind != ATTEMPT);
    entries.extend(news.map(|entry| (entry.at, history(entry))));
    let attempts = story.known.attempts.iter().enumerate();
    entries.extend(attempts.map(|(place, attempt)| {
        let took = took(&story.history, place, attempt);
        (attempt.created_at, sent(attempt, took))
    }));
    let demands = story.demands.iter();
    entries.extend(demands.map(|demand| {
        let what = json!({ "source": "demand", "demand": document::demand(demand) });
        (demand.received_at, what)
    }));
    let back = story.money_back.iter();
    entries.extend(back.map(|entry| (entry.created_at, money_back(entry))));
    let letters = story.letters.iter();
    entries.extend(letters.filter_map(|(at, letter)| {
        let what = json!({ "source": "dead_letter", "letter": letter });
        at.map(|at| (at, what))
    }));
    let deeds = story.deeds.iter();
    entries.extend(deeds.map(|deed| {
        let what = json!({ "source": "operator", "deed": document::deed(deed) });
        (deed.at, what)
    }));
    // What has one time stays in the order of the lists above.
    entries.sort_by_key(|(at, _)| *at);
    entries
        .into_iter()
        .map(|(at, what)| dated(at, what))
        .collect()
}

/// How often each confirmation was sent, by its sequence: they are delivered one after the other, so the tries before an end are
/// its own.
pub(super) fn tries(history: &[HistoryEntry], confirmations: usize) -> Vec<u64> {
    let mut tries = vec![0_u64; confirmations];
    let mut place = 0_usize;
    for entry in history {
        match entry.kind.as_str() {
            "confirmation_sending" => {
                if let Some(own) = tries.get_mut(place) {
                    *own = own.saturating_add(1);
                }
            }
            "confirmation_delivered" | "confirmation_dead_lettered" => {
                place = place.saturating_add(1);
            }
            // It is the one before again that is owed.
            "confirmation_replayed" => place = place.saturating_sub(1),
            _ => {}
        }
    }
    tries
}

fn dated(at: Moment, mut what: Value) -> Value {
    if let Value::Object(fields) = &mut what {
        fields.insert("at".to_owned(), json!(at.rfc3339()));
    }
    what
}

fn history(entry: &HistoryEntry) -> Value {
    json!({ "source": "history", "kind": entry.kind, "detail": entry.detail, "sequence": entry.sequence })
}

fn sent(attempt: &Attempt, took: Option<u64>) -> Value {
    json!({ "source": "attempt", "attempt": document::attempt(attempt), "tookMs": took })
}

fn money_back(entry: &MoneyBack) -> Value {
    json!({
        "source": "money_back", "kind": entry.kind.label(), "state": entry.state.label(),
        "amount": { "decimal": entry.amount.to_decimal(), "currency": entry.amount.currency },
        "reason": entry.reason,
    })
}

/// Milliseconds from writing the request down until what came of it was written: the entry after the attempt's own. Nothing while
/// that is open.
fn took(history: &[HistoryEntry], place: usize, attempt: &Attempt) -> Option<u64> {
    match attempt.state {
        AttemptState::Open => return None,
        AttemptState::NotDone(_)
        | AttemptState::Unknown(_)
        | AttemptState::Answered
        | AttemptState::Void => {}
    }
    let mut rest = history.iter();
    for _ in 0..=place {
        rest.by_ref().find(|entry| entry.kind == ATTEMPT)?;
    }
    let after = rest.next()?;
    u64::try_from(after.at.since(attempt.created_at).as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::deed::{DeedKind, Operator, Via};
    use crate::ledger::tests::samples::{START, attempt, payment};

    fn entry(sequence: i64, kind: &str, millis: i64) -> HistoryEntry {
        HistoryEntry {
            sequence,
            at: Moment(START.0 + millis),
            kind: kind.to_owned(),
            detail: None,
            view: None,
        }
    }

    fn story() -> Story {
        let operator = Operator::new("anna", "once more", Via::Console).unwrap();
        let mut charge = attempt(1, AttemptState::Answered);
        charge.created_at = Moment(START.0 + 5);
        Story {
            known: Known {
                payment: payment(1),
                attempts: vec![charge],
                confirmations: Vec::new(),
            },
            history: vec![
                entry(1, "accepted", 0),
                entry(2, "attempt", 6),
                entry(3, "outcome", 130),
                entry(4, "confirmation_sending", 140),
                entry(5, "confirmation_dead_lettered", 150),
                entry(6, "confirmation_replayed", 9_000),
                entry(7, "confirmation_sending", 9_010),
                entry(8, "confirmation_delivered", 9_020),
            ],
            deeds: vec![Deed {
                id: Uuid::nil(),
                at: Moment(START.0 + 8_999),
                kind: DeedKind::Replay,
                operator,
                subject: "message 1".to_owned(),
                payment: None,
            }],
            demands: Vec::new(),
            money_back: Vec::new(),
            letters: vec![
                (Some(Moment(START.0 + 151)), json!({ "reason": "too_old" })),
                (None, json!({})),
            ],
        }
    }

    #[test]
    fn everything_stands_at_its_time_and_an_attempt_says_how_long_it_took() {
        let entries = of(&story());
        let words: Vec<&str> = entries
            .iter()
            .map(|entry| {
                entry["kind"]
                    .as_str()
                    .unwrap_or(entry["source"].as_str().unwrap())
            })
            .collect();
        let expected = [
            "accepted",
            "attempt",
            "outcome",
            "confirmation_sending",
            "confirmation_dead_lettered",
            "dead_letter",
            "operator",
            "confirmation_replayed",
            "confirmation_sending",
            "confirmation_delivered",
        ];
        assert_eq!(words, expected);
        assert_eq!(entries[1]["tookMs"], 125);
        assert_eq!(entries[1]["attempt"]["stage"], "charge");
        assert!(entries.iter().all(|entry| entry["at"].is_string()));
    }

    #[test]
    fn nothing_of_a_request_but_its_name_is_told() {
        let text = json!(of(&story())).to_string();
        assert!(!text.contains("pm_single_use"), "{text}");
    }

    #[test]
    fn an_open_attempt_has_taken_no_time_yet() {
        let mut story = story();
        story.known.attempts[0].state = AttemptState::Open;
        assert_eq!(of(&story)[1]["tookMs"], Value::Null);
    }

    #[test]
    fn the_tries_of_each_confirmation_are_its_own() {
        let story = story();
        assert_eq!(tries(&story.history, 1), [2]);
        let mut two = story.history.clone();
        two.extend([
            entry(9, "confirmation_sending", 10_000),
            entry(10, "confirmation_delivered", 10_001),
        ]);
        assert_eq!(tries(&two, 2), [2, 1]);
        assert!(tries(&two, 0).is_empty());
    }
}
