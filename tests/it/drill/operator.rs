//! The operator of the drill: works through the dead letters as a person would, with the commands that a person has.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fleet::Fleet;
use super::load::Taken;
use crate::harness::run;

/// What was done about the dead letters, counted.
pub(super) async fn work(fleet: &Fleet, payments: &[Taken]) -> BTreeMap<String, usize> {
    let mut done = BTreeMap::new();
    let orders: BTreeMap<&str, u64> = payments
        .iter()
        .map(|one| (one.id.as_str(), one.order))
        .collect();
    for letter in listed(fleet) {
        let id = letter["messageId"].as_str().unwrap();
        let reason = letter["reason"].as_str().unwrap_or("none");
        let payment = letter["paymentId"].as_str().unwrap_or("");
        let action = match (reason, orders.get(payment)) {
            // Cleeng's own pages say whether a report has arrived whose answer was lost.
            ("cleeng_answer_lost", Some(order)) => {
                let has_it = !fleet.world.records(payment, *order).await.cleeng.is_empty();
                if has_it { "discard" } else { "replay --force" }
            }
            ("given_up", _) => "discard",
            _ => "replay",
        };
        let arguments: &[&str] = match action {
            "discard" => &[
                "dead-letters",
                "discard",
                id,
                "--because",
                "Cleeng's pages show the record",
            ],
            "replay --force" => &["dead-letters", "replay", id, "--force"],
            _ => &["dead-letters", "replay", id],
        };
        let (code, told, complaint) = run(arguments, &fleet.world.env);
        assert_eq!(code, 0, "{arguments:?}: {told} {complaint}");
        *done.entry(format!("{reason}: {action}")).or_insert(0) += 1;
    }
    done
}

fn listed(fleet: &Fleet) -> Vec<Value> {
    let arguments = ["dead-letters", "list", "--all", "--json"];
    let (code, told, complaint) = run(&arguments, &fleet.world.env);
    assert_eq!(code, 0, "{told} {complaint}");
    let listed: Value = serde_json::from_str(&told).unwrap();
    listed["letters"].as_array().unwrap().clone()
}
