//! A collector: takes OTLP over HTTP and remembers every span.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode as SpanStatus;
use prost::Message;

/// What the collector asks for, as `traces.headers` has it.
pub(super) const CREDENTIAL: &str = "authorization=Bearer canary-collector";

#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) trace: String,
    pub(super) span: String,
    pub(super) parent: String,
    pub(super) name: String,
    pub(super) kind: SpanKind,
    pub(super) failed: bool,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) resource: BTreeMap<String, String>,
}

impl Seen {
    pub(super) fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    /// Which process it is of.
    pub(super) fn instance(&self) -> &str {
        &self.resource["service.instance.id"]
    }
}

type Spans = Arc<Mutex<Vec<Seen>>>;

pub(super) struct Collector {
    pub(super) url: String,
    spans: Spans,
}

impl Collector {
    pub(super) async fn start() -> Collector {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let spans = Spans::default();
        let app = Router::new()
            .route("/v1/traces", post(take))
            .with_state(Arc::clone(&spans));
        #[expect(
            clippy::disallowed_methods,
            reason = "a server of the test's own, which ends with it"
        )]
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Collector { url, spans }
    }

    pub(super) fn all(&self) -> Vec<Seen> {
        self.spans.lock().unwrap().clone()
    }

    pub(super) fn trace(&self, id: &str) -> Vec<Seen> {
        let mut found = self.all();
        found.retain(|span| span.trace == id);
        found
    }
}

async fn take(State(spans): State<Spans>, headers: HeaderMap, body: Bytes) -> StatusCode {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    assert_eq!(headers["authorization"], "Bearer canary-collector");
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let mut spans = spans.lock().unwrap();
    for group in request.resource_spans {
        let resource = attributes(&group.resource.unwrap_or_else(Resource::default).attributes);
        for span in group.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            spans.push(Seen {
                trace: hex::encode(&span.trace_id),
                span: hex::encode(&span.span_id),
                parent: hex::encode(&span.parent_span_id),
                kind: span.kind(),
                failed: span
                    .status
                    .is_some_and(|status| status.code() == SpanStatus::Error),
                attributes: attributes(&span.attributes),
                name: span.name,
                resource: resource.clone(),
            });
        }
    }
    StatusCode::OK
}

fn attributes(pairs: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |pair: &KeyValue| match pair.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(flag)) => flag.to_string(),
        other => format!("{other:?}"),
    };
    pairs
        .iter()
        .map(|pair| (pair.key.clone(), text(pair)))
        .collect()
}
