//! Starts the log: one JSON object a line, or text for a terminal. It goes to stderr: stdout is for what a command answers.

use std::io::IsTerminal;

use tracing::Subscriber;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{LogConfig, LogFormat};

/// Why the log could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoggingError {
    #[error("log.level is not a filter")]
    Filter(#[source] ParseError),
    #[error("the log has been started already")]
    Twice(#[source] TryInitError),
}

/// Starts the log of this process, once.
///
/// # Errors
/// A filter that cannot be read, or a second start: both are faults of the caller.
pub(crate) fn init(config: &LogConfig) -> Result<(), LoggingError> {
    subscriber(config, std::io::stderr, std::io::stderr().is_terminal())?
        .try_init()
        .map_err(LoggingError::Twice)
}

/// The subscriber that writes to `writer`.
fn subscriber<W>(
    config: &LogConfig,
    writer: W,
    colours: bool,
) -> Result<Box<dyn Subscriber + Send + Sync>, LoggingError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    // What lapin calls an error (a channel that ends) is what we expect and tell ourselves; a directive for it still counts.
    let directives = format!("lapin=off,{}", config.level);
    let filter = EnvFilter::try_new(directives).map_err(LoggingError::Filter)?;
    let shared = fmt().with_env_filter(filter).with_writer(writer);
    Ok(match config.format {
        LogFormat::Json => Box::new(
            shared
                .json()
                .flatten_event(true)
                .with_current_span(true)
                .with_span_list(false)
                .finish(),
        ),
        LogFormat::Pretty => Box::new(shared.with_ansi(colours).compact().finish()),
    })
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
        let subscriber = subscriber(&config, move || writer.clone(), false).unwrap();
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
    fn a_filter_that_cannot_be_read_is_an_error() {
        let config = LogConfig {
            level: "info,=x=".to_owned(),
            format: LogFormat::Json,
        };
        assert!(matches!(
            subscriber(&config, io::sink, false),
            Err(LoggingError::Filter(_))
        ));
    }
}
