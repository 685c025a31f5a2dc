//! What waits, and what is held back for now and its end: a queue, calls to another system, new payments. Gauge and log line in one
//! function each.

use std::time::Duration;

use prometheus::IntGauge;

use super::metrics::Metrics;
use crate::domain::ids::GatewayName;
use crate::domain::queue::Queue;

impl Metrics {
    /// How many payments are in doubt, and the age of the oldest.
    pub(crate) fn doubts(&self, count: i64, oldest: Option<Duration>) {
        self.gauges.in_doubt.set(count);
        self.gauges
            .in_doubt_oldest_seconds
            .set(oldest.unwrap_or_default().as_secs_f64());
    }

    pub(crate) fn depth(&self, queue: &Queue, messages: i64) {
        self.gauges
            .queue_depth
            .with_label_values(&[queue.to_string().as_str()])
            .set(messages);
    }

    /// A queue is not consumed for now, since nothing on it can go on.
    pub(crate) fn lane_paused(&self, queue: &Queue, error: &str) {
        self.lane(queue).set(1);
        tracing::error!(%queue, error, "queue paused");
    }

    pub(crate) fn lane_resumed(&self, queue: &Queue) {
        self.lane(queue).set(0);
        tracing::info!(%queue, "queue resumed");
    }

    /// Nothing of a queue is in hand any more, since an operator has paused it.
    pub(crate) fn lane_shut(&self, queue: &Queue, because: Option<&str>) {
        self.lane(queue).set(1);
        tracing::info!(%queue, because, "queue paused by an operator");
    }

    /// An operator has ended the pause.
    pub(crate) fn lane_opened(&self, queue: &Queue) {
        self.lane(queue).set(0);
        tracing::info!(%queue, "queue resumed by an operator");
    }

    /// No call to this system has failed yet.
    pub(crate) fn breaker_unused(&self, target: &str) {
        self.breaker(target).set(0);
    }

    pub(crate) fn breaker_opened(&self, target: &str) {
        self.breaker(target).set(1);
        tracing::error!(
            system = target,
            "no answer to call after call: it is only probed now"
        );
    }

    pub(crate) fn breaker_closed(&self, target: &str) {
        self.breaker(target).set(0);
        tracing::info!(system = target, "it answers again");
    }

    /// Nothing was refused for this gateway yet.
    pub(crate) fn shedding_unused(&self, gateway: &GatewayName) {
        self.shedding(gateway).set(0);
    }

    pub(crate) fn shedding_began(&self, gateway: &GatewayName, waiting: Option<u64>, limit: u64) {
        self.shedding(gateway).set(1);
        tracing::warn!(%gateway, waiting, limit, "too many commands wait: new payments are refused");
    }

    /// `waiting`: nothing when it is not known any more.
    pub(crate) fn shedding_ended(&self, gateway: &GatewayName, waiting: Option<u64>) {
        self.shedding(gateway).set(0);
        tracing::info!(%gateway, waiting, "new payments are taken in again");
    }

    fn breaker(&self, target: &str) -> IntGauge {
        self.gauges.breaker_open.with_label_values(&[target])
    }

    fn shedding(&self, gateway: &GatewayName) -> IntGauge {
        self.gauges.shedding.with_label_values(&[gateway.as_str()])
    }

    fn lane(&self, queue: &Queue) -> IntGauge {
        self.gauges
            .lane_paused
            .with_label_values(&[queue.to_string().as_str()])
    }
}
