//! Money in Stripe's whole numbers: its own table of decimals, which is not ISO 4217's.

use crate::domain::money::{BadMoney, Currency, Money};

/// Currencies that Stripe counts in whole units.
const NO_DECIMALS: [&str; 15] = [
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF",
    "XOF", "XPF",
];
/// Currencies that Stripe counts in thousandths, of which it takes only whole tens.
const THREE_DECIMALS: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];

/// The number that Stripe is sent. ISK and UGX have no decimals and are sent times 100 all the same: that is the default here.
///
/// # Errors
/// When the amount is not exactly such a number: it is never rounded.
pub(super) fn to_stripe(money: Money) -> Result<i64, BadMoney> {
    let exponent = exponent(money.currency);
    let number = money.scaled_to(exponent)?;
    if exponent == 3 && number.checked_rem(10) != Some(0) {
        return Err(BadMoney::NotExact);
    }
    Ok(number)
}

/// What a number of Stripe's is worth.
///
/// # Errors
/// When the currency is none, or the number is no whole number of its minor units.
pub(super) fn from_stripe(number: i64, currency: &str) -> Result<Money, BadMoney> {
    let currency: Currency = currency.parse()?;
    Money::from_scaled(number, exponent(currency), currency)
}

fn exponent(currency: Currency) -> u32 {
    let code = currency.as_str();
    if NO_DECIMALS.contains(&code) {
        0
    } else if THREE_DECIMALS.contains(&code) {
        3
    } else {
        2
    }
}

#[cfg(test)]
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
    fn amounts_are_sent_by_stripes_own_table() {
        for (minor, currency, number) in [
            (999, "EUR", Ok(999)),
            (1099, "JPY", Ok(1099)),
            // No decimals in ISO, two at Stripe.
            (50, "ISK", Ok(5000)),
            (50, "UGX", Ok(5000)),
            // Two decimals in ISO, none at Stripe.
            (500, "MGA", Ok(5)),
            (550, "MGA", Err(BadMoney::NotExact)),
            (5120, "KWD", Ok(5120)),
            (5124, "KWD", Err(BadMoney::NotExact)),
            // Three decimals in ISO, two at Stripe.
            (1230, "IQD", Ok(123)),
            (1234, "LYD", Err(BadMoney::NotExact)),
            (i64::MAX, "ISK", Err(BadMoney::TooLarge)),
        ] {
            assert_eq!(
                to_stripe(money(minor, currency)),
                number,
                "{minor} {currency}"
            );
        }
    }

    #[test]
    fn a_number_that_is_no_whole_minor_unit_is_not_read() {
        assert_eq!(from_stripe(5000, "isk"), Ok(money(50, "ISK")));
        assert_eq!(from_stripe(5001, "isk"), Err(BadMoney::NotExact));
        assert_eq!(from_stripe(1, "euro"), Err(BadMoney::Currency));
    }

    proptest! {
        #[test]
        fn what_is_sent_is_read_back_as_the_same_money(minor in 0i64..=9_999_999_999, pick in 0usize..9) {
            let currency = ["EUR", "JPY", "ISK", "UGX", "MGA", "KWD", "IQD", "CLF", "TND"][pick];
            let amount = money(minor, currency);
            if let Ok(number) = to_stripe(amount) {
                prop_assert_eq!(from_stripe(number, &currency.to_lowercase()), Ok(amount));
            }
        }
    }
}
