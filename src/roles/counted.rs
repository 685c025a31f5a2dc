//! What becomes of deliveries, counted and logged in one place for every role.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tracing::Instrument;

use crate::broker::{Delivery, Handler, Queue, Verdict};
use crate::clock;
use crate::config::Role;
use crate::domain::message::Envelope;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::spans::{self, Taken};

/// A handler with its counters.
pub(crate) struct Counted {
    inner: Box<dyn Handler>,
    role: Role,
    metrics: Arc<Metrics>,
    /// The queues on which nothing can go on at the moment.
    paused: Mutex<BTreeSet<Queue>>,
}

impl Counted {
    pub(crate) fn new(inner: impl Handler + 'static, role: Role, metrics: Arc<Metrics>) -> Counted {
        Counted {
            inner: Box::new(inner),
            role,
            metrics,
            paused: Mutex::new(BTreeSet::new()),
        }
    }

    /// The queue is consumed anew: what was held on it before counts no more.
    pub(crate) fn forget(&self, queue: &Queue) {
        self.paused().remove(queue);
    }

    fn tell(&self, queue: &Queue, verdict: &Verdict) {
        match verdict {
            Verdict::Done => {}
            Verdict::Later { delay, error } => self.metrics.retried(queue, delay.wait(), error),
            Verdict::Park { reason, error } => {
                self.metrics.dead_lettered(queue, *reason, error);
            }
            Verdict::Hold { error } => {
                if self.paused().insert(queue.clone()) {
                    self.metrics.lane_paused(queue, error);
                }
                return;
            }
        }
        if self.paused().remove(queue) {
            self.metrics.lane_resumed(queue);
        }
    }

    fn paused(&self) -> std::sync::MutexGuard<'_, BTreeSet<Queue>> {
        self.paused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts how long a message lay until somebody took it. What comes again, by whatever way, has waited for other reasons.
pub(crate) fn count_wait(delivery: &Delivery, envelope: &Envelope, metrics: &Metrics) {
    let headers = &delivery.headers;
    if !delivery.redelivered && headers.failures == 0 && headers.replayed == 0 {
        let waited = clock::now().since(envelope.occurred_at);
        metrics.waited(&delivery.queue, waited);
    }
}

#[async_trait]
impl Handler for Counted {
    async fn take(&self, delivery: &Delivery) -> Verdict {
        let _in_hand = self.metrics.in_flight(self.role);
        let headers = &delivery.headers;
        let span = spans::delivery(&Taken {
            role: self.role,
            queue: &delivery.queue,
            trace: super::trace_of(delivery),
            failures: headers.failures,
            replayed: headers.replayed,
            redelivered: delivery.redelivered,
        });
        let verdict = self.inner.take(delivery).instrument(span.clone()).await;
        // Within the span, so that each line has the trace and the payment.
        span.in_scope(|| self.tell(&delivery.queue, &verdict));
        let (word, error) = outcome(&verdict);
        spans::settled(&span, word, error);
        verdict
    }
}

fn outcome(verdict: &Verdict) -> (&'static str, Option<&str>) {
    match verdict {
        Verdict::Done => ("done", None),
        Verdict::Later { error, .. } => ("later", Some(error)),
        Verdict::Park { error, .. } => ("park", Some(error)),
        Verdict::Hold { error } => ("hold", Some(error)),
    }
}
