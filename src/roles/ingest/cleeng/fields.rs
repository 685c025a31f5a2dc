//! The data of one of Cleeng's webhooks, field by field and as it is written: ids as numbers or as digits, amounts never as floats.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::config::FieldPath;
use crate::domain::moment::Moment;
use crate::domain::money::{Currency, Money};

/// The field that a demand cannot do without, or that cannot be read. Its value is not repeated: it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lacking(pub(super) String);

/// Where to look.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field<'f> {
    Name(&'static str),
    Path(&'f FieldPath),
}

impl Field<'_> {
    pub(super) fn lacking(self) -> Lacking {
        match self {
            Field::Name(name) => Lacking(name.to_owned()),
            Field::Path(path) => Lacking(path.names().collect::<Vec<_>>().join(".")),
        }
    }
}

impl From<&'static str> for Field<'_> {
    fn from(name: &'static str) -> Self {
        Field::Name(name)
    }
}

impl<'f> From<&'f FieldPath> for Field<'f> {
    fn from(path: &'f FieldPath) -> Self {
        Field::Path(path)
    }
}

/// The fields of a JSON object, unread.
pub(super) struct Fields<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Fields<'a> {
    /// # Errors
    /// What is not an object lacks everything.
    pub(super) fn of(data: &'a RawValue) -> Result<Fields<'a>, Lacking> {
        Fields::within(data).ok_or_else(|| Lacking("data".to_owned()))
    }

    fn within(raw: &'a RawValue) -> Option<Fields<'a>> {
        serde_json::from_str(raw.get()).ok().map(Fields)
    }

    /// The field by one of the other methods, which must find something.
    ///
    /// # Errors
    /// When it is not there, or cannot be read.
    pub(super) fn needed<'f, T>(
        &self,
        field: impl Into<Field<'f>>,
        read: impl Fn(&Fields<'a>, Field<'f>) -> Result<Option<T>, Lacking>,
    ) -> Result<T, Lacking> {
        let field = field.into();
        read(self, field)?.ok_or_else(|| field.lacking())
    }

    /// A whole number, also as a text of digits.
    ///
    /// # Errors
    /// When something else is there.
    pub(super) fn number(&self, field: Field<'_>) -> Result<Option<u64>, Lacking> {
        let Some(text) = self.text(field)? else {
            return Ok(None);
        };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| digits);
        number.map(Some).ok_or_else(|| field.lacking())
    }

    /// A text, or a number as it is written; an empty text is none.
    ///
    /// # Errors
    /// When something else is there, or a text with control characters: no id has them, and a database refuses some.
    pub(super) fn text(&self, field: Field<'_>) -> Result<Option<String>, Lacking> {
        let text = self.scalar(field)?.filter(|text| !text.is_empty());
        match text {
            Some(text) if text.chars().any(char::is_control) => Err(field.lacking()),
            text => Ok(text),
        }
    }

    /// A time with its offset, such as `2019-11-04T19:55:41Z`.
    ///
    /// # Errors
    /// When something else is there.
    pub(super) fn moment(&self, field: Field<'_>) -> Result<Option<Moment>, Lacking> {
        let Some(text) = self.text(field)? else {
            return Ok(None);
        };
        let at = OffsetDateTime::parse(&text, &Rfc3339).map_err(|_| field.lacking())?;
        let millis = i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000));
        millis
            .map(|millis| Some(Moment(millis)))
            .map_err(|_| field.lacking())
    }

    /// An ISO 4217 code.
    ///
    /// # Errors
    /// When something else is there.
    pub(super) fn currency(&self, field: Field<'_>) -> Result<Option<Currency>, Lacking> {
        let text = self.text(field)?;
        let read = text.map(|text| text.parse()).transpose();
        read.map_err(|_| field.lacking())
    }

    /// Money in major units, read digit by digit.
    ///
    /// # Errors
    /// When there is an amount that is not exact money above nothing, or one without its currency: it must not be taken for
    /// no amount, which would be all that is left.
    pub(super) fn money(
        &self,
        amount: Field<'_>,
        currency: Field<'_>,
    ) -> Result<Option<Money>, Lacking> {
        let Some(text) = self.scalar(amount)? else {
            return Ok(None);
        };
        let currency = self.needed(currency, Fields::currency)?;
        let money = Money::from_decimal(&text, currency).ok();
        money
            .filter(|money| money.minor > 0)
            .map(Some)
            .ok_or_else(|| amount.lacking())
    }

    /// A text or a number as it is written; nothing when the field is absent or null.
    fn scalar(&self, field: Field<'_>) -> Result<Option<String>, Lacking> {
        let found = match field {
            Field::Name(name) => self.0.get(name).copied(),
            Field::Path(path) => self.along(path),
        };
        let Some(text) = found.map(RawValue::get) else {
            return Ok(None);
        };
        match text.bytes().next() {
            Some(b'"') => serde_json::from_str(text)
                .map(Some)
                .map_err(|_| field.lacking()),
            Some(b'-' | b'0'..=b'9') => Ok(Some(text.to_owned())),
            Some(b'n') => Ok(None),
            Some(_) | None => Err(field.lacking()),
        }
    }

    fn along(&self, path: &FieldPath) -> Option<&'a RawValue> {
        let mut names = path.names();
        let mut found = self.0.get(names.next()?).copied()?;
        for name in names {
            found = Fields::within(found)?.0.get(name).copied()?;
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    /// Reads `{"x": text}`.
    fn read<T>(
        text: &str,
        how: impl Fn(&Fields<'_>, Field<'_>) -> Result<Option<T>, Lacking>,
    ) -> Option<Option<T>> {
        let raw: Box<RawValue> = serde_json::from_str(&format!("{{\"x\":{text}}}")).unwrap();
        let fields = Fields::of(&raw).unwrap();
        how(&fields, "x".into()).ok()
    }

    #[test]
    fn ids_are_read_from_numbers_and_from_digits() {
        for (text, number) in [
            ("7", Some(Some(7))),
            ("\"7\"", Some(Some(7))),
            ("null", Some(None)),
            ("\"\"", Some(None)),
            ("-7", None),
            ("7.0", None),
            ("7e3", None),
            ("\" 7\"", None),
            ("\"+7\"", None),
            ("99999999999999999999", None),
            ("true", None),
            ("[7]", None),
            ("{}", None),
        ] {
            assert_eq!(
                read(text, |fields, field| fields.number(field)),
                number,
                "{text}"
            );
        }
    }

    #[test]
    fn a_text_has_no_control_characters_and_a_number_may_stand_for_one() {
        let some = |text: &str| Some(Some(text.to_owned()));
        for (text, found) in [
            ("\"pi_1\"", some("pi_1")),
            ("862628085828720", some("862628085828720")),
            ("\"\\u00e9\"", some("é")),
            ("\"\\u0000\"", None),
            ("\"a\\nb\"", None),
            ("false", None),
        ] {
            assert_eq!(
                read(text, |fields, field| fields.text(field)),
                found,
                "{text}"
            );
        }
    }

    #[test]
    fn a_time_has_its_offset_and_is_not_guessed_at() {
        let at = Some(Some(Moment(1_572_897_341_000)));
        for (text, moment) in [
            ("\"2019-11-04T19:55:41Z\"", at),
            ("\"2019-11-04T20:55:41+01:00\"", at),
            ("\"2019-11-04T19:55:41.000Z\"", at),
            ("null", Some(None)),
            ("\"2019-11-04T19:55:41\"", None),
            ("\"2019-11-04\"", None),
            ("\"2019-13-04T19:55:41Z\"", None),
            ("1572897341", None),
            ("\"soon\"", None),
        ] {
            assert_eq!(
                read(text, |fields, field| fields.moment(field)),
                moment,
                "{text}"
            );
        }
    }

    #[test]
    fn an_amount_is_exact_or_it_is_a_fault_and_never_none() {
        let money = |amount: &str, currency: &str| {
            let text = format!("{{\"a\":{amount},\"c\":{currency}}}");
            let raw: Box<RawValue> = serde_json::from_str(&text).unwrap();
            let read = Fields::of(&raw).unwrap().money("a".into(), "c".into());
            read.ok().map(|found| found.map(|money| money.minor))
        };
        for (amount, currency, minor) in [
            ("9.99", "\"EUR\"", Some(Some(999))),
            ("\"9.99\"", "\"eur\"", Some(Some(999))),
            ("10", "\"JPY\"", Some(Some(10))),
            ("0.29", "\"USD\"", Some(Some(29))),
            ("null", "\"EUR\"", Some(None)),
            ("null", "null", Some(None)),
            ("9.99", "null", None),
            ("9.99", "\"EURO\"", None),
            ("9.999", "\"EUR\"", None),
            ("1e1", "\"EUR\"", None),
            ("\"\"", "\"EUR\"", None),
            ("0", "\"EUR\"", None),
            ("-1", "\"EUR\"", None),
            ("{}", "\"EUR\"", None),
        ] {
            assert_eq!(money(amount, currency), minor, "{amount} {currency}");
        }
    }

    #[test]
    fn a_path_leads_into_the_data() {
        let raw: Box<RawValue> =
            serde_json::from_str(r#"{"refund":{"value":{"amount":"1.00"}},"amount":"2.00"}"#)
                .unwrap();
        let fields = Fields::of(&raw).unwrap();
        for (path, found) in [
            ("amount", Some("2.00")),
            ("refund.value.amount", Some("1.00")),
            ("refund.amount", None),
            ("amount.value", None),
        ] {
            let refund = sample::refund_fields(&[("amount", path)]);
            let read = fields.text((&refund.amount).into()).unwrap();
            assert_eq!(read.as_deref(), found, "{path}");
        }
    }
}
