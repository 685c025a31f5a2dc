//! Spans on their way to a collector (OTLP over HTTP). They wait in a bounded queue that never makes anybody wait: what finds it full
//! is dropped and counted, and so is what the collector does not take.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, RetryPolicy, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    Sampler, SdkTracer, SdkTracerProvider, Span, SpanData, SpanExporter as _, SpanProcessor,
};
use secrecy::ExposeSecret;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::chain::error_chain;
use super::labels::SpanResult;
use super::metrics::Metrics;
use crate::config::TracesConfig;

/// Spans that may wait: a second at 400 payments a second, in a few MiB.
const QUEUE: usize = 4096;
/// Spans of one request to the collector, and how long the first of them waits for the others.
const BATCH: usize = 512;
const LINGER: Duration = Duration::from_secs(1);
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long what is left may take at the end, when everything else has stopped.
const FLUSH: Duration = Duration::from_secs(2);
/// Losses are told no more often than this.
const TELL_EVERY: Duration = Duration::from_secs(60);
const PATH: &str = "v1/traces";

/// Why nothing can be exported with this configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadExport {
    #[error("the HTTP client cannot be built")]
    Client(#[source] crate::http::BadClient),
    #[error("the exporter was refused")]
    Exporter(#[source] opentelemetry_otlp::ExporterBuildError),
}

/// The end of the queue that a task empties.
pub(crate) struct Export {
    exporter: SpanExporter,
    spans: mpsc::Receiver<SpanData>,
    dropped: Arc<AtomicU64>,
    /// Taken from the queue, and to be sent with the next request.
    batch: Vec<SpanData>,
    /// Spans that the exporter has.
    in_hand: u64,
    told: Option<Instant>,
    untold: u64,
}

/// What makes spans of the process's own, and the other end of their queue. Nothing when no collector is configured.
///
/// # Errors
/// A client or an exporter that cannot be built.
pub(super) fn start(config: &TracesConfig) -> Result<Option<(SdkTracer, Export)>, BadExport> {
    let Some(endpoint) = &config.endpoint else {
        return Ok(None);
    };
    let client = crate::http::client().map_err(BadExport::Client)?;
    let headers = config.headers.iter();
    let headers = headers.map(|(name, value)| (name.clone(), value.expose_secret().to_owned()));
    let mut exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Client(client))
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(crate::http::join(endpoint, &format!("/{PATH}")).to_string())
        .with_headers(headers.collect())
        .with_timeout(EXPORT_TIMEOUT)
        // Its pauses between two tries would stop a thread that payments need.
        .with_retry_policy(RetryPolicy::disabled())
        .build()
        .map_err(BadExport::Exporter)?;
    let resource = resource(config);
    exporter.set_resource(&resource);
    let (to_task, spans) = mpsc::channel(QUEUE);
    let dropped = Arc::new(AtomicU64::new(0));
    let queue = Queue {
        to_task,
        dropped: Arc::clone(&dropped),
    };
    let sampler = Sampler::TraceIdRatioBased(config.sample_ratio);
    let provider = SdkTracerProvider::builder()
        .with_span_processor(queue)
        .with_sampler(Sampler::ParentBased(Box::new(sampler)))
        .with_resource(resource)
        .build();
    let export = Export {
        exporter,
        spans,
        dropped,
        batch: Vec::with_capacity(BATCH),
        in_hand: 0,
        told: None,
        untold: 0,
    };
    Ok(Some((provider.tracer("cleeng-connector"), export)))
}

/// Names by OpenTelemetry's conventions; the instance is this process.
fn resource(config: &TracesConfig) -> Resource {
    let attributes = config.attributes.iter();
    let attributes = attributes.map(|(name, value)| KeyValue::new(name.clone(), value.clone()));
    Resource::builder_empty()
        .with_service_name(config.service_name.clone())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new(
            "service.instance.id",
            uuid::Uuid::new_v4().to_string(),
        ))
        .with_attributes(attributes)
        .build()
}

impl Export {
    /// Exports until `over` (nothing makes spans any more), then what is left; ends soon after that, and before `grace` after `stop`
    /// is over, whatever the collector does.
    pub(crate) async fn run(
        mut self,
        metrics: &Metrics,
        over: CancellationToken,
        stop: CancellationToken,
        grace: Duration,
    ) {
        let late = async {
            tokio::join!(stop.cancelled(), over.cancelled());
            sleep(FLUSH).await;
        };
        let much_too_late = async {
            stop.cancelled().await;
            sleep(grace.mul_f64(0.9)).await;
        };
        tokio::select! {
            () = self.pump(metrics, &over) => {}
            () = late => {}
            () = much_too_late => {}
        }
        let waiting = self.spans.len().saturating_add(self.batch.len());
        let waiting: u64 = waiting.try_into().unwrap_or(u64::MAX);
        let left = waiting.saturating_add(self.in_hand);
        self.lost(metrics, SpanResult::Failed, left, "the process stops");
        if self.untold > 0 {
            self.tell("the process stops");
        }
    }

    async fn pump(&mut self, metrics: &Metrics, over: &CancellationToken) {
        while !over.is_cancelled() {
            let filled = async {
                while self.batch.len() < BATCH {
                    let room = BATCH.saturating_sub(self.batch.len());
                    self.spans.recv_many(&mut self.batch, room).await;
                }
            };
            tokio::select! {
                _ = timeout(LINGER, filled) => {}
                () = over.cancelled() => {}
            }
            self.send(metrics).await;
        }
        while let Ok(span) = self.spans.try_recv() {
            self.batch.push(span);
            if self.batch.len() == BATCH {
                self.send(metrics).await;
            }
        }
        self.send(metrics).await;
    }

    async fn send(&mut self, metrics: &Metrics) {
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        self.lost(
            metrics,
            SpanResult::QueueFull,
            dropped,
            "the queue was full",
        );
        let count = self.batch.len().try_into().unwrap_or(u64::MAX);
        if count == 0 {
            return;
        }
        let spans = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
        self.in_hand = count;
        let exported = self.exporter.export(spans).await;
        self.in_hand = 0;
        match exported {
            Ok(()) => metrics.spans(SpanResult::Exported, count),
            Err(error) => self.lost(metrics, SpanResult::Failed, count, &error_chain(&error)),
        }
    }

    fn lost(&mut self, metrics: &Metrics, result: SpanResult, count: u64, why: &str) {
        if count == 0 {
            return;
        }
        metrics.spans(result, count);
        self.untold = self.untold.saturating_add(count);
        if self.told.is_none_or(|at| at.elapsed() >= TELL_EVERY) {
            self.tell(why);
        }
    }

    fn tell(&mut self, why: &str) {
        tracing::warn!(
            spans = self.untold,
            error = why,
            "spans were not exported; payments are not touched by it"
        );
        self.told = Some(Instant::now());
        self.untold = 0;
    }
}

impl Metrics {
    /// Spans, by what became of them. Losses are told now and then where they are found.
    pub(crate) fn spans(&self, result: SpanResult, count: u64) {
        self.counters
            .spans
            .with_label_values(&[result.label()])
            .inc_by(count);
    }
}

/// The way into the queue, at the end of each span that is recorded.
struct Queue {
    to_task: mpsc::Sender<SpanData>,
    dropped: Arc<AtomicU64>,
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queue")
    }
}

impl SpanProcessor for Queue {
    fn on_start(&self, _: &mut Span, _: &opentelemetry::Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() && self.to_task.try_send(span).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Our own client: its limits, and the authorities that the system trusts.
#[derive(Debug, Clone)]
struct Client(reqwest::Client);

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let mut request: reqwest::Request = request.try_into()?;
        *request.timeout_mut() = Some(EXPORT_TIMEOUT);
        let request = reqwest::RequestBuilder::from_parts(self.0.clone(), request);
        match crate::http::send(request, EXPORT_TIMEOUT).await {
            crate::http::Sent::Answered(answer) => {
                let response = Response::builder().status(answer.status);
                Ok(response.body(answer.body.into())?)
            }
            crate::http::Sent::Failed(cause) => Err(cause.to_string().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(endpoint: Option<&str>) -> TracesConfig {
        TracesConfig {
            endpoint: endpoint.map(|url| url.parse().unwrap()),
            headers: Vec::new(),
            service_name: "test".to_owned(),
            attributes: Vec::new(),
            sample_ratio: 1.0,
        }
    }

    #[test]
    fn without_a_collector_nothing_is_set_up() {
        assert!(start(&config(None)).unwrap().is_none());
    }

    #[tokio::test]
    async fn what_finds_the_queue_full_is_dropped_and_counted() {
        use opentelemetry::trace::Tracer;
        let metrics = Metrics::new([]).unwrap();
        let (tracer, export) = start(&config(Some("http://127.0.0.1:1"))).unwrap().unwrap();
        for _ in 0..QUEUE + 7 {
            tracer.start("one");
        }
        assert_eq!(export.dropped.load(Ordering::Relaxed), 7);
        let now = CancellationToken::new();
        now.cancel();
        export
            .run(&metrics, now.clone(), now, Duration::from_secs(25))
            .await;
        let text = metrics.encode().unwrap();
        assert!(
            text.contains("connector_spans_total{result=\"queue_full\"} 7"),
            "{text}"
        );
        assert!(
            text.contains("connector_spans_total{result=\"failed\"} 4096"),
            "{text}"
        );
    }
}
