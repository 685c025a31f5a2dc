//! The counters of this process, added up over their labels, and what is held back: for what a process tells of itself.

use prometheus::core::Collector;
use prometheus::proto::Metric;
use prometheus::{IntCounterVec, IntGaugeVec};

use super::labels::Reported;
use super::metrics::Metrics;
use crate::domain::flow::Counts;

/// What a gateway says to a charge, and to a read of one, where that is its last word for now.
const ANSWERS: [&str; 6] = [
    "authorized",
    "captured",
    "rejected",
    "cancelled",
    "lapsed",
    "saved",
];
const DECLINED: &str = "rejected";
const FAILED: [&str; 4] = ["not_done", "unknown", "refused", "broken"];

/// What this process holds back now.
pub(crate) struct Held {
    pub(crate) queues: Vec<String>,
    /// Gateways, or `cleeng`, that do not answer.
    pub(crate) systems: Vec<String>,
    pub(crate) gateways_shed: Vec<String>,
}

impl Metrics {
    /// Since the process began.
    pub(crate) fn counts(&self) -> Counts {
        let counters = &self.counters;
        let told = [
            Reported::Delivered.label(),
            Reported::AlreadyRecorded.label(),
        ];
        let outcomes = |words: &[&str]| sum(&counters.outcomes, |one| has(one, "outcome", words));
        let spans = &self.times.accepted_to_confirmed_seconds;
        Counts {
            accepted: sum(&counters.accepted, |_| true),
            answered: outcomes(&ANSWERS),
            declined: outcomes(&[DECLINED]),
            failed: outcomes(&FAILED),
            told: sum(&counters.confirmations, |one| has(one, "result", &told)),
            retried: sum(&counters.retries, |_| true),
            parked: sum(&counters.dead_letters, |_| true),
            span_millis: millis(spans.get_sample_sum()),
            spans: spans.get_sample_count(),
        }
    }

    pub(crate) fn held(&self) -> Held {
        Held {
            queues: raised(&self.gauges.lane_paused, "queue"),
            systems: raised(&self.gauges.breaker_open, "target"),
            gateways_shed: raised(&self.gauges.shedding, "gateway"),
        }
    }
}

fn sum(counters: &IntCounterVec, takes: impl Fn(&Metric) -> bool) -> u64 {
    let families = counters.collect();
    let all = families.iter().flat_map(|family| family.get_metric());
    all.filter(|one| takes(one))
        .map(|one| whole(one.get_counter().get_value()))
        .sum()
}

/// The label's values where the gauge stands.
fn raised(gauges: &IntGaugeVec, label: &str) -> Vec<String> {
    let families = gauges.collect();
    let all = families.iter().flat_map(|family| family.get_metric());
    all.filter(|one| one.get_gauge().get_value() > 0.0)
        .filter_map(|one| value(one, label).map(str::to_owned))
        .collect()
}

fn has(metric: &Metric, label: &str, words: &[&str]) -> bool {
    value(metric, label).is_some_and(|value| words.contains(&value))
}

fn value<'a>(metric: &'a Metric, label: &str) -> Option<&'a str> {
    let mut pairs = metric.get_label().iter();
    pairs
        .find(|pair| pair.name() == label)
        .map(|pair| pair.value())
}

/// There is no other way from a float to a whole number. It saturates, and a count is never negative.
fn whole(number: f64) -> u64 {
    number as u64
}

fn millis(seconds: f64) -> u64 {
    whole(seconds * 1000.0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::confirmation::Report;
    use crate::domain::ids::{GatewayName, OrderId, PaymentId};
    use crate::domain::queue::Queue;
    use crate::telemetry::trace::TraceContext;

    #[test]
    fn what_happened_is_added_up_over_its_labels() {
        let gateway: GatewayName = "stripe".parse().unwrap();
        let metrics = Metrics::new([&gateway]).unwrap();
        assert_eq!(metrics.counts(), Counts::default());
        metrics.accepted(
            &gateway,
            PaymentId(uuid::Uuid::nil()),
            OrderId(1),
            TraceContext::root(1, 1),
        );
        metrics.reported(Report::Captured, Reported::Delivered);
        metrics.reported(Report::Rejected, Reported::AlreadyRecorded);
        metrics.reported(Report::Captured, Reported::NotDone);
        metrics.confirmed_after(Duration::from_millis(1500));
        for outcome in ["captured", "rejected", "opened", "unknown"] {
            let labels = ["stripe", outcome];
            metrics.counters.outcomes.with_label_values(&labels).inc();
        }
        let counts = metrics.counts();
        assert_eq!((counts.accepted, counts.told), (1, 2));
        assert_eq!((counts.answered, counts.declined, counts.failed), (2, 1, 1));
        assert_eq!((counts.span_millis, counts.spans), (1500, 1));
    }

    #[test]
    fn what_is_held_back_is_named() {
        let gateway: GatewayName = "stripe".parse().unwrap();
        let metrics = Metrics::new([&gateway]).unwrap();
        metrics.breaker_unused("stripe");
        metrics.breaker_opened("cleeng");
        metrics.lane_paused(&Queue::Confirmations, "401");
        let held = metrics.held();
        assert_eq!(held.systems, ["cleeng"]);
        assert_eq!(held.queues, ["confirmations"]);
        assert!(held.gateways_shed.is_empty());
    }
}
