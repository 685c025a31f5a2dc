//! Dead letters by what they have in common: why, from where, about which gateway.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::letter::{Letter, time};
use crate::domain::moment::Moment;

/// Messages of one kind.
pub(crate) struct Group<'a> {
    pub(crate) count: u64,
    pub(crate) oldest: Option<Moment>,
    pub(crate) newest: Option<Moment>,
    pub(crate) letters: Vec<&'a Letter>,
}

/// By reason, source and gateway; `-` stands for no gateway.
pub(crate) type Groups<'a> = BTreeMap<(&'a str, &'a str, &'a str), Group<'a>>;

pub(crate) fn grouped(letters: &[Letter]) -> Groups<'_> {
    let mut groups = Groups::new();
    for letter in letters {
        let key = (letter.reason(), letter.source(), letter.gateway());
        let parked_at = letter.dead.parked_at;
        let group = groups.entry(key).or_insert(Group {
            count: 0,
            oldest: parked_at,
            newest: parked_at,
            letters: Vec::new(),
        });
        group.count = group.count.saturating_add(1);
        group.oldest = [group.oldest, parked_at].into_iter().flatten().min();
        group.newest = [group.newest, parked_at].into_iter().flatten().max();
        group.letters.push(letter);
    }
    groups
}

pub(crate) fn groups_as_json(groups: &Groups<'_>) -> Vec<Value> {
    let each = groups.iter().map(|((reason, source, gateway), group)| {
        json!({
            "reason": reason, "source": source, "gateway": Some(gateway).filter(|name| **name != "-"),
            "count": group.count, "oldest": time(group.oldest), "newest": time(group.newest),
        })
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::broker::DeadLetter;

    fn letter(number: u128, reason: &str, at: i64) -> Letter {
        let dead = DeadLetter::sample(Uuid::from_u128(number), reason, Moment(at));
        Letter {
            source: dead.source(),
            dead,
            envelope: None,
            payment: None,
            gateway: None,
        }
    }

    #[test]
    fn a_group_counts_and_has_its_oldest_and_newest() {
        let letters = [
            letter(1, "too_old", 2000),
            letter(2, "too_old", 1000),
            letter(3, "given_up", 3000),
        ];
        let json = groups_as_json(&grouped(&letters));
        let expected = json!([
            { "reason": "given_up", "source": "confirmations", "gateway": null, "count": 1,
              "oldest": "1970-01-01T00:00:03Z", "newest": "1970-01-01T00:00:03Z" },
            { "reason": "too_old", "source": "confirmations", "gateway": null, "count": 2,
              "oldest": "1970-01-01T00:00:01Z", "newest": "1970-01-01T00:00:02Z" },
        ]);
        assert_eq!(json!(json), expected);
    }
}
