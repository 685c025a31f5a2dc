//! Log lines as JSON, written straight into the line: a span's fields are formatted once, when it begins, and copied from there.

use std::fmt::{self, Debug, Write};

use tracing::field::{Field, Visit};
use tracing::span::Record;
use tracing::{Event, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use super::spans;

/// Where the events of libraries that use `log` come in; what they really are is in fields of this beginning.
const LOG_TARGET: &str = "log.target";
const LOG_FIELDS: &str = "log.";

/// One event as one JSON object: `timestamp`, `level`, the event's fields, `target`, and the span that it is in.
pub(super) struct JsonLine;

/// A span's fields as `,"key":value`, so that more of them can be put behind.
pub(super) struct JsonFields;

impl<S> FormatEvent<S, JsonFields> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        writer.write_str("{\"timestamp\":\"")?;
        SystemTime.format_time(&mut writer)?;
        write!(writer, "\",\"level\":\"{}\"", event.metadata().level())?;
        let mut fields = Fields::to(&mut writer);
        event.record(&mut fields);
        let bridged = fields.finish()?;
        writer.write_str(",\"target\":")?;
        text(
            &mut writer,
            bridged.as_deref().unwrap_or(event.metadata().target()),
        )?;
        let span = event.parent().and_then(|id| context.span(id));
        if let Some(span) = span.or_else(|| context.lookup_current()) {
            writer.write_str(",\"span\":{\"name\":")?;
            text(&mut writer, span.name())?;
            if let Some(fields) = span.extensions().get::<FormattedFields<JsonFields>>() {
                writer.write_str(fields)?;
            }
            writer.write_char('}')?;
        }
        writer.write_str("}\n")
    }
}

impl<'w> FormatFields<'w> for JsonFields {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'w>, recorded: R) -> fmt::Result {
        let mut fields = Fields::to(&mut writer);
        recorded.record(&mut fields);
        fields.finish().map(drop)
    }

    fn add_fields(
        &self,
        current: &'w mut FormattedFields<Self>,
        fields: &Record<'_>,
    ) -> fmt::Result {
        self.format_fields(current.as_writer(), fields)
    }
}

/// Writes each field that it is shown.
struct Fields<'a, 'w> {
    writer: &'a mut Writer<'w>,
    /// The target of an event that came by way of `log`.
    bridged: Option<String>,
    written: fmt::Result,
}

impl<'a, 'w> Fields<'a, 'w> {
    fn to(writer: &'a mut Writer<'w>) -> Fields<'a, 'w> {
        Fields {
            writer,
            bridged: None,
            written: Ok(()),
        }
    }

    fn finish(self) -> Result<Option<String>, fmt::Error> {
        self.written.map(|()| self.bridged)
    }

    /// A value that is JSON as it is.
    fn bare(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        self.field(field, |writer| writer.write_fmt(value));
    }

    fn field(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'w>) -> fmt::Result) {
        let name = field.name();
        if self.written.is_err() || spans::is_for_export(name) || name.starts_with(LOG_FIELDS) {
            return;
        }
        self.written = self
            .writer
            .write_char(',')
            .and_then(|()| text(self.writer, name.trim_start_matches("r#")))
            .and_then(|()| self.writer.write_char(':'))
            .and_then(|()| value(self.writer));
    }
}

impl Visit for Fields<'_, '_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.field(field, |writer| {
            writer.write_char('"')?;
            write!(Escaped(writer), "{value:?}")?;
            writer.write_char('"')
        });
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == LOG_TARGET {
            self.bridged = Some(value.to_owned());
        }
        self.field(field, |writer| text(writer, value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        match value.is_finite() {
            true => self.bare(field, format_args!("{value}")),
            false => self.bare(field, format_args!("null")),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.bare(field, format_args!("{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.bare(field, format_args!("{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.bare(field, format_args!("{value}"));
    }
}

fn text(writer: &mut Writer<'_>, value: &str) -> fmt::Result {
    writer.write_char('"')?;
    Escaped(writer).write_str(value)?;
    writer.write_char('"')
}

/// The inside of a JSON string (RFC 8259, section 7).
struct Escaped<'a, 'w>(&'a mut Writer<'w>);

impl Write for Escaped<'_, '_> {
    fn write_str(&mut self, value: &str) -> fmt::Result {
        let mut plain_from = 0;
        for (at, byte) in value.bytes().enumerate() {
            if byte >= 0x20 && byte != b'"' && byte != b'\\' {
                continue;
            }
            // What is escaped is one byte of ASCII, so both sides of it are whole characters.
            self.0
                .write_str(value.get(plain_from..at).unwrap_or_default())?;
            match byte {
                b'"' => self.0.write_str("\\\"")?,
                b'\\' => self.0.write_str("\\\\")?,
                b'\n' => self.0.write_str("\\n")?,
                control => write!(self.0, "\\u{control:04x}")?,
            }
            plain_from = at.saturating_add(1);
        }
        self.0
            .write_str(value.get(plain_from..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_text_is_read_back_as_it_was(value in any::<String>()) {
            let mut line = String::new();
            text(&mut Writer::new(&mut line), &value).unwrap();
            prop_assert_eq!(serde_json::from_str::<String>(&line).unwrap(), value);
        }
    }
}
