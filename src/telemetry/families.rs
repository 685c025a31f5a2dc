//! The families of metrics: their names, their labels, their buckets and what each means.

use prometheus::{
    Gauge, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Result,
};

use super::register::Register;

/// From a local store's answer to the end of its time-out.
const STORE_SECONDS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 2.0];
const HTTP_SECONDS: [f64; 10] = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0];
/// A call over the internet; a gateway's may take a minute.
const CALL_SECONDS: [f64; 13] = [
    0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0,
];
/// From a payer who waits to an outage that lasts the night.
const PIPELINE_SECONDS: [f64; 15] = [
    0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0, 43200.0,
];

/// What happened how often.
pub(super) struct Counters {
    pub(super) accepted: IntCounterVec,
    pub(super) replayed: IntCounter,
    pub(super) refused: IntCounterVec,
    pub(super) outcomes: IntCounterVec,
    pub(super) moved: IntCounterVec,
    pub(super) declines: IntCounterVec,
    pub(super) confirmations: IntCounterVec,
    pub(super) retries: IntCounterVec,
    pub(super) dead_letters: IntCounterVec,
    pub(super) webhooks: IntCounterVec,
    pub(super) demands: IntCounterVec,
    pub(super) callers_refused: IntCounterVec,
    pub(super) jwks_fetches: IntCounterVec,
    pub(super) spans: IntCounterVec,
    pub(super) admin_refused: IntCounter,
}

/// How long it took.
pub(super) struct Times {
    pub(super) gateway_seconds: HistogramVec,
    pub(super) cleeng_seconds: HistogramVec,
    pub(super) accepted_to_confirmed_seconds: Histogram,
    pub(super) confirmation_age_seconds: HistogramVec,
    pub(super) waited_seconds: HistogramVec,
    pub(super) publish_seconds: Histogram,
    pub(super) http_seconds: HistogramVec,
}

/// How it stands.
pub(super) struct Gauges {
    pub(super) in_flight: IntGaugeVec,
    pub(super) in_doubt: IntGauge,
    pub(super) in_doubt_oldest_seconds: Gauge,
    pub(super) queue_depth: IntGaugeVec,
    pub(super) lane_paused: IntGaugeVec,
    pub(super) breaker_open: IntGaugeVec,
    pub(super) shedding: IntGaugeVec,
    pub(super) reconcile_disagreements: IntGaugeVec,
    pub(super) reconcile_records: IntGaugeVec,
    pub(super) reconcile_last_run_timestamp_seconds: IntGauge,
    pub(super) reconcile_last_run_seconds: Gauge,
    pub(super) customer_keys: IntGauge,
    pub(super) api_key_file_unusable: IntGauge,
    pub(super) max_waiting: IntGauge,
    pub(super) ready: IntGaugeVec,
}

impl Counters {
    pub(super) fn new(r: &Register<'_>) -> Result<Counters> {
        Ok(Counters {
            accepted: r.counters("accepted_total", &["gateway"], "Payments taken in")?,
            replayed: r.counter(
                "replayed_total",
                "Requests that repeated an earlier one under its idempotency key",
            )?,
            refused: r.counters(
                "refused_total",
                &["reason"],
                "Requests that were not taken in, by reason",
            )?,
            outcomes: r.counters(
                "outcomes_total",
                &["gateway", "outcome"],
                "Answers of a gateway, failed calls included",
            )?,
            moved: r.counters(
                "moved_total",
                &["gateway", "status"],
                "Payments that came into a status, each once for each",
            )?,
            declines: r.counters(
                "declines_total",
                &["gateway", "class"],
                "Payments that were declined, by who or what can help",
            )?,
            confirmations: r.counters(
                "confirmations_total",
                &["report", "result"],
                "Tries to tell Cleeng, by what became of them",
            )?,
            retries: r.counters(
                "retries_total",
                &["queue_kind"],
                "Messages sent to the delay ladder",
            )?,
            dead_letters: r.counters(
                "dead_letters_total",
                &["queue_kind", "reason"],
                "Messages given to the operator",
            )?,
            webhooks: r.counters(
                "webhooks_total",
                &["gateway", "result"],
                "Webhooks of a gateway, by what became of them",
            )?,
            demands: r.counters(
                "demands_total",
                &["kind", "result"],
                "Webhooks of Cleeng, by what they ask for, and a gateway's of what it bills itself; by what became of them",
            )?,
            callers_refused: r.counters(
                "callers_refused_total",
                &["reason"],
                "Callers that are not known, or asked for what is not theirs",
            )?,
            jwks_fetches: r.counters(
                "jwks_fetches_total",
                &["result"],
                "Fetches of the keys of customers' tokens",
            )?,
            spans: r.counters(
                "spans_total",
                &["result"],
                "Spans that were recorded, by what became of them",
            )?,
            admin_refused: r.counter(
                "admin_refused_total",
                "Requests to the console's API with a wrong token, or too many of them",
            )?,
        })
    }
}

impl Times {
    pub(super) fn new(r: &Register<'_>) -> Result<Times> {
        Ok(Times {
            gateway_seconds: r.histograms(
                "gateway_seconds",
                &["gateway", "stage"],
                &CALL_SECONDS,
                "How long a call to a gateway took",
            )?,
            cleeng_seconds: r.histograms(
                "cleeng_seconds",
                &["call"],
                &CALL_SECONDS,
                "How long a call to Cleeng took",
            )?,
            accepted_to_confirmed_seconds: r.histogram(
                "accepted_to_confirmed_seconds",
                &PIPELINE_SECONDS,
                "From taking a payment in until Cleeng had its outcome",
            )?,
            confirmation_age_seconds: r.histograms(
                "confirmation_age_seconds",
                &["result"],
                &PIPELINE_SECONDS,
                "How long Cleeng had been owed the news at each try to tell it, by what became of the try",
            )?,
            waited_seconds: r.histograms(
                "waited_seconds",
                &["queue_kind"],
                &PIPELINE_SECONDS,
                "From the writing of a message to its first taking",
            )?,
            publish_seconds: r.histogram(
                "publish_seconds",
                &STORE_SECONDS,
                "How long the broker took to confirm a message",
            )?,
            http_seconds: r.histograms(
                "http_seconds",
                &["route", "status"],
                &HTTP_SECONDS,
                "How long a request of the public API took",
            )?,
        })
    }
}

impl Gauges {
    pub(super) fn new(r: &Register<'_>) -> Result<Gauges> {
        Ok(Gauges {
            in_flight: r.gauges("in_flight", &["role"], "Requests or messages in hand")?,
            in_doubt: r.gauge(
                "in_doubt",
                "Payments of which it is not known whether money moved",
            )?,
            in_doubt_oldest_seconds: r.fraction(
                "in_doubt_oldest_seconds",
                "Age of the oldest payment in doubt, 0 when there is none",
            )?,
            queue_depth: r.gauges("queue_depth", &["queue"], "Messages ready in a queue")?,
            lane_paused: r.gauges(
                "lane_paused",
                &["queue"],
                "1 while a queue is not consumed: nothing on it can go on, or an operator has paused it",
            )?,
            breaker_open: r.gauges(
                "breaker_open",
                &["target"],
                "1 while a gateway, or Cleeng, does not answer and is only probed",
            )?,
            shedding: r.gauges(
                "shedding",
                &["gateway"],
                "1 while new payments are refused, since too many commands wait for the gateway",
            )?,
            reconcile_disagreements: r.gauges(
                "reconcile_disagreements",
                &["kind"],
                "In what gateway, ledger and Cleeng disagreed at the last reconciliation",
            )?,
            reconcile_records: r.gauges(
                "reconcile_records",
                &["evidence"],
                "Payments of the last reconciliation, by what Cleeng's reads could say of their records",
            )?,
            reconcile_last_run_timestamp_seconds: r.gauge(
                "reconcile_last_run_timestamp_seconds",
                "When the last reconciliation ended, in seconds since 1970; 0 before the first",
            )?,
            reconcile_last_run_seconds: r.fraction(
                "reconcile_last_run_seconds",
                "How long the last reconciliation took",
            )?,
            customer_keys: r.gauge(
                "customer_keys",
                "Keys by which customers' tokens are known; with none, no customer can call",
            )?,
            api_key_file_unusable: r.gauge(
                "api_key_file_unusable",
                "1 while the file of API keys cannot be used, so that the keys before it still serve",
            )?,
            max_waiting: r.gauge(
                "max_waiting",
                "How many commands may wait for a gateway until new payments are refused, 0 for no limit",
            )?,
            ready: r.gauges(
                "ready",
                &["check"],
                "1 while what the process needs can be used: the ledger, the broker",
            )?,
        })
    }
}
