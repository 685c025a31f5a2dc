//! The W3C trace context of a message: read, continued and written. Pure: random numbers come in as arguments.

use std::fmt;
use std::str::FromStr;

use crate::domain::ids::BadId;

/// The bit of the flags that says that the trace is recorded.
const SAMPLED: u8 = 1;

/// A `traceparent`: which trace this is part of, and below which span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceContext {
    trace_id: u128,
    span_id: u64,
    sampled: bool,
}

impl TraceContext {
    /// A new trace. Zero is no id in the standard, so it is taken for one.
    pub(crate) fn root(trace_id: u128, span_id: u64) -> TraceContext {
        TraceContext {
            trace_id: trace_id.max(1),
            span_id: span_id.max(1),
            sampled: true,
        }
    }

    /// A place in a trace; whether it is recorded was decided where it began. Zero is no id in the standard.
    pub(crate) fn new(trace_id: u128, span_id: u64, sampled: bool) -> TraceContext {
        TraceContext {
            sampled,
            ..TraceContext::root(trace_id, span_id)
        }
    }

    pub(crate) fn trace(self) -> u128 {
        self.trace_id
    }

    pub(crate) fn span(self) -> u64 {
        self.span_id
    }

    pub(crate) fn is_sampled(self) -> bool {
        self.sampled
    }

    /// The same trace, below a new span.
    pub(crate) fn child(self, span_id: u64) -> TraceContext {
        TraceContext {
            span_id: span_id.max(1),
            ..self
        }
    }

    /// The trace's id as logs show it.
    pub(crate) fn trace_id(self) -> String {
        format!("{:032x}", self.trace_id)
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = if self.sampled { SAMPLED } else { 0 };
        write!(
            f,
            "00-{:032x}-{:016x}-{flags:02x}",
            self.trace_id, self.span_id
        )
    }
}

impl FromStr for TraceContext {
    type Err = BadId;

    /// A later version may have more parts behind the four that are known; they are left away.
    fn from_str(text: &str) -> Result<Self, BadId> {
        let bad = BadId("a traceparent");
        let mut parts = text.split('-');
        let (Some(version), Some(trace_id), Some(span_id), Some(flags)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(bad);
        };
        let last = parts.next().is_none();
        let hexadecimal = version
            .bytes()
            .chain(trace_id.bytes())
            .chain(span_id.bytes())
            .chain(flags.bytes())
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        let lengths = (version.len(), trace_id.len(), span_id.len(), flags.len());
        if !hexadecimal
            || lengths != (2, 32, 16, 2)
            || version == "ff"
            || (version == "00" && !last)
        {
            return Err(bad);
        }
        let read = (
            u128::from_str_radix(trace_id, 16),
            u64::from_str_radix(span_id, 16),
            u8::from_str_radix(flags, 16),
        );
        match read {
            (Ok(trace_id), Ok(span_id), Ok(flags)) if trace_id != 0 && span_id != 0 => {
                Ok(TraceContext {
                    trace_id,
                    span_id,
                    sampled: flags & SAMPLED != 0,
                })
            }
            (_, _, _) => Err(bad),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EXAMPLE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn the_standards_example_is_read_and_written() {
        let context: TraceContext = EXAMPLE.parse().unwrap();
        assert_eq!(context.to_string(), EXAMPLE);
        assert_eq!(context.trace_id(), "0af7651916cd43dd8448eb211c80319c");
    }

    #[test]
    fn a_child_stays_in_the_trace() {
        let child = EXAMPLE.parse::<TraceContext>().unwrap().child(0xff);
        assert_eq!(
            child.to_string(),
            "00-0af7651916cd43dd8448eb211c80319c-00000000000000ff-01"
        );
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        let later = EXAMPLE.replacen("00-", "cc-", 1);
        assert!(later.parse::<TraceContext>().is_ok());
        assert!(
            format!("{later}-what-the-future-will-be-like")
                .parse::<TraceContext>()
                .is_ok()
        );
    }

    #[test]
    fn what_is_no_traceparent_is_refused() {
        let upper = EXAMPLE.to_uppercase();
        let more = format!("{EXAMPLE}-00");
        for bad in [
            "",
            "00",
            "00---",
            &upper,
            &more,
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
        ] {
            assert!(bad.parse::<TraceContext>().is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(trace_id: u128, span_id: u64, child: u64) {
            let context = TraceContext::root(trace_id, span_id).child(child);
            prop_assert_eq!(context.to_string().parse::<TraceContext>().unwrap(), context);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC*") {
            prop_assert!(text.len() == 55 || text.len() > 55 || text.parse::<TraceContext>().is_err());
        }
    }
}
