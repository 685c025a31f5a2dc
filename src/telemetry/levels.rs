//! What became of payments, how long things waited, and what the process needs or is bound by.

use std::time::Duration;

use prometheus::IntCounter;

use super::labels::Reported;
use super::metrics::Metrics;
use crate::domain::outcome::DeclineClass;
use crate::domain::payment::{Payment, Status};
use crate::domain::queue::Queue;

impl Metrics {
    /// From the writing of a message to its first taking: how far its consumers are behind.
    pub(crate) fn waited(&self, queue: &Queue, span: Duration) {
        self.times
            .waited_seconds
            .with_label_values(&[queue.kind()])
            .observe(span.as_secs_f64());
    }

    /// How long Cleeng had been owed the news when a try to tell it ended so.
    pub(crate) fn told_at_age(&self, result: Reported, age: Duration) {
        self.times
            .confirmation_age_seconds
            .with_label_values(&[result.label()])
            .observe(age.as_secs_f64());
    }

    /// A payment has come into another status, and the ledger holds it; a decline is counted by who or what can help.
    pub(crate) fn moved(&self, payment: &Payment) {
        let status = payment.status.label();
        let gateway = payment.gateway.as_str();
        self.counters
            .moved
            .with_label_values(&[gateway, status])
            .inc();
        if let (Status::Rejected, Some(decline)) = (payment.status, &payment.decline) {
            self.declines(gateway, decline.class).inc();
        }
        if payment.status == Status::Processing {
            // It is on its way; the line that counts is the one that says where to.
            tracing::debug!(payment.id = %payment.id, order.id = %payment.order_id, gateway, status, "payment moved");
        } else {
            tracing::info!(payment.id = %payment.id, order.id = %payment.order_id, gateway, status, "payment moved");
        }
    }

    pub(super) fn moves_begin_at_zero(&self, gateway: &str) {
        for status in Status::ALL {
            self.counters
                .moved
                .with_label_values(&[gateway, status.label()]);
        }
        for class in DeclineClass::ALL {
            self.declines(gateway, class);
        }
    }

    /// Whether something that the process needs can be used, as `/readyz` says.
    pub(crate) fn ready(&self, check: &str, ready: bool) {
        self.gauges
            .ready
            .with_label_values(&[check])
            .set(i64::from(ready));
    }

    /// How many commands may wait in a checkout queue until payments are refused; 0 for no limit.
    pub(crate) fn max_waiting(&self, commands: u64) {
        let commands = i64::try_from(commands).unwrap_or(i64::MAX);
        self.gauges.max_waiting.set(commands);
    }

    fn declines(&self, gateway: &str, class: DeclineClass) -> IntCounter {
        self.counters
            .declines
            .with_label_values(&[gateway, class.label()])
    }
}

#[cfg(test)]
impl Metrics {
    pub(super) fn levels_unused(&self) {
        self.ready("ledger", true);
        self.max_waiting(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::outcome::Decline;
    use crate::gateway::sample;

    fn text(metrics: &Metrics) -> String {
        metrics.encode().unwrap()
    }

    #[test]
    fn a_payment_is_counted_by_its_status_and_a_decline_by_its_class() {
        let method = sample::new_method(serde_json::json!({}), false);
        let mut payment = sample::payment(999, "EUR", method);
        let metrics = Metrics::new([&payment.gateway]).unwrap();
        payment.status = Status::Rejected;
        payment.decline = Some(Decline {
            class: DeclineClass::Soft,
            code: "insufficient_funds".to_owned(),
        });
        metrics.moved(&payment);
        payment.status = Status::Captured;
        metrics.moved(&payment);
        let text = text(&metrics);
        let gateway = &payment.gateway;
        for (name, label, count) in [
            ("moved_total", "status=\"rejected\"", 1),
            ("moved_total", "status=\"captured\"", 1),
            ("moved_total", "status=\"refunded\"", 0),
            ("declines_total", "class=\"soft\"", 1),
            ("declines_total", "class=\"hard\"", 0),
        ] {
            let labels = [format!("gateway=\"{gateway}\""), label.to_owned()];
            let lines = text
                .lines()
                .filter(|line| line.starts_with(&format!("connector_{name}{{")));
            let own = lines.filter(|line| labels.iter().all(|label| line.contains(label)));
            let counts: Vec<&str> = own.filter_map(|line| line.split(' ').nth(1)).collect();
            assert_eq!(counts, [count.to_string()], "{name} {label}");
        }
    }

    #[test]
    fn the_age_of_a_confirmation_is_told_by_what_became_of_the_try() {
        let metrics = Metrics::new([]).unwrap();
        metrics.told_at_age(Reported::Unknown, Duration::from_secs(7300));
        let text = text(&metrics);
        for line in [
            "connector_confirmation_age_seconds_bucket{result=\"unknown\",le=\"7200\"} 0",
            "connector_confirmation_age_seconds_bucket{result=\"unknown\",le=\"43200\"} 1",
            "connector_confirmation_age_seconds_count{result=\"delivered\"} 0",
        ] {
            assert!(text.contains(line), "{line}");
        }
    }

    #[test]
    fn what_is_needed_is_one_while_it_can_be_used() {
        let metrics = Metrics::new([]).unwrap();
        metrics.ready("ledger", true);
        metrics.ready("broker", false);
        let text = text(&metrics);
        assert!(text.contains("connector_ready{check=\"ledger\"} 1"));
        assert!(text.contains("connector_ready{check=\"broker\"} 0"));
    }
}
