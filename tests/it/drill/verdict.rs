//! The account: every payment, as the connector, the gateways and Cleeng know it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::sleep;

use super::fleet::Fleet;
use super::load::{Card, Taken};

/// How long after the last fault everything has to be settled.
const SETTLED_WITHIN: Duration = Duration::from_secs(180);

/// What became of the payments.
#[derive(Debug, Default)]
pub(super) struct Table {
    accepted: usize,
    as_the_card: usize,
    charged_once: usize,
    not_charged: usize,
    recorded_once: usize,
    in_doubt: usize,
    stuck: usize,
    doubled: usize,
    lost: usize,
    notes: Vec<String>,
}

/// Waits until every payment is settled once more, then compares the books.
pub(super) async fn judge(fleet: &Fleet, payments: &[Taken]) -> Table {
    let views = settle(fleet, payments).await;
    let ledger = fleet
        .world
        .http
        .get(&format!("{}/_ledger", fleet.world.simulator))
        .await
        .json();
    let mut cleeng: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
    for record in ledger["cleeng"]["payments"].as_array().unwrap() {
        cleeng
            .entry(record["orderId"].as_u64().unwrap())
            .or_default()
            .push(record);
    }
    let mut table = Table::default();
    for (payment, view) in payments.iter().zip(&views) {
        let moved = ledger["moneyMoved"][&payment.id].as_u64().unwrap_or(0);
        let records = cleeng.get(&payment.order).map_or(&[][..], Vec::as_slice);
        table.enter(payment, view, moved, records);
    }
    table
}

/// The payments as they are once nothing changes any more, or when the time is over.
pub(super) async fn settle(fleet: &Fleet, payments: &[Taken]) -> Vec<Value> {
    let end = Instant::now() + SETTLED_WITHIN;
    let mut views = Vec::new();
    for payment in payments {
        let mut view = Value::Null;
        loop {
            if let Some(seen) = fleet.look(0, &payment.id).await {
                view = seen;
            }
            if is_settled(&view) || Instant::now() > end {
                break;
            }
            sleep(Duration::from_millis(200)).await;
        }
        views.push(view);
    }
    views
}

fn is_settled(view: &Value) -> bool {
    let status = view["status"].as_str().unwrap_or("");
    let confirmation = view["confirmation"]["status"].as_str().unwrap_or("");
    matches!(
        status,
        "captured" | "rejected" | "cancelled" | "expired" | "failed"
    ) && confirmation != "queued"
}

impl Table {
    fn enter(&mut self, payment: &Taken, view: &Value, moved: u64, records: &[&Value]) {
        let status = view["status"].as_str().unwrap_or("unreadable");
        let confirmation = view["confirmation"]["status"]
            .as_str()
            .unwrap_or("unreadable");
        let (expected, charges) = match payment.card {
            Card::Approved | Card::Authenticated | Card::Pending => ("captured", 1),
            Card::Declined => ("rejected", 0),
        };
        self.accepted += 1;
        self.as_the_card += usize::from(status == expected);
        self.charged_once += usize::from(moved == 1);
        self.not_charged += usize::from(moved == 0);
        self.in_doubt += usize::from(status == "in_doubt");
        self.stuck += usize::from(!is_settled(view));
        let told: Vec<&str> = records
            .iter()
            .filter_map(|record| record["status"].as_str())
            .collect();
        let right = told == [expected];
        self.recorded_once += usize::from(right);
        let is_doubled = moved > 1 || records.len() > 1;
        self.doubled += usize::from(is_doubled);
        let is_lost = moved != charges || status != expected || !right;
        self.lost += usize::from(is_lost);
        if is_lost || is_doubled || !is_settled(view) {
            self.notes.push(format!(
                "{} {:?}: {status}, confirmation {confirmation}, money moved {moved}, Cleeng {told:?}",
                payment.id, payment.card
            ));
        }
    }

    pub(super) fn is_good(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.stuck == 0 && self.in_doubt == 0
    }

    pub(super) fn text(
        &self,
        faults: &BTreeMap<String, usize>,
        letters: &BTreeMap<String, usize>,
        took: Duration,
    ) -> String {
        let mut rows = vec![
            ("payments accepted".to_owned(), self.accepted),
            ("ended as the card says".to_owned(), self.as_the_card),
            ("charged exactly once".to_owned(), self.charged_once),
            ("not charged (declined)".to_owned(), self.not_charged),
            (
                "recorded at Cleeng exactly once, as they ended".to_owned(),
                self.recorded_once,
            ),
            ("in doubt at the end".to_owned(), self.in_doubt),
            ("stuck at the end".to_owned(), self.stuck),
            ("doubled (charge or record)".to_owned(), self.doubled),
            ("lost (charge or record)".to_owned(), self.lost),
        ];
        rows.push((
            "dead letters that the operator worked through".to_owned(),
            letters.values().sum(),
        ));
        rows.extend(
            letters
                .iter()
                .map(|(what, count)| (format!("  {what}"), *count)),
        );
        rows.push((
            "faults of processes and servers".to_owned(),
            faults.values().sum(),
        ));
        rows.extend(
            faults
                .iter()
                .map(|(what, count)| (format!("  {what}"), *count)),
        );
        rows.push((
            "seconds".to_owned(),
            usize::try_from(took.as_secs()).unwrap(),
        ));
        let lines = rows
            .iter()
            .map(|(what, count)| format!("| {what:<58} | {count:>6} |"));
        let mut text: Vec<String> = lines.collect();
        text.extend(self.notes.iter().take(40).cloned());
        text.join("\n")
    }
}
