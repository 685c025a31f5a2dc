//! The three roles of the executable: ingest takes in, worker charges, confirmer tells Cleeng.

pub(crate) mod breakers;
pub(crate) mod confirmer;
pub(crate) mod counted;
pub(crate) mod ingest;
pub(crate) mod worker;

use crate::broker::Delivery;
use crate::telemetry::trace::TraceContext;

/// The trace that the message is part of.
fn trace_of(delivery: &Delivery) -> Option<TraceContext> {
    delivery.headers.traceparent.as_deref()?.parse().ok()
}
