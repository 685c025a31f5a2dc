//! Compares what was accepted with both books, payment by payment. Pure.

use std::collections::HashMap;

use serde::Serialize;
use uuid::Uuid;

use crate::simulator::{Recorded, Taken};

/// How many violations are listed.
const LISTED: usize = 20;

/// One payment that was sent, and the answer it got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) order_id: u64,
    pub(crate) amount: i64,
    pub(crate) answer: Answer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Accepted(Uuid),
    /// Nothing may come of it.
    Refused,
    /// No answer came: it may have been accepted or not.
    Lost,
}

/// What came of the comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verification {
    pub(crate) accepted: usize,
    pub(crate) refused: usize,
    pub(crate) lost: usize,
    /// Of those lost, how many both books have.
    pub(crate) lost_and_found: usize,
    pub(crate) taken: usize,
    pub(crate) recorded: usize,
    /// Of the connector's own ledger; nothing when it could not be asked.
    pub(crate) delivered: Option<u64>,
    pub(crate) violations: usize,
    /// The first of them.
    pub(crate) listed: Vec<String>,
}

impl Verification {
    pub(crate) fn violate(&mut self, text: String) {
        self.violations = self.violations.saturating_add(1);
        if self.listed.len() < LISTED {
            self.listed.push(text);
        }
    }

    /// The connector's own count of delivered confirmations has to be that of the books.
    pub(crate) fn compare_ledger(&mut self, delivered: u64) {
        self.delivered = Some(delivered);
        if usize::try_from(delivered) != Ok(self.recorded) {
            let recorded = self.recorded;
            self.violate(format!(
                "the connector's ledger has {delivered} delivered confirmations, Cleeng's book {recorded} records"
            ));
        }
    }
}

/// Every accepted payment has one charge of its amount at the gateway and one record of that charge at Cleeng, and neither
/// book holds anything else, but for payments whose answer was lost: those are in both books or in neither.
pub(crate) fn verify(sent: &[Sent], taken: &[Taken], recorded: &[Recorded]) -> Verification {
    let mut result = Verification {
        taken: taken.len(),
        recorded: recorded.len(),
        ..Verification::default()
    };
    let mut at_gateway = group(taken, |taken| taken.reference.clone());
    let mut at_cleeng = group(recorded, |recorded| recorded.order_id);
    let any_lost = sent.iter().any(|sent| sent.answer == Answer::Lost);
    let by_id: HashMap<&str, &Taken> = taken
        .iter()
        .filter(|_| any_lost)
        .map(|taken| (taken.id.as_str(), taken))
        .collect();
    for sent in sent {
        let records = at_cleeng.remove(&sent.order_id).unwrap_or_default();
        match sent.answer {
            Answer::Accepted(id) => {
                result.accepted = result.accepted.saturating_add(1);
                let charges = at_gateway.remove(&id.to_string()).unwrap_or_default();
                compare(&mut result, sent, &id.to_string(), &charges, &records);
            }
            Answer::Refused => {
                result.refused = result.refused.saturating_add(1);
                for record in records {
                    result.violate(format!(
                        "order {}: refused, and Cleeng has {}",
                        sent.order_id, record.external_id
                    ));
                }
            }
            Answer::Lost => {
                result.lost = result.lost.saturating_add(1);
                let first = records.first();
                if let Some(charge) = first.and_then(|first| by_id.get(first.external_id.as_str()))
                {
                    result.lost_and_found = result.lost_and_found.saturating_add(1);
                    let charges = at_gateway.remove(&charge.reference).unwrap_or_default();
                    compare(&mut result, sent, &charge.reference, &charges, &records);
                } else if let Some(record) = records.first() {
                    result.violate(format!(
                        "order {}: Cleeng has {}, and no gateway has",
                        sent.order_id, record.external_id
                    ));
                }
            }
        }
    }
    leftovers(&mut result, &at_gateway, &at_cleeng);
    result
}

fn group<T, K: std::hash::Hash + Eq>(book: &[T], key: impl Fn(&T) -> K) -> HashMap<K, Vec<&T>> {
    let mut groups: HashMap<K, Vec<&T>> = HashMap::with_capacity(book.len());
    for entry in book {
        groups.entry(key(entry)).or_default().push(entry);
    }
    groups
}

fn compare(
    result: &mut Verification,
    sent: &Sent,
    id: &str,
    charges: &[&Taken],
    records: &[&Recorded],
) {
    let order = sent.order_id;
    let ([charge], [record]) = (charges, records) else {
        let (charged, recorded) = (charges.len(), records.len());
        result.violate(format!(
            "payment {id} of order {order}: {charged} charges at the gateway, {recorded} records at Cleeng"
        ));
        return;
    };
    if charge.amount != sent.amount || record.amount != sent.amount {
        result.violate(format!(
            "payment {id} of order {order}: {} wanted, {} charged, {} recorded",
            sent.amount, charge.amount, record.amount
        ));
    }
    if record.external_id != charge.id {
        result.violate(format!(
            "payment {id} of order {order}: charged as {}, recorded as {}",
            charge.id, record.external_id
        ));
    }
    if !record.captured {
        result.violate(format!(
            "payment {id} of order {order}: recorded, but not as captured"
        ));
    }
}

fn leftovers(
    result: &mut Verification,
    at_gateway: &HashMap<String, Vec<&Taken>>,
    at_cleeng: &HashMap<u64, Vec<&Recorded>>,
) {
    for charge in at_gateway.values().flatten() {
        result.violate(format!(
            "charge {} of {} belongs to no accepted payment",
            charge.id, charge.reference
        ));
    }
    for record in at_cleeng.values().flatten() {
        result.violate(format!(
            "Cleeng has {} for order {}, which nobody sent",
            record.external_id, record.order_id
        ));
    }
}

#[cfg(test)]
#[path = "tests/verify.rs"]
mod tests;
