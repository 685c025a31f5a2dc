//! A publisher that measures how long the broker takes to confirm, and keeps each message in its trace.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use tracing::Instrument;

use crate::broker::{Outgoing, Publish, PublishError};
use crate::telemetry::metrics::Metrics;
use crate::telemetry::spans;
use crate::telemetry::trace::TraceContext;

pub(super) struct Timed {
    pub(super) inner: Arc<dyn Publish>,
    pub(super) metrics: Arc<Metrics>,
}

#[async_trait]
impl Publish for Timed {
    async fn publish(&self, mut message: Outgoing) -> Result<(), PublishError> {
        let started = Instant::now();
        let span = spans::publish(&message.queue, message.message_id);
        if let Some(here) = spans::within(&span) {
            message.headers.traceparent = Some(here.to_string());
        } else if message.headers.traceparent.is_none() {
            // What an outside system or the sweep began: from here on its log lines belong together.
            let root = TraceContext::root(rand::random(), rand::random());
            message.headers.traceparent = Some(root.to_string());
        }
        let published = self.inner.publish(message).instrument(span.clone()).await;
        self.metrics.publish_took(started.elapsed());
        if let Err(error) = &published {
            spans::failed(&span, error);
        }
        published
    }

    fn ready(&self) -> bool {
        self.inner.ready()
    }
}
