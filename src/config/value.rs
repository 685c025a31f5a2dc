//! Texts into values: durations, socket addresses, words of a set. What is wrong is said without repeating the text.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use tracing_subscriber::EnvFilter;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

const TAKEN_IN_A_REFUND: [&str; 5] = [
    "status",
    "orderId",
    "paymentOperation",
    "externalPaymentId",
    "refundedReason",
];

/// Why a value cannot be used, and what to write instead. Neither repeats the value: it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) problem: String,
    pub(super) remedy: String,
}

impl Wrong {
    pub(super) fn new(problem: impl Into<String>, remedy: impl Into<String>) -> Wrong {
        Wrong {
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }
}

/// A whole number and a unit.
pub(super) fn duration(text: &str) -> Result<Duration, Wrong> {
    let remedy = "write a whole number and a unit: ms, s, m, h or d, such as \"1500ms\" or \"20h\"";
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).unwrap_or(("", text));
    if number.is_empty() {
        return Err(Wrong::new(
            "not a duration: it does not begin with a number",
            remedy,
        ));
    }
    let millis: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "" => return Err(Wrong::new("a duration without its unit", remedy)),
        _ => {
            return Err(Wrong::new(
                "not a duration: the number is not followed by a unit",
                remedy,
            ));
        }
    };
    let total = number
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(millis));
    total
        .map(Duration::from_millis)
        .ok_or_else(|| Wrong::new("a duration that is too long", remedy))
}

/// A duration on the command line.
///
/// # Errors
/// A sentence for the operator.
pub(crate) fn span(text: &str) -> Result<Duration, String> {
    duration(text).map_err(|wrong| format!("{}; {}", wrong.problem, wrong.remedy))
}

/// A duration as [`duration`] reads it, in the largest unit that fits.
pub(super) fn spell(span: Duration) -> String {
    let millis = span.as_millis();
    let units = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1_000, "s"),
    ];
    units
        .into_iter()
        .find(|(size, _)| millis > 0 && millis.is_multiple_of(*size))
        .map_or_else(
            || format!("{millis}ms"),
            |(size, unit)| format!("{}{unit}", millis / size),
        )
}

/// A duration within a range.
pub(super) fn duration_in(text: &str, range: &RangeInclusive<Duration>) -> Result<Duration, Wrong> {
    let span = duration(text)?;
    if range.contains(&span) {
        return Ok(span);
    }
    Err(Wrong::new(
        "out of range",
        format!(
            "choose from {} to {}",
            spell(*range.start()),
            spell(*range.end())
        ),
    ))
}

/// A number within a range.
pub(super) fn number_in<T>(number: i64, range: &RangeInclusive<T>) -> Result<T, Wrong>
where
    T: TryFrom<i64> + PartialOrd + std::fmt::Display,
{
    T::try_from(number)
        .ok()
        .filter(|number| range.contains(number))
        .ok_or_else(|| {
            Wrong::new(
                "out of range",
                format!("choose from {} to {}", range.start(), range.end()),
            )
        })
}

/// An address and a port to listen on.
pub(super) fn socket(text: &str) -> Result<SocketAddr, Wrong> {
    text.parse().map_err(|_| {
        Wrong::new(
            "not an IP address and a port",
            "write ADDRESS:PORT, such as \"127.0.0.1:8080\", \"0.0.0.0:8080\" or \"[::1]:8080\"; names are not looked up",
        )
    })
}

/// The first word of the queues' names.
pub(super) fn prefix(text: &str) -> Result<String, Wrong> {
    let starts_well = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    let reads_well = text
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
    if starts_well && reads_well && text.len() <= 32 {
        return Ok(text.to_owned());
    }
    Err(Wrong::new(
        "not a prefix of queue names",
        "write 1 to 32 of a-z, 0-9, _ and -, beginning with a letter",
    ))
}

/// The name of a field of a refund, beside those that a refund has anyway.
pub(super) fn refund_field(text: &str) -> Result<String, Wrong> {
    if TAKEN_IN_A_REFUND.contains(&text) {
        return Err(Wrong::new(
            "a refund has another field of that name",
            "ask Cleeng for the field's name",
        ));
    }
    let starts_well = text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
    let reads_well = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if starts_well && reads_well && text.len() <= 64 {
        return Ok(text.to_owned());
    }
    Err(Wrong::new(
        "not the name of a field",
        "write 1 to 64 of a-z, A-Z, 0-9 and _, beginning with a letter, such as \"amount\"",
    ))
}

/// One of a set of words.
pub(super) fn one_of<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, Wrong> {
    let found = words.iter().find(|(word, _)| *word == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<String> = words
            .iter()
            .map(|(word, _)| format!("\"{word}\""))
            .collect();
        let close = nearest(text, words.iter().map(|(word, _)| *word))
            .map_or_else(String::new, |word| format!("; did you mean \"{word}\"?"));
        Wrong::new(
            "not one of the words that are known here",
            format!("choose {}{close}", known.join(" or ")),
        )
    })
}

/// `tracing`'s filter directives. A bare word must be a level: the parser would take a misspelt level for a module's name
/// and switch everything else off.
pub(super) fn log_level(text: &str) -> Result<String, Wrong> {
    let remedy = "write a level (off, error, warn, info, debug, trace), or several directives separated by commas, such as \
                  \"info,cleeng_connector=debug\"";
    for directive in text.split(',') {
        let level = match directive.rsplit_once('=') {
            Some((_, level)) => level,
            None => directive,
        };
        if !directive.contains('[') && !LEVELS.contains(&level.to_ascii_lowercase().as_str()) {
            return Err(Wrong::new("not a filter of log levels", remedy));
        }
    }
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(Wrong::new("not a filter of log levels", remedy)),
    }
}

/// The known name that a misspelt one was probably meant to be.
pub(super) fn nearest<'a>(text: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|word| (strsim::damerau_levenshtein(text, word), word))
        .min()
        .filter(|(distance, word)| distance.saturating_mul(3) <= word.len().max(6))
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_duration_needs_a_whole_number_and_a_unit() {
        assert_eq!(duration("1500ms").unwrap(), Duration::from_millis(1500));
        assert_eq!(duration("3d").unwrap(), Duration::from_secs(259_200));
        for bad in [
            "",
            "5",
            "s",
            "-1s",
            "1.5s",
            "1 s",
            "1S",
            "1min",
            "1h30m",
            "1s ",
            "99999999999999999d",
            "99999999999999999999s",
            "١s",
            "infinite",
        ] {
            assert!(duration(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_misspelt_level_is_not_taken_for_a_module() {
        for good in [
            "info",
            "INFO",
            "info,cleeng_connector=debug",
            "warn,sqlx=off",
            "info,[payment]=trace",
        ] {
            assert!(log_level(good).is_ok(), "{good:?}");
        }
        for bad in [
            "inof",
            "",
            "info,",
            "warn, sqlx=off",
            "info,cleeng_connector=loud",
            "cleeng_connector",
        ] {
            assert!(log_level(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_suggestion_is_made_only_for_what_is_near() {
        let known = ["broker.url", "broker.prefix"];
        assert_eq!(nearest("broker.ulr", known.into_iter()), Some("broker.url"));
        assert_eq!(nearest("colour", known.into_iter()), None);
    }

    proptest! {
        #[test]
        fn a_spelt_duration_is_read_back(millis in 0u64..10_000_000_000) {
            let span = Duration::from_millis(millis);
            prop_assert_eq!(duration(&spell(span)).unwrap(), span);
        }

        #[test]
        fn no_text_makes_a_reader_panic(text in "\\PC*") {
            let read = (duration(&text), prefix(&text), socket(&text), log_level(&text));
            // Nothing of a faulty text is repeated.
            if let (Err(wrong), true) = (read.0, text.len() > 8) {
                prop_assert!(!wrong.problem.contains(&text) && !wrong.remedy.contains(&text));
            }
        }
    }
}
