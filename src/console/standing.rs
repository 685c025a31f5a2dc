//! The overview, from what was read: pure, so that what it says of a bad day is tested.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::broker::{Lane, Queue};
use crate::domain::flow::{Counts, Flow, MINUTES};
use crate::domain::ids::GatewayName;
use crate::domain::moment::Moment;
use crate::domain::pause::{Pause, Side};
use crate::domain::presence::Seen;
use crate::ledger::{MOST_COUNTED, Standing};
use crate::operator::document;

/// A process tells of itself every five seconds; after three times that it is not there.
const LIVE: Duration = Duration::from_secs(15);
/// A process that went without a word is shown for so long.
const MISSED: Duration = Duration::from_secs(600);
/// Over how many minutes the lag is the mean of.
const LAG_MINUTES: usize = 5;
/// How Cleeng is called among the systems that may be away.
const CLEENG: &str = "cleeng";

/// What was read.
pub(super) struct Facts<'a> {
    pub(super) now: Moment,
    pub(super) gateways: Vec<&'a GatewayName>,
    pub(super) depths: BTreeMap<Queue, Option<u64>>,
    pub(super) processes: Vec<Seen>,
    pub(super) standing: Standing,
    pub(super) pauses: Vec<Pause>,
}

impl Facts<'_> {
    fn live(&self) -> impl Iterator<Item = &Seen> {
        self.processes
            .iter()
            .filter(|seen| !seen.presence.left && self.now.since(seen.at) < LIVE)
    }

    fn pause(&self, side: &Side) -> Option<&Pause> {
        self.pauses.iter().find(|pause| pause.side == *side)
    }

    fn depth(&self, queue: &Queue) -> Option<u64> {
        self.depths.get(queue).copied().flatten()
    }

    /// How many processes do not consume one of these queues.
    fn shut(&self, queues: &[&Queue]) -> usize {
        let names: Vec<String> = queues.iter().map(|queue| queue.to_string()).collect();
        self.count(|seen| seen.presence.shut.iter().any(|queue| names.contains(queue)))
    }

    fn count(&self, is: impl Fn(&&Seen) -> bool) -> usize {
        self.live().filter(is).count()
    }

    fn away(&self, system: &str) -> usize {
        self.count(|seen| seen.presence.away.iter().any(|away| away == system))
    }
}

pub(super) fn document(facts: &Facts<'_>) -> Value {
    let flow = flow(facts);
    let payments = &facts.standing.payments;
    let counted: i64 = payments.iter().map(|one| one.count).sum();
    json!({
        "at": facts.now.rfc3339(),
        "flow": flow_document(&flow),
        "lag": {
            "acceptedToToldMs": lag(&flow),
            "oldestOpenAt": payments.iter().map(|one| one.oldest).min().map(Moment::rfc3339),
        },
        "open": payments.iter().map(|one| json!({
            "status": one.status.label(), "count": one.count, "oldestAt": one.oldest.rfc3339(),
        })).collect::<Vec<_>>(),
        "openIsCapped": counted >= MOST_COUNTED,
        "demandsKept": facts.standing.demands_kept,
        "deadLetters": facts.depth(&Queue::Dead),
        "gateways": facts.gateways.iter().map(|name| gateway(facts, name)).collect::<Vec<_>>(),
        "gatewayEvents": {
            "waiting": facts.depth(&Queue::GatewayEvents), "heldBy": facts.shut(&[&Queue::GatewayEvents]),
        },
        "confirmations": confirmations(facts),
        "processes": facts.processes.iter().filter(|seen| is_shown(facts, seen)).map(|seen| process(facts, seen))
            .collect::<Vec<_>>(),
    })
}

fn gateway(facts: &Facts<'_>, name: &GatewayName) -> Value {
    let queue = |lane| Queue::Commands {
        gateway: name.clone(),
        lane,
    };
    let (checkout, billing) = (queue(Lane::Checkout), queue(Lane::Billing));
    let pause = facts.pause(&Side::Gateway(name.clone()));
    let sheds = |seen: &&Seen| {
        seen.presence
            .shedding
            .iter()
            .any(|shed| shed == name.as_str())
    };
    json!({
        "name": name,
        "checkout": facts.depth(&checkout),
        "billing": facts.depth(&billing),
        "paused": pause.map(document::pause),
        // A paused queue is not consumed either: only what nobody paused is held.
        "heldBy": if pause.is_some() { 0 } else { facts.shut(&[&checkout, &billing]) },
        "awayFor": facts.away(name.as_str()),
        "refusedBy": facts.count(sheds),
        "takenBy": facts.count(|seen| takes(seen, name)),
    })
}

fn takes(seen: &Seen, name: &GatewayName) -> bool {
    let is_worker = seen.presence.roles.iter().any(|role| role == "worker");
    let only = &seen.presence.only;
    is_worker && (only.is_empty() || only.iter().any(|one| one == name.as_str()))
}

fn confirmations(facts: &Facts<'_>) -> Value {
    let pause = facts.pause(&Side::Confirmations);
    let tells = |seen: &&Seen| seen.presence.roles.iter().any(|role| role == "confirmer");
    json!({
        "waiting": facts.depth(&Queue::Confirmations),
        "paused": pause.map(document::pause),
        "heldBy": if pause.is_some() { 0 } else { facts.shut(&[&Queue::Confirmations]) },
        "awayFor": facts.away(CLEENG),
        "takenBy": facts.count(tells),
    })
}

fn is_shown(facts: &Facts<'_>, seen: &Seen) -> bool {
    !seen.presence.left && facts.now.since(seen.at) < MISSED
}

fn process(facts: &Facts<'_>, seen: &Seen) -> Value {
    let presence = &seen.presence;
    json!({
        "id": seen.id, "roles": presence.roles, "gateways": presence.only, "version": presence.version,
        "startedAt": Moment(presence.started_at).rfc3339(), "seenAt": seen.at.rfc3339(),
        "live": facts.now.since(seen.at) < LIVE,
    })
}

/// All processes together, also those that have gone meanwhile.
fn flow(facts: &Facts<'_>) -> Flow {
    let mut all = Flow::empty(facts.now);
    for seen in &facts.processes {
        all.merge(&seen.presence.flow);
    }
    all
}

fn flow_document(flow: &Flow) -> Value {
    let each = |of: fn(&Counts) -> u64| flow.minutes().map(of).collect::<Vec<u64>>();
    json!({
        "minutes": MINUTES,
        "accepted": each(|one| one.accepted),
        "answered": each(|one| one.answered),
        "declined": each(|one| one.declined),
        "failed": each(|one| one.failed),
        "told": each(|one| one.told),
        "retried": each(|one| one.retried),
        "parked": each(|one| one.parked),
    })
}

/// The mean of the last minutes, in milliseconds; nothing when nothing came to its end.
fn lag(flow: &Flow) -> Option<u64> {
    let last = flow.minutes().rev().take(LAG_MINUTES);
    let sum = last.fold(Counts::default(), |sum, one| sum.plus(*one));
    sum.span_millis.checked_div(sum.spans)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::presence::Presence;

    const NOW: Moment = Moment(1_767_323_045_678);

    fn seen(roles: &[&str], seconds_ago: i64, change: impl Fn(&mut Presence)) -> Seen {
        let mut presence = Presence {
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            version: "1".to_owned(),
            flow: Flow::empty(NOW),
            ..Presence::default()
        };
        change(&mut presence);
        Seen {
            id: Uuid::now_v7(),
            at: Moment(NOW.0 - seconds_ago * 1000),
            presence,
        }
    }

    fn shown(processes: Vec<Seen>, pauses: Vec<Pause>) -> Value {
        let stripe: GatewayName = "stripe".parse().unwrap();
        let facts = Facts {
            now: NOW,
            gateways: vec![&stripe],
            depths: BTreeMap::from([(Queue::Dead, Some(3)), (Queue::Confirmations, None)]),
            processes,
            standing: Standing {
                payments: Vec::new(),
                demands_kept: 0,
            },
            pauses,
        };
        document(&facts)
    }

    fn holds(presence: &mut Presence) {
        presence.shut = vec!["commands.stripe.checkout".to_owned()];
        presence.away = vec!["stripe".to_owned(), "cleeng".to_owned()];
        presence.shedding = vec!["stripe".to_owned()];
    }

    #[test]
    fn a_gateway_shows_what_any_live_process_holds_back() {
        let processes = vec![
            seen(&["worker"], 1, holds),
            seen(&["worker"], 1, |_| {}),
            seen(&["worker"], 1, |one| one.only = vec!["paypal".to_owned()]),
            // Dead for a minute, and left in order: neither counts.
            seen(&["worker"], 60, holds),
            seen(&["worker"], 1, |one| {
                holds(one);
                one.left = true;
            }),
        ];
        let shown = shown(processes, Vec::new());
        let stripe = &shown["gateways"][0];
        for (field, count) in [
            ("heldBy", 1),
            ("awayFor", 1),
            ("refusedBy", 1),
            ("takenBy", 2),
        ] {
            assert_eq!(stripe[field], count, "{field}");
        }
        assert_eq!(shown["confirmations"]["awayFor"], 1);
        assert_eq!(shown["processes"].as_array().unwrap().len(), 4);
        assert_eq!(shown["deadLetters"], 3);
        assert_eq!(shown["confirmations"]["waiting"], Value::Null);
    }

    #[test]
    fn what_an_operator_paused_is_not_called_held() {
        let pause = Pause {
            side: Side::Gateway("stripe".parse().unwrap()),
            since: NOW,
            because: Some("maintenance".to_owned()),
        };
        let shown = shown(vec![seen(&["worker"], 1, holds)], vec![pause]);
        let stripe = &shown["gateways"][0];
        assert_eq!(stripe["heldBy"], 0);
        assert_eq!(stripe["paused"]["because"], "maintenance");
    }

    #[test]
    fn the_flow_of_all_processes_is_one_and_the_lag_its_mean() {
        let counts = |presence: &mut Presence| {
            let counts = Counts {
                accepted: 4,
                told: 2,
                span_millis: 3000,
                spans: 2,
                ..Counts::default()
            };
            presence.flow.add(counts, NOW);
        };
        let shown = shown(
            vec![seen(&["ingest"], 1, counts), seen(&["worker"], 900, counts)],
            vec![],
        );
        let accepted = shown["flow"]["accepted"].as_array().unwrap();
        assert_eq!(
            (accepted.len(), &accepted[MINUTES - 1]),
            (MINUTES, &json!(8))
        );
        assert_eq!(shown["lag"]["acceptedToToldMs"], 1500);
    }

    #[test]
    fn where_nothing_came_to_its_end_there_is_no_lag() {
        assert_eq!(
            shown(Vec::new(), Vec::new())["lag"]["acceptedToToldMs"],
            Value::Null
        );
    }
}
