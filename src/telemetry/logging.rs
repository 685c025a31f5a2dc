//! Starts the log: one JSON object a line, or text for a terminal. It goes to stderr: stdout is for what a command answers.

use std::fmt::Debug;
use std::io::IsTerminal;

use opentelemetry_sdk::trace::SdkTracer;
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{FormatFields, Writer};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Registry, fmt};

use super::export::{self, BadExport, Export};
use super::json::{JsonFields, JsonLine};
use super::spans;
use crate::config::{LogConfig, LogFormat, TracesConfig};

/// Why the log could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoggingError {
    #[error("log.level is not a filter")]
    Filter(#[source] ParseError),
    #[error("traces.endpoint: spans cannot be exported")]
    Export(#[source] BadExport),
    #[error("the log has been started already")]
    Twice(#[source] TryInitError),
}

/// Starts the log of this process, once; with `traces` and a collector in them also the recording of spans, and what is returned then
/// has to be run.
///
/// # Errors
/// A filter that cannot be read, an exporter that cannot be built, or a second start: all are faults of the caller.
pub(crate) fn init(
    config: &LogConfig,
    traces: Option<&TracesConfig>,
) -> Result<Option<Export>, LoggingError> {
    let started = traces.map(export::start).transpose();
    let (tracer, export) = started.map_err(LoggingError::Export)?.flatten().unzip();
    subscriber(
        config,
        std::io::stderr,
        std::io::stderr().is_terminal(),
        tracer,
    )?
    .try_init()
    .map_err(LoggingError::Twice)?;
    Ok(export)
}

/// The subscriber that writes to `writer`, and gives spans to `tracer`. Without one the log's filter is the only one, and no span is
/// made that the log does not show.
fn subscriber<W>(
    config: &LogConfig,
    writer: W,
    colours: bool,
    tracer: Option<SdkTracer>,
) -> Result<Box<dyn Subscriber + Send + Sync>, LoggingError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    // What lapin calls an error (a channel that ends) is what we expect and tell ourselves; a directive for it still counts.
    let directives = format!("lapin=off,{}=off,{}", spans::EXPORTED, config.level);
    let filter = EnvFilter::try_new(directives).map_err(LoggingError::Filter)?;
    Ok(match tracer {
        None => {
            let layers = Registry::default().with(filter);
            Box::new(layers.with(lines(config, writer, colours)))
        }
        Some(tracer) => {
            let recorded = Targets::new()
                .with_target(spans::EXPORTED, LevelFilter::INFO)
                .with_target(spans::DELIVERIES, LevelFilter::INFO);
            let spans = tracing_opentelemetry::layer()
                .with_tracer(tracer)
                .with_location(false)
                .with_threads(false)
                .with_target(false)
                .with_level(false)
                .with_tracked_inactivity(false);
            let layers = Registry::default()
                .with(lines(config, writer, colours).with_filter(filter))
                .with(spans.with_filter(recorded));
            Box::new(layers)
        }
    })
}

/// What writes the lines.
fn lines<S, W>(config: &LogConfig, writer: W, colours: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = fmt::layer().with_writer(writer);
    match config.format {
        LogFormat::Json => lines.fmt_fields(JsonFields).event_format(JsonLine).boxed(),
        LogFormat::Pretty => lines
            .with_ansi(colours)
            .compact()
            .fmt_fields(PrettyFields)
            .boxed(),
    }
}

/// Fields for a person: `name=value`, without what only the export needs.
struct PrettyFields;

impl<'w> FormatFields<'w> for PrettyFields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, recorded: R) -> std::fmt::Result {
        let mut fields = Pretty {
            writer,
            gap: "",
            written: Ok(()),
        };
        recorded.record(&mut fields);
        fields.written
    }
}

struct Pretty<'w> {
    writer: Writer<'w>,
    gap: &'static str,
    written: std::fmt::Result,
}

impl Visit for Pretty<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let gap = std::mem::replace(&mut self.gap, " ");
        self.written = self.written.and(match field.name() {
            "message" => write!(self.writer, "{gap}{value:?}"),
            name if spans::is_for_export(name) || name.starts_with("log.") => {
                self.gap = gap;
                Ok(())
            }
            name => write!(self.writer, "{gap}{name}={value:?}"),
        });
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(level: &str, format: LogFormat) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        let config = LogConfig {
            level: level.to_owned(),
            format,
        };
        let subscriber = subscriber(&config, move || writer.clone(), false, None).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!("delivery", payment.id = 7);
            span.in_scope(|| tracing::info!(order.id = 5, "payment reported"));
            tracing::debug!("not at this level");
        });
        String::from_utf8(kept.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_json_line_has_the_event_and_its_span() {
        let text = logged("info", LogFormat::Json);
        let line: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["message"], "payment reported");
        assert_eq!(line["order.id"], 5);
        assert_eq!(line["span"]["payment.id"], 7);
    }

    #[test]
    fn a_line_for_a_terminal_is_one_line_without_escapes_when_it_is_none() {
        let text = logged("info", LogFormat::Pretty);
        assert_eq!(text.lines().count(), 1);
        assert!(
            text.contains("payment reported") && !text.contains('\u{1b}'),
            "{text:?}"
        );
    }

    #[test]
    fn without_a_collector_no_span_is_made_that_the_log_does_not_show() {
        use crate::config::Role;
        use crate::domain::queue::Queue;
        let config = LogConfig {
            level: "trace".to_owned(),
            format: LogFormat::Json,
        };
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber = subscriber(&config, move || writer.clone(), false, None).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            let publish = spans::publish(&Queue::Confirmations, uuid::Uuid::nil());
            assert!(publish.is_disabled());
            assert!(spans::within(&publish).is_none());
            assert!(
                spans::ledger("commit", crate::domain::ids::PaymentId(uuid::Uuid::nil()))
                    .is_disabled()
            );
            let delivery = spans::delivery(&spans::Taken {
                role: Role::Confirmer,
                queue: &Queue::Confirmations,
                trace: Some(crate::telemetry::trace::TraceContext::root(1, 2)),
                failures: 3,
                replayed: 0,
                redelivered: false,
            });
            let _entered = delivery.enter();
            spans::about(crate::domain::ids::PaymentId(uuid::Uuid::nil()));
            tracing::info!("one line");
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        let line: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
        let expected = serde_json::json!({
            "name": "confirmation", "trace.id": format!("{:032x}", 1), "failures": 3,
            "payment.id": uuid::Uuid::nil().to_string(),
        });
        assert_eq!(line["span"], expected);
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_an_error() {
        let config = LogConfig {
            level: "info,=x=".to_owned(),
            format: LogFormat::Json,
        };
        assert!(matches!(
            subscriber(&config, io::sink, false, None),
            Err(LoggingError::Filter(_))
        ));
    }
}
