//! Money: a whole number of minor units and its currency. Never a float, never rounded.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::ToSchema;

/// Currencies whose ISO 4217 minor unit is the unit itself.
const NO_DECIMALS: [&str; 17] = [
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND",
    "VUV", "XAF", "XOF", "XPF",
];
/// Currencies with a thousandth as minor unit (ISO 4217).
const THREE_DECIMALS: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];
/// Currencies with a ten-thousandth as minor unit (ISO 4217).
const FOUR_DECIMALS: [&str; 2] = ["CLF", "UYW"];

/// Why something is not an amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadMoney {
    #[error("not a currency (three letters)")]
    Currency,
    #[error("not a decimal number")]
    Decimal,
    #[error("not a whole number of the currency's minor unit")]
    NotExact,
    #[error("an amount too large")]
    TooLarge,
}

/// An ISO 4217 code, upper case.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Currency([u8; 3]);

impl Currency {
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// How many decimals ISO 4217 gives the currency, 0 to 4.
    pub(crate) fn exponent(self) -> u32 {
        let code = self.as_str();
        if NO_DECIMALS.contains(&code) {
            0
        } else if THREE_DECIMALS.contains(&code) {
            3
        } else if FOUR_DECIMALS.contains(&code) {
            4
        } else {
            2
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Currency {
    type Err = BadMoney;

    /// Reads three letters in either case: Stripe writes `eur`, Cleeng `EUR`.
    fn from_str(text: &str) -> Result<Self, BadMoney> {
        match text.as_bytes() {
            [a, b, c] if [a, b, c].iter().all(|byte| byte.is_ascii_alphabetic()) => {
                Ok(Currency([*a, *b, *c].map(|byte| byte.to_ascii_uppercase())))
            }
            _ => Err(BadMoney::Currency),
        }
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// An amount in ISO 4217 minor units: `999` and `EUR` are 9.99 euro.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"value": 999, "currency": "EUR"}))]
pub(crate) struct Money {
    #[serde(rename = "value")]
    #[schema(minimum = 0)]
    pub(crate) minor: i64,
    /// ISO 4217.
    #[schema(value_type = String, pattern = "^[A-Z]{3}$")]
    pub(crate) currency: Currency,
}

impl Money {
    /// Reads a decimal number in major units, digit by digit: `9.99`, `10`, `10.0000`.
    ///
    /// # Errors
    /// What is not such a number, is negative, has more digits than the currency (other than zeros), or does not fit.
    pub(crate) fn from_decimal(text: &str, currency: Currency) -> Result<Money, BadMoney> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) {
            return Err(BadMoney::Decimal);
        }
        let exponent = usize::try_from(currency.exponent()).map_err(|_| BadMoney::TooLarge)?;
        let significant = fraction.trim_end_matches('0');
        if significant.len() > exponent {
            return Err(BadMoney::NotExact);
        }
        let minor = format!("{whole}{significant:0<exponent$}")
            .parse()
            .map_err(|_| BadMoney::TooLarge)?;
        Ok(Money { minor, currency })
    }

    /// The decimal number in major units that [`Money::from_decimal`] reads, with all of the currency's decimals: `9.90`, `10`.
    pub(crate) fn to_decimal(self) -> String {
        let exponent = usize::try_from(self.currency.exponent()).unwrap_or_default();
        let sign = if self.minor < 0 { "-" } else { "" };
        let width = exponent.saturating_add(1);
        let digits = format!("{:0width$}", self.minor.unsigned_abs());
        match digits.split_at_checked(digits.len().saturating_sub(exponent)) {
            Some((whole, fraction)) if !fraction.is_empty() => format!("{sign}{whole}.{fraction}"),
            Some(_) | None => format!("{sign}{digits}"),
        }
    }

    /// The amount as a whole number of units with `exponent` decimals, for a gateway whose table differs from ISO's.
    ///
    /// # Errors
    /// When that number would not be whole, or too large: an amount is never rounded.
    pub(crate) fn scaled_to(self, exponent: u32) -> Result<i64, BadMoney> {
        let own = self.currency.exponent();
        if let Some(up) = exponent.checked_sub(own) {
            let factor = 10_i64.checked_pow(up).ok_or(BadMoney::TooLarge)?;
            return self.minor.checked_mul(factor).ok_or(BadMoney::TooLarge);
        }
        let factor = 10_i64
            .checked_pow(own.saturating_sub(exponent))
            .ok_or(BadMoney::TooLarge)?;
        match (
            self.minor.checked_rem(factor),
            self.minor.checked_div(factor),
        ) {
            (Some(0), Some(scaled)) => Ok(scaled),
            _ => Err(BadMoney::NotExact),
        }
    }

    /// The reverse of [`Money::scaled_to`]: what a gateway's number with `exponent` decimals is worth.
    ///
    /// # Errors
    /// When it is no whole number of ISO minor units, or too large.
    pub(crate) fn from_scaled(
        number: i64,
        exponent: u32,
        currency: Currency,
    ) -> Result<Money, BadMoney> {
        let own = currency.exponent();
        let power = |n: u32| 10_i64.checked_pow(n).ok_or(BadMoney::TooLarge);
        let minor = if let Some(up) = own.checked_sub(exponent) {
            number.checked_mul(power(up)?).ok_or(BadMoney::TooLarge)?
        } else {
            let factor = power(exponent.saturating_sub(own))?;
            match (number.checked_rem(factor), number.checked_div(factor)) {
                (Some(0), Some(minor)) => minor,
                _ => return Err(BadMoney::NotExact),
            }
        };
        Ok(Money { minor, currency })
    }
}

#[cfg(test)]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "the test's own numbers are small"
)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn money(minor: i64, currency: &str) -> Money {
        Money {
            minor,
            currency: currency.parse().unwrap(),
        }
    }

    #[test]
    fn decimals_are_read_digit_by_digit() {
        for (text, currency, minor) in [
            ("9.99", "EUR", 999),
            ("10", "EUR", 1000),
            ("10.0000", "EUR", 1000),
            ("0.5", "USD", 50),
            ("1099", "JPY", 1099),
            ("1099.00", "JPY", 1099),
            ("1.234", "KWD", 1234),
            ("0", "EUR", 0),
        ] {
            let read = Money::from_decimal(text, currency.parse().unwrap());
            assert_eq!(read, Ok(money(minor, currency)), "{text} {currency}");
        }
    }

    #[test]
    fn what_is_not_exact_money_is_refused() {
        for (text, currency, why) in [
            ("9.999", "EUR", BadMoney::NotExact),
            ("1.5", "JPY", BadMoney::NotExact),
            ("-1", "EUR", BadMoney::Decimal),
            ("1e3", "EUR", BadMoney::Decimal),
            ("1,5", "EUR", BadMoney::Decimal),
            ("", "EUR", BadMoney::Decimal),
            (".5", "EUR", BadMoney::Decimal),
            ("5.", "EUR", BadMoney::Decimal),
            ("99999999999999999999", "EUR", BadMoney::TooLarge),
        ] {
            let read = Money::from_decimal(text, currency.parse().unwrap());
            assert_eq!(read, Err(why), "{text} {currency}");
        }
    }

    #[test]
    fn an_amount_is_written_with_all_its_decimals() {
        for (minor, currency, text) in [
            (999, "EUR", "9.99"),
            (990, "EUR", "9.90"),
            (5, "EUR", "0.05"),
            (0, "EUR", "0.00"),
            (-5, "EUR", "-0.05"),
            (1099, "JPY", "1099"),
            (5, "KWD", "0.005"),
            (1, "CLF", "0.0001"),
            (i64::MAX, "EUR", "92233720368547758.07"),
            (i64::MIN, "EUR", "-92233720368547758.08"),
        ] {
            assert_eq!(money(minor, currency).to_decimal(), text);
        }
    }

    proptest! {
        #[test]
        fn every_amount_survives_the_way_through_its_decimal_text(minor in 0i64..=9_999_999_999, pick in 0usize..5) {
            let currency: Currency = ["EUR", "JPY", "KWD", "CLF", "ISK"][pick].parse().unwrap();
            let exponent = currency.exponent();
            let factor = 10i64.pow(exponent);
            let width = usize::try_from(exponent).unwrap();
            let text = if exponent == 0 { minor.to_string() } else { format!("{}.{:0width$}", minor / factor, minor % factor) };
            prop_assert_eq!(Money::from_decimal(&text, currency), Ok(Money { minor, currency }));
            prop_assert_eq!(Money { minor, currency }.to_decimal(), text);
        }

        #[test]
        fn scaling_up_and_back_changes_nothing(minor in 0i64..=9_999_999_999, exponent in 0u32..5, pick in 0usize..3) {
            let currency: Currency = ["EUR", "JPY", "KWD"][pick].parse().unwrap();
            let amount = Money { minor, currency };
            if let Ok(scaled) = amount.scaled_to(exponent) {
                prop_assert_eq!(Money::from_scaled(scaled, exponent, currency), Ok(amount));
            } else {
                prop_assert!(exponent < currency.exponent());
            }
        }
    }
}
