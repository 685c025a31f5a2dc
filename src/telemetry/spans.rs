//! The spans of a payment's way, for export. While nothing is exported none of them is made: a disabled span costs one look at a flag.
//!
//! Their attributes follow OpenTelemetry's semantic conventions where these have a name. None is a secret, a token or a person's.

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::field::{Empty, display};
use tracing::{Instrument, Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use uuid::Uuid;

use super::labels::{CleengCall, GatewayCall};
use super::trace::TraceContext;
use crate::config::Role;
use crate::domain::failure::CallError;
use crate::domain::ids::{GatewayName, PaymentId};
use crate::domain::queue::Queue;

/// Of spans that are only for export; the log's filter leaves it out.
pub(super) const EXPORTED: &str = "connector_span";
/// Of the spans of deliveries, which the log shows as well.
pub(super) const DELIVERIES: &str = "cleeng_connector::delivery";
/// Fields that say how a span is exported begin with this; a log line has no use for them.
const FOR_EXPORT: &str = "otel.";

/// Whether a span's field is only for export.
pub(super) fn is_for_export(field: &str) -> bool {
    field.starts_with(FOR_EXPORT)
}

/// A request to the public API, below the caller's span when it names one.
pub(crate) fn request(
    method: &str,
    route: &str,
    caller: impl FnOnce() -> Option<TraceContext>,
) -> Span {
    let span = info_span!(
        target: EXPORTED,
        "request",
        otel.name = %format_args!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
        payment.id = Empty,
    );
    if !span.is_disabled() {
        below(&span, caller());
    }
    span
}

/// The request was answered.
pub(crate) fn responded(span: &Span, status: u16) {
    span.record("http.response.status_code", status);
    if status >= 500 {
        span.record("otel.status_code", "ERROR");
    }
}

/// A message on its way into a queue.
pub(crate) fn publish(queue: &Queue, message_id: Uuid) -> Span {
    info_span!(
        target: EXPORTED,
        "publish",
        otel.name = %format_args!("publish {queue}"),
        otel.kind = "producer",
        otel.status_code = Empty,
        messaging.operation.name = "publish",
        messaging.operation.type = "send",
        messaging.destination.name = %queue,
        messaging.message.id = %message_id,
        error.message = Empty,
    )
}

/// What the span is about was not done.
pub(crate) fn failed(span: &Span, error: &dyn std::error::Error) {
    span.record("otel.status_code", "ERROR");
    span.record("error.message", display(error));
}

/// What a delivery is, for its span.
pub(crate) struct Taken<'a> {
    pub(crate) role: Role,
    pub(crate) queue: &'a Queue,
    pub(crate) trace: Option<TraceContext>,
    pub(crate) failures: u32,
    pub(crate) replayed: u32,
    pub(crate) redelivered: bool,
}

/// A delivery in hand. Log lines within it have its `trace.id`, and its `payment.id` once that is known.
pub(crate) fn delivery(taken: &Taken<'_>) -> Span {
    let Taken {
        queue,
        trace,
        failures,
        ..
    } = taken;
    macro_rules! span {
        ($name:literal) => {
            info_span!(
                target: DELIVERIES,
                $name,
                otel.name = %format_args!("process {queue}"),
                otel.kind = "consumer",
                otel.status_code = Empty,
                trace.id = trace.map(TraceContext::trace_id),
                payment.id = Empty,
                failures,
            )
        };
    }
    let span = match taken.role {
        Role::Ingest | Role::Worker => span!("command"),
        Role::Confirmer => span!("confirmation"),
    };
    if is_exporting() {
        below(&span, *trace);
        span.set_attribute("messaging.operation.name", "process");
        span.set_attribute("messaging.operation.type", "process");
        span.set_attribute("messaging.destination.name", queue.to_string());
        span.set_attribute("delivery.attempt", i64::from(*failures).saturating_add(1));
        span.set_attribute("delivery.replayed", i64::from(taken.replayed));
        span.set_attribute("delivery.redelivered", taken.redelivered);
    }
    span
}

/// What became of a delivery: `done`, or why it waits or lies with the operator.
pub(crate) fn settled(span: &Span, verdict: &'static str, error: Option<&str>) {
    if !is_exporting() {
        return;
    }
    span.set_attribute("delivery.verdict", verdict);
    if let Some(error) = error {
        span.record("otel.status_code", "ERROR");
        span.set_attribute("error.message", error.to_owned());
    }
}

/// The current span is about this payment.
pub(crate) fn about(payment: PaymentId) {
    Span::current().record("payment.id", display(payment));
}

/// A call to a gateway; `attempt` is the number of the payment's request there.
pub(crate) fn gateway(
    name: &GatewayName,
    call: GatewayCall,
    payment: Option<PaymentId>,
    attempt: Option<i64>,
) -> Span {
    info_span!(
        target: EXPORTED,
        "gateway",
        otel.name = %format_args!("{name} {}", call.label()),
        otel.kind = "client",
        otel.status_code = Empty,
        gateway = %name,
        operation = call.label(),
        payment.id = payment.map(display),
        attempt,
        answer = Empty,
    )
}

/// A call to Cleeng.
pub(crate) fn cleeng(call: CleengCall, payment: Option<PaymentId>) -> Span {
    info_span!(
        target: EXPORTED,
        "cleeng",
        otel.name = %format_args!("cleeng {}", call.label()),
        otel.kind = "client",
        otel.status_code = Empty,
        operation = call.label(),
        payment.id = payment.map(display),
        answer = Empty,
    )
}

/// A write of the ledger.
pub(crate) fn ledger(operation: &'static str, payment: PaymentId) -> Span {
    info_span!(
        target: EXPORTED,
        "ledger",
        otel.name = %format_args!("ledger {operation}"),
        otel.kind = "client",
        operation,
        payment.id = %payment,
    )
}

/// Makes the call within its span, which gets the class of the answer: `class` names a good one.
///
/// # Errors
/// The call's own.
pub(crate) async fn call<T>(
    span: Span,
    class: impl FnOnce(&T) -> &'static str,
    work: impl Future<Output = Result<T, CallError>>,
) -> Result<T, CallError> {
    let answer = work.instrument(span.clone()).await;
    match &answer {
        Ok(found) => span.record("answer", class(found)),
        Err(error) => span
            .record("answer", error.label())
            .record("otel.status_code", "ERROR"),
    };
    answer
}

/// The place in its trace of what follows from a span; nothing while nothing is exported.
pub(crate) fn within(span: &Span) -> Option<TraceContext> {
    if span.is_disabled() || !is_exporting() {
        return None;
    }
    let context = span.context();
    let span = context.span();
    let found = span.span_context();
    found.is_valid().then(|| {
        let trace_id = u128::from_be_bytes(found.trace_id().to_bytes());
        let span_id = u64::from_be_bytes(found.span_id().to_bytes());
        TraceContext::new(trace_id, span_id, found.is_sampled())
    })
}

/// A cached look at whether anybody takes spans.
fn is_exporting() -> bool {
    tracing::enabled!(target: EXPORTED, tracing::Level::INFO)
}

fn below(span: &Span, parent: Option<TraceContext>) {
    let Some(parent) = parent.filter(|_| !span.is_disabled() && is_exporting()) else {
        return;
    };
    let flags = match parent.is_sampled() {
        true => TraceFlags::SAMPLED,
        false => TraceFlags::default(),
    };
    let remote = SpanContext::new(
        TraceId::from_bytes(parent.trace().to_be_bytes()),
        SpanId::from_bytes(parent.span().to_be_bytes()),
        flags,
        true,
        TraceState::default(),
    );
    let context = opentelemetry::Context::new().with_remote_span_context(remote);
    // It fails for a span that is under way already, and this one has just been made.
    if let Err(error) = span.set_parent(context) {
        tracing::debug!(%error, "a span without its parent");
    }
}
