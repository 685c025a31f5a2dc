//! A publisher that measures how long the broker takes to confirm.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;

use crate::broker::{Outgoing, Publish, PublishError};
use crate::telemetry::metrics::Metrics;

pub(super) struct Timed {
    pub(super) inner: Arc<dyn Publish>,
    pub(super) metrics: Arc<Metrics>,
}

#[async_trait]
impl Publish for Timed {
    async fn publish(&self, message: Outgoing) -> Result<(), PublishError> {
        let started = Instant::now();
        let published = self.inner.publish(message).await;
        self.metrics.publish_took(started.elapsed());
        published
    }

    fn ready(&self) -> bool {
        self.inner.ready()
    }
}
