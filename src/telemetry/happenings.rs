//! What happens, counted and logged in one function each, so that log and metric cannot part. Ids come from the caller's span.

use std::time::Duration;

use prometheus::IntGauge;

use super::labels::{
    CleengCall, DemandKind, DemandResult, GatewayCall, Refusal, Reported, Route, StatusClass,
    WebhookResult,
};
use super::metrics::Metrics;
use super::trace::TraceContext;
use crate::config::Role;
use crate::domain::confirmation::Report;
use crate::domain::dead::DeadReason;
use crate::domain::failure::CallError;
use crate::domain::ids::{DemandId, GatewayName, OrderId, PaymentId};
use crate::domain::outcome::Outcome;
use crate::domain::queue::Queue;

impl Metrics {
    pub(crate) fn accepted(
        &self,
        gateway: &GatewayName,
        payment: PaymentId,
        order: OrderId,
        trace: TraceContext,
    ) {
        self.counters
            .accepted
            .with_label_values(&[gateway.as_str()])
            .inc();
        tracing::info!(trace.id = trace.trace_id(), payment.id = %payment, order.id = %order, %gateway, "payment accepted");
    }

    pub(crate) fn replayed(&self, payment: PaymentId, trace: TraceContext) {
        self.counters.replayed.inc();
        tracing::info!(trace.id = trace.trace_id(), payment.id = %payment, "request repeated");
    }

    pub(crate) fn refused(&self, reason: Refusal) {
        let reason_label = reason.label();
        self.counters
            .refused
            .with_label_values(&[reason_label])
            .inc();
        match reason {
            Refusal::Busy | Refusal::Unavailable => {
                tracing::warn!(reason = reason_label, "request refused");
            }
            // Thousands a second may be: their beginning and their end are told instead.
            Refusal::Overloaded | Refusal::RateLimited => {
                tracing::debug!(reason = reason_label, "request refused");
            }
            Refusal::Unauthenticated
            | Refusal::Malformed
            | Refusal::Invalid
            | Refusal::CardData
            | Refusal::TooLong
            | Refusal::KeyReused
            | Refusal::KeyInFlight
            | Refusal::OrderTaken
            | Refusal::NothingAwaited
            | Refusal::NotFound => tracing::info!(reason = reason_label, "request refused"),
        }
    }

    /// What a gateway said, or why it could not be asked.
    pub(crate) fn outcome(&self, gateway: &GatewayName, answer: &Result<Outcome, CallError>) {
        let outcome = match answer {
            Ok(outcome) => outcome.label(),
            Err(error) => error.label(),
        };
        self.counters
            .outcomes
            .with_label_values(&[gateway.as_str(), outcome])
            .inc();
        match answer {
            // What comes of it is the payment's next state, and that is a line of its own.
            Ok(_) => tracing::debug!(%gateway, outcome, "gateway answered"),
            Err(error @ (CallError::NotDone { .. } | CallError::Unknown { .. })) => {
                tracing::warn!(%gateway, outcome, %error, "gateway call failed");
            }
            Err(error @ (CallError::Refused { .. } | CallError::Broken { .. })) => {
                tracing::error!(%gateway, outcome, %error, "gateway refused the call");
            }
        }
    }

    /// What became of one try to tell Cleeng.
    pub(crate) fn reported(&self, report: Report, result: Reported) {
        let (report, result_label) = (report.label(), result.label());
        self.counters
            .confirmations
            .with_label_values(&[report, result_label])
            .inc();
        match result {
            Reported::Delivered | Reported::AlreadyRecorded => {
                tracing::info!(report, result = result_label, "payment reported to Cleeng");
            }
            Reported::NotDone | Reported::Unknown => {
                tracing::warn!(report, result = result_label, "report to Cleeng failed");
            }
            Reported::Refused | Reported::Broken => {
                tracing::error!(report, result = result_label, "Cleeng refused the report");
            }
        }
    }

    /// From taking the payment in until Cleeng had its outcome.
    pub(crate) fn confirmed_after(&self, span: Duration) {
        self.times
            .accepted_to_confirmed_seconds
            .observe(span.as_secs_f64());
    }

    pub(crate) fn retried(&self, queue: &Queue, wait: Duration, error: &str) {
        self.counters
            .retries
            .with_label_values(&[queue.kind()])
            .inc();
        tracing::info!(%queue, wait_seconds = wait.as_secs_f64(), error, "message delayed");
    }

    pub(crate) fn dead_lettered(&self, queue: &Queue, reason: DeadReason, error: &str) {
        let reason = reason.label();
        self.counters
            .dead_letters
            .with_label_values(&[queue.kind(), reason])
            .inc();
        tracing::error!(%queue, reason, error, "message given to the operator");
    }

    pub(crate) fn webhook(&self, gateway: &GatewayName, result: WebhookResult) {
        let label = result.label();
        self.counters
            .webhooks
            .with_label_values(&[gateway.as_str(), label])
            .inc();
        match result {
            WebhookResult::Taken | WebhookResult::NotOurs => {
                tracing::info!(%gateway, result = label, "webhook taken");
            }
            WebhookResult::NoSignature
            | WebhookResult::WrongSignature
            | WebhookResult::OutOfTime
            | WebhookResult::Unreadable
            | WebhookResult::WrongMode
            | WebhookResult::Unavailable => {
                tracing::warn!(%gateway, result = label, "webhook not taken");
            }
        }
    }

    /// A webhook of Cleeng's. `detail` names a field or a topic, never a value of the payload.
    pub(crate) fn demand(
        &self,
        kind: DemandKind,
        result: DemandResult,
        id: Option<DemandId>,
        detail: Option<&str>,
    ) {
        let (kind, label) = (kind.label(), result.label());
        self.counters
            .demands
            .with_label_values(&[kind, label])
            .inc();
        let demand = id.map(tracing::field::display);
        match result {
            DemandResult::Taken | DemandResult::Repeated => {
                tracing::info!(demand.id = demand, kind, result = label, "demand taken");
            }
            // A setting that names a wrong payment method would swallow all of them.
            DemandResult::OtherTopic | DemandResult::Foreign => {
                tracing::warn!(
                    demand.id = demand,
                    kind,
                    result = label,
                    detail,
                    "demand kept"
                );
            }
            DemandResult::RefundRepeated | DemandResult::Incomplete | DemandResult::NoGateway => {
                tracing::error!(
                    demand.id = demand,
                    kind,
                    result = label,
                    detail,
                    "demand not done by itself"
                );
            }
            DemandResult::NoSignature
            | DemandResult::WrongSignature
            | DemandResult::Unreadable
            | DemandResult::OtherPublisher
            | DemandResult::SwitchedOff
            | DemandResult::Unavailable => {
                tracing::warn!(demand.id = demand, kind, result = label, "demand not taken");
            }
        }
    }

    pub(crate) fn gateway_took(&self, gateway: &GatewayName, call: GatewayCall, span: Duration) {
        self.times
            .gateway_seconds
            .with_label_values(&[gateway.as_str(), call.label()])
            .observe(span.as_secs_f64());
    }

    pub(crate) fn cleeng_took(&self, call: CleengCall, span: Duration) {
        self.times
            .cleeng_seconds
            .with_label_values(&[call.label()])
            .observe(span.as_secs_f64());
    }

    pub(crate) fn publish_took(&self, span: Duration) {
        self.times.publish_seconds.observe(span.as_secs_f64());
    }

    pub(crate) fn http_took(&self, route: Route, status: u16, span: Duration) {
        self.times
            .http_seconds
            .with_label_values(&[route.label(), StatusClass::of(status).label()])
            .observe(span.as_secs_f64());
    }

    /// One more in hand, until the guard is dropped, also by a panic.
    pub(crate) fn in_flight(&self, role: Role) -> InFlight {
        let gauge = self.gauges.in_flight.with_label_values(&[role.label()]);
        gauge.inc();
        InFlight(gauge)
    }
}

/// Counts one thing in hand.
#[must_use = "it counts until it is dropped"]
pub(crate) struct InFlight(IntGauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Makes everything happen once.
#[cfg(test)]
pub(super) fn touch_all(metrics: &Metrics, gateway: &GatewayName) {
    use crate::domain::queue::Lane;
    use uuid::Uuid;
    let span = Duration::from_millis(5);
    let (payment, trace) = (PaymentId(Uuid::from_u128(1)), TraceContext::root(1, 1));
    metrics.accepted(gateway, payment, OrderId(1), trace);
    metrics.replayed(payment, trace);
    metrics.spans(super::labels::SpanResult::Exported, 1);
    metrics.refused(Refusal::Invalid);
    let answer = Err(CallError::Broken {
        code: "401".to_owned(),
    });
    metrics.outcome(gateway, &answer);
    metrics.reported(Report::Captured, Reported::Delivered);
    metrics.confirmed_after(span);
    metrics.retried(
        &Queue::Commands {
            gateway: gateway.clone(),
            lane: Lane::Checkout,
        },
        span,
        "connect",
    );
    metrics.dead_lettered(
        &Queue::Commands {
            gateway: gateway.clone(),
            lane: Lane::Billing,
        },
        DeadReason::TooOld,
        "connect",
    );
    metrics.webhook(gateway, WebhookResult::Taken);
    metrics.demand(DemandKind::Refund, DemandResult::Taken, None, None);
    metrics.lane_paused(&Queue::GatewayEvents, "401");
    metrics.lane_resumed(&Queue::Confirmations);
    metrics.breaker_opened(gateway.as_str());
    metrics.shedding_unused(gateway);
    metrics.levels_unused();
    metrics.gateway_took(gateway, GatewayCall::LookUp, span);
    metrics.cleeng_took(CleengCall::Order, span);
    metrics.publish_took(span);
    metrics.http_took(Route::Pay, 202, span);
    metrics.doubts(0, None);
    metrics.depth(&Queue::Dead, 0);
    metrics.reconciled_unused();
    drop(metrics.in_flight(Role::Worker));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_hand_is_counted_until_it_is_dropped() {
        let metrics = Metrics::new([]).unwrap();
        let (one, two) = (
            metrics.in_flight(Role::Ingest),
            metrics.in_flight(Role::Ingest),
        );
        drop(one);
        assert!(
            metrics
                .encode()
                .unwrap()
                .contains("connector_in_flight{role=\"ingest\"} 1")
        );
        drop(two);
        assert!(
            metrics
                .encode()
                .unwrap()
                .contains("connector_in_flight{role=\"ingest\"} 0")
        );
    }

    #[test]
    fn an_answer_is_counted_by_its_outcome_or_by_the_class_of_its_failure() {
        let gateway: GatewayName = "stripe".parse().unwrap();
        let metrics = Metrics::new([&gateway]).unwrap();
        touch_all(&metrics, &gateway);
        let text = metrics.encode().unwrap();
        assert!(
            text.contains("connector_outcomes_total{gateway=\"stripe\",outcome=\"broken\"} 1"),
            "{text}"
        );
        assert!(
            text.contains("connector_http_seconds_count{route=\"pay\",status=\"2xx\"} 1"),
            "{text}"
        );
    }
}
