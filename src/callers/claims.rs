//! What a verified token says: whose it is, and from when to when. Pure.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Number;

use super::Customer;
use crate::domain::ids::{CustomerId, number_or_text};
use crate::domain::moment::Moment;
use crate::telemetry::labels::CallerRefusal;

/// How far the clocks of Cleeng and of this machine may be apart.
const SKEW: Duration = Duration::from_secs(30);

/// The end of what can be a time: the year 9999, in seconds.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// The claims that count; others, such as the customer's e-mail, are not kept. A claim that comes twice is a fault.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claims {
    #[serde(deserialize_with = "number_or_text")]
    customer_id: u64,
    #[serde(deserialize_with = "number_or_text")]
    publisher_id: u64,
    exp: Number,
    nbf: Option<Number>,
    iat: Option<Number>,
}

/// Whose token it is, at `now`, when it is one of `publisher`'s customers.
///
/// # Errors
/// `UnreadableClaims`, `OtherPublisher`, `Expired` or `NotYetValid`.
pub(super) fn customer(
    json: &[u8],
    publisher: u64,
    now: Moment,
) -> Result<Customer, CallerRefusal> {
    let claims: Claims =
        serde_json::from_slice(json).map_err(|_| CallerRefusal::UnreadableClaims)?;
    let id =
        CustomerId::try_from(claims.customer_id).map_err(|_| CallerRefusal::UnreadableClaims)?;
    let until = moment(&claims.exp)?.plus(SKEW);
    if claims.publisher_id != publisher {
        return Err(CallerRefusal::OtherPublisher);
    }
    if now >= until {
        return Err(CallerRefusal::Expired);
    }
    for from in [claims.nbf, claims.iat].iter().flatten() {
        if moment(from)? > now.plus(SKEW) {
            return Err(CallerRefusal::NotYetValid);
        }
    }
    Ok(Customer { id, until })
}

/// Seconds since 1970; a fraction is allowed (RFC 7519) and dropped.
fn moment(seconds: &Number) -> Result<Moment, CallerRefusal> {
    let seconds = seconds
        .as_f64()
        .filter(|seconds| (0.0..=LAST_SECOND).contains(seconds))
        .ok_or(CallerRefusal::UnreadableClaims)?;
    Ok(Moment::from_unix_seconds(seconds as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const PUBLISHER: u64 = 558_186_818;
    const NOW: Moment = Moment(1_700_000_000_000);

    fn read(claims: &Value) -> Result<Customer, CallerRefusal> {
        customer(claims.to_string().as_bytes(), PUBLISHER, NOW)
    }

    /// Good claims with others in their place; null takes one away.
    fn with(changes: Value) -> Value {
        let mut claims = json!({
            "customerId": 927_751_142, "publisherId": PUBLISHER, "exp": 1_700_000_900, "email": "a@b.example",
        });
        let fields = claims.as_object_mut().unwrap();
        fields.extend(changes.as_object().unwrap().clone());
        fields.retain(|_, value| !value.is_null());
        claims
    }

    #[test]
    fn a_customer_is_read_from_numbers_and_from_digits() {
        let expected = Customer {
            id: CustomerId(927_751_142),
            until: Moment(1_700_000_930_000),
        };
        assert_eq!(read(&with(json!({}))), Ok(expected));
        let text = with(json!({ "customerId": "927751142", "publisherId": PUBLISHER.to_string() }));
        assert_eq!(read(&text), Ok(expected));
        let fraction = with(json!({ "exp": 1_700_000_900.75, "nbf": 1_700_000_000.5 }));
        assert_eq!(read(&fraction), Ok(expected));
    }

    #[test]
    fn a_token_serves_half_a_minute_longer_and_earlier_than_it_says() {
        let (expired, early) = (
            Some(CallerRefusal::Expired),
            Some(CallerRefusal::NotYetValid),
        );
        for (changes, refusal) in [
            (json!({ "exp": 1_700_000_000 }), None),
            (json!({ "exp": 1_699_999_971 }), None),
            (json!({ "exp": 1_699_999_970 }), expired),
            (json!({ "exp": 0 }), expired),
            (json!({ "nbf": 1_700_000_030 }), None),
            (json!({ "nbf": 1_700_000_031 }), early),
            (json!({ "iat": 1_700_000_030, "nbf": 0 }), None),
            (json!({ "iat": 1_700_000_031 }), early),
        ] {
            assert_eq!(read(&with(changes.clone())).err(), refusal, "{changes}");
        }
    }

    #[test]
    fn what_is_missing_or_of_another_kind_is_refused() {
        for changes in [
            json!({ "exp": null }),
            json!({ "exp": "1700000900" }),
            json!({ "exp": -1 }),
            json!({ "exp": 1e300 }),
            json!({ "exp": true }),
            json!({ "nbf": "0" }),
            json!({ "nbf": [] }),
            json!({ "iat": -5 }),
            json!({ "customerId": null }),
            json!({ "customerId": 0 }),
            json!({ "customerId": -7 }),
            json!({ "customerId": 1.5 }),
            json!({ "customerId": "" }),
            json!({ "customerId": "+7" }),
            json!({ "customerId": "7 " }),
            json!({ "customerId": 1_000_000_000_000_u64 }),
            json!({ "customerId": [7] }),
            json!({ "publisherId": null }),
            json!({ "publisherId": "x" }),
        ] {
            let refusal = read(&with(changes.clone())).err();
            assert_eq!(refusal, Some(CallerRefusal::UnreadableClaims), "{changes}");
        }
        for bad in ["", "[]", "null", "7", "{}", "{\"customerId\":7,"] {
            let refusal = customer(bad.as_bytes(), PUBLISHER, NOW).err();
            assert_eq!(refusal, Some(CallerRefusal::UnreadableClaims), "{bad}");
        }
        // Two readers could choose differently.
        let twice = r#"{"customerId":7,"customerId":8,"publisherId":558186818,"exp":1700000900}"#;
        assert!(customer(twice.as_bytes(), PUBLISHER, NOW).is_err());
    }

    #[test]
    fn a_customer_of_another_publisher_is_refused() {
        let refusal = read(&with(json!({ "publisherId": PUBLISHER + 1 }))).err();
        assert_eq!(refusal, Some(CallerRefusal::OtherPublisher));
    }

    proptest! {
        #[test]
        fn no_claims_whatever_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..120), text in ".{0,120}") {
            prop_assert!(customer(&bytes, PUBLISHER, NOW).is_err());
            prop_assert!(customer(text.as_bytes(), PUBLISHER, NOW).is_err());
        }

        /// Taken is exactly what is ours and in its time, however the numbers are written.
        #[test]
        fn only_our_own_in_their_time_are_taken(
            id in 0_u64..2_000_000_000_000, other in prop::bool::ANY, exp in 1_699_999_900_i64..1_700_000_100,
            nbf in prop::option::of(1_699_999_900_i64..1_700_000_100), as_text in prop::bool::ANY,
        ) {
            let publisher = if other { PUBLISHER - 1 } else { PUBLISHER };
            let number = |number: u64| if as_text { json!(number.to_string()) } else { json!(number) };
            let mut claims = json!({ "customerId": number(id), "publisherId": number(publisher), "exp": exp });
            if let Some(nbf) = nbf {
                claims["nbf"] = json!(nbf);
            }
            let now = NOW.unix_seconds();
            let right = (1..=999_999_999_999).contains(&id) && !other && exp + 30 > now
                && nbf.is_none_or(|nbf| nbf <= now + 30);
            let found = read(&claims);
            prop_assert_eq!(found.is_ok(), right, "{} {:?}", claims, found);
            if let Ok(found) = found {
                prop_assert_eq!(found.id.0, id);
                prop_assert_eq!(found.until, Moment::from_unix_seconds(exp + 30));
            }
        }
    }
}
