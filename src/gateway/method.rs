//! The shape of a front end's `paymentMethod` where it is one opaque token, and the ban on raw card data in any of them.

use serde_json::{Map, Value};

use super::MethodFault;

/// What a field of raw card data is called, in lower case and without separators.
const CARD_FIELDS: [&str; 18] = [
    "number",
    "cardnumber",
    "pan",
    "cvc",
    "cvc2",
    "cvv",
    "cvv2",
    "cid",
    "csc",
    "securitycode",
    "cardsecuritycode",
    "expmonth",
    "expyear",
    "expirymonth",
    "expiryyear",
    "expirationmonth",
    "expirationyear",
    "trackdata",
];
const LONGEST_TOKEN: usize = 255;

/// Accepts `{"token": "…"}` and nothing else, with a token that begins with one of `prefixes` (any, when there is none).
///
/// # Errors
/// Names the field that is wrong; `card_data` when it would have brought raw card data to us.
pub(super) fn check_token(method: &Value, prefixes: &[&str]) -> Result<(), MethodFault> {
    if let Some(field) = card_field(method, "paymentMethod") {
        return Err(MethodFault {
            field,
            expected: "no raw card data: tokenise it in the browser".to_owned(),
            card_data: true,
        });
    }
    let Value::Object(fields) = method else {
        return Err(fault("paymentMethod", "an object with the field token"));
    };
    if let Some(stranger) = fields.keys().find(|name| *name != "token") {
        let field = format!("paymentMethod.{}", shown(stranger));
        return Err(fault(&field, "no such field: only token is known"));
    }
    match fields.get("token") {
        Some(Value::String(token)) if is_token(token, prefixes) => Ok(()),
        _ => Err(fault("paymentMethod.token", &expected_token(prefixes))),
    }
}

/// The token, when the method has one.
pub(super) fn token(method: &Value) -> Option<&str> {
    method.get("token")?.as_str()
}

fn is_token(token: &str, prefixes: &[&str]) -> bool {
    let known = prefixes.is_empty()
        || prefixes
            .iter()
            .any(|prefix| token.len() > prefix.len() && token.starts_with(prefix));
    known
        && (1..=LONGEST_TOKEN).contains(&token.len())
        && token.bytes().all(|byte| byte.is_ascii_graphic())
        && !is_card_number(token)
}

/// 12 to 19 digits, however they are grouped: nobody's token looks so.
fn is_card_number(text: &str) -> bool {
    let bare: Vec<u8> = text.bytes().filter(|b| !matches!(b, b'-' | b' ')).collect();
    (12..=19).contains(&bare.len()) && bare.iter().all(u8::is_ascii_digit)
}

/// Whether a field of this name is known to bring raw card data, however the name is written.
pub(crate) fn is_card_field(name: &str) -> bool {
    CARD_FIELDS.contains(&bare(name).as_str())
}

/// A field's name in lower case and without separators.
pub(crate) fn bare(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

/// The path of the first field that is called like raw card data, however deep it is.
fn card_field(value: &Value, path: &str) -> Option<String> {
    match value {
        Value::Object(fields) => card_field_in(fields, path),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(at, item)| card_field(item, &format!("{path}[{at}]"))),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn card_field_in(fields: &Map<String, Value>, path: &str) -> Option<String> {
    fields.iter().find_map(|(name, value)| {
        let here = format!("{path}.{}", shown(name));
        if is_card_field(name) {
            Some(here)
        } else {
            card_field(value, &here)
        }
    })
}

/// A field's name as a fault may repeat it: the caller wrote it, so it may be anything, even the card number.
fn shown(name: &str) -> &str {
    let plain = (1..=40).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    // Names of card data that carry a digit: cvc2, cvv2.
    if plain || matches!(name, "cvc2" | "cvv2") {
        name
    } else {
        "?"
    }
}

fn expected_token(prefixes: &[&str]) -> String {
    if prefixes.is_empty() {
        "a token: 1 to 255 visible ASCII characters".to_owned()
    } else {
        format!(
            "a token that begins with {}, at most 255 visible ASCII characters",
            prefixes.join(" or ")
        )
    }
}

fn fault(field: &str, expected: &str) -> MethodFault {
    MethodFault {
        field: field.to_owned(),
        expected: expected.to_owned(),
        card_data: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const STRIPE: [&str; 2] = ["pm_", "ctoken_"];

    #[test]
    fn a_token_of_a_known_kind_is_taken() {
        for token in ["pm_card_visa", "ctoken_1A"] {
            assert_eq!(check_token(&json!({ "token": token }), &STRIPE), Ok(()));
        }
        assert_eq!(check_token(&json!({"token": "anything"}), &[]), Ok(()));
    }

    #[test]
    fn what_is_not_one_token_is_refused_by_the_name_of_the_field() {
        let long = format!("pm_{}", "a".repeat(253));
        for (method, field) in [
            (json!("pm_1"), "paymentMethod"),
            (json!(null), "paymentMethod"),
            (json!([]), "paymentMethod"),
            (json!({}), "paymentMethod.token"),
            (json!({"token": 1}), "paymentMethod.token"),
            (json!({"token": ""}), "paymentMethod.token"),
            (json!({"token": "pm_"}), "paymentMethod.token"),
            (json!({"token": "tok_1"}), "paymentMethod.token"),
            (json!({"token": "pm_ 1"}), "paymentMethod.token"),
            (json!({"token": "pm_ä"}), "paymentMethod.token"),
            (json!({"token": long}), "paymentMethod.token"),
            (
                json!({"token": "pm_1", "type": "card"}),
                "paymentMethod.type",
            ),
            (json!({"token": "pm_1", "4242 4242": 1}), "paymentMethod.?"),
        ] {
            let fault = check_token(&method, &STRIPE).unwrap_err();
            assert_eq!((fault.field.as_str(), fault.card_data), (field, false));
        }
        let number = json!({"token": "4242-4242-4242-4242"});
        assert!(check_token(&number, &[]).is_err());
    }

    #[test]
    fn raw_card_data_is_found_at_any_depth_and_under_any_spelling() {
        for (method, field) in [
            (
                json!({"number": "4242424242424242"}),
                "paymentMethod.number",
            ),
            (json!({"token": "pm_1", "cvc": "123"}), "paymentMethod.cvc"),
            (
                json!({"card": {"card_number": 1}}),
                "paymentMethod.card.card_number",
            ),
            (
                json!({"card": {"cardNumber": 1}}),
                "paymentMethod.card.cardNumber",
            ),
            (
                json!({"a": [{"b": {"cvv": 1}}]}),
                "paymentMethod.a[0].b.cvv",
            ),
            (json!({"card": {"CVC2": 1}}), "paymentMethod.card.?"),
            (json!({"card": {"cvc2": 1}}), "paymentMethod.card.cvc2"),
            (json!({"exp_month": 1}), "paymentMethod.exp_month"),
            (
                json!({"x": {"expiryMonth": 1}}),
                "paymentMethod.x.expiryMonth",
            ),
            (
                json!([{"securityCode": 1}]),
                "paymentMethod[0].securityCode",
            ),
        ] {
            let fault = check_token(&method, &STRIPE).unwrap_err();
            assert_eq!((fault.field.as_str(), fault.card_data), (field, true));
            assert!(!fault.expected.contains("4242"));
        }
    }
}
