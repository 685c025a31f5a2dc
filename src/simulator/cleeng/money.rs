//! Minor units to Cleeng's decimals and back, by text alone: no float is ever calculated with.

use serde_json::{Number, Value};

const NO_DECIMALS: [&str; 16] = [
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV",
    "XAF", "XOF", "XPF",
];
const THREE_DECIMALS: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

/// How many decimals the currency has (ISO 4217).
pub(crate) fn exponent(currency: &str) -> usize {
    if NO_DECIMALS.contains(&currency) {
        0
    } else if THREE_DECIMALS.contains(&currency) {
        3
    } else {
        2
    }
}

/// 990 EUR cents as the JSON number `9.9`: as short as it goes, as most servers write it.
pub(crate) fn decimal(minor: i64, currency: &str) -> Value {
    let text = text(minor, currency);
    match serde_json::from_str::<Number>(&text) {
        Ok(number) => Value::Number(number),
        Err(_) => Value::Null,
    }
}

/// The decimal as text.
pub(crate) fn text(minor: i64, currency: &str) -> String {
    let exponent = exponent(currency);
    let sign = if minor < 0 { "-" } else { "" };
    let digits = format!(
        "{:0width$}",
        minor.unsigned_abs(),
        width = exponent.saturating_add(1)
    );
    let (whole, part) = digits
        .split_at_checked(digits.len().saturating_sub(exponent))
        .unwrap_or((&digits, ""));
    match part.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        part => format!("{sign}{whole}.{part}"),
    }
}

/// `"9.9900"` as 999 EUR cents; nothing when it is not a decimal, or finer than the currency.
pub(crate) fn minor(text: &str, currency: &str) -> Option<i64> {
    let exponent = exponent(currency);
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part = part.trim_end_matches('0');
    let digits = |text: &str| text.chars().all(|digit| digit.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > exponent {
        return None;
    }
    format!("{whole}{part:0<exponent$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_with_the_currencys_decimals() {
        assert_eq!(decimal(999, "EUR").to_string(), "9.99");
        assert_eq!(text(990, "EUR"), "9.9");
        assert_eq!(text(1000, "EUR"), "10");
        assert_eq!(text(5, "EUR"), "0.05");
        assert_eq!(text(999, "JPY"), "999");
        assert_eq!(text(5123, "KWD"), "5.123");
    }

    #[test]
    fn amounts_are_read_back() {
        assert_eq!(minor("9.9900", "EUR"), Some(999));
        assert_eq!(minor("10", "EUR"), Some(1000));
        assert_eq!(minor("0.5", "KWD"), Some(500));
        assert_eq!(minor("999", "JPY"), Some(999));
        assert_eq!(minor("9.999", "EUR"), None);
        assert_eq!(minor("-1", "EUR"), None);
        assert_eq!(minor("1e3", "EUR"), None);
    }
}
