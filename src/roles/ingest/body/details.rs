//! Reading a `POST /v1/payment-details`.

use serde_json::Value;

use super::{Form, Purchase, Wanted, canonical_hash, object};
use crate::domain::ids::{PaymentDetailsId, SubscriptionId};
use crate::domain::payment::DetailsChange;
use crate::gateway::Gateways;
use crate::roles::ingest::problem::Problem;

/// The largest number that every reader of JSON keeps as it is; Cleeng's ids have ten digits.
const LARGEST_ID: u64 = 999_999_999_999;

const ID: &str = "a number from 1 to 999999999999";

pub(in crate::roles::ingest) fn details_change(
    bytes: &[u8],
    gateways: &Gateways,
) -> Result<Purchase, Problem> {
    let fields = object(bytes)?;
    let hash = canonical_hash(&fields);
    let mut form = Form::new(fields);
    let customer_id = form.required("customerId", ID, id);
    let way = form.way(gateways);
    let maybe = format!("{ID}, or null");
    let replaces = form.optional("replaces", &maybe, id);
    let subscription_id = form.optional("subscriptionId", &maybe, id);
    form.finish()?;
    let adapter = way.as_ref().and_then(|way| gateways.get(&way.gateway));
    match (customer_id, adapter, &way) {
        (Some(customer_id), Some(adapter), Some(way)) => Ok(Purchase {
            wanted: Wanted::Details(DetailsChange {
                customer_id,
                payment_method_id: adapter.payment_method_id(),
                subscription_id: subscription_id.map(SubscriptionId),
                replaces: replaces.map(PaymentDetailsId),
            }),
            gateway: way.gateway.clone(),
            method: way.method.clone(),
            return_url: way.return_url.clone(),
            save: true,
            hash,
        }),
        // Whatever is missing was named by `finish`.
        _incomplete => Err(Problem::InvalidFields(Vec::new())),
    }
}

/// Cleeng writes ids as numbers and as numeric strings.
fn id(value: &Value) -> Option<u64> {
    let number = match value {
        Value::Number(number) => number.as_u64()?,
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse().ok()?
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            return None;
        }
    };
    (1..=LARGEST_ID).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_id_is_a_number_or_its_digits() {
        for (value, expected) in [
            (json!(665665665), Some(665_665_665)),
            (json!("665665665"), Some(665_665_665)),
            (json!(0), None),
            (json!(-1), None),
            (json!(1.5), None),
            (json!(""), None),
            (json!("+1"), None),
            (json!(1_000_000_000_000_u64), None),
            (json!({}), None),
        ] {
            assert_eq!(id(&value), expected, "{value}");
        }
    }

    #[test]
    fn every_wrong_field_of_a_change_is_named_at_once() {
        let body = br#"{"customerId":0,"gateway":"nope","orderId":7,"replaces":"x","subscriptionId":-1,"returnUrl":5}"#;
        let Err(Problem::InvalidFields(faults)) = details_change(body, &Gateways::new()) else {
            panic!("refused")
        };
        let mut fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        fields.sort_unstable();
        assert_eq!(
            fields,
            [
                "customerId",
                "gateway",
                "orderId",
                "paymentMethod",
                "replaces",
                "returnUrl",
                "subscriptionId"
            ]
        );
    }

    #[test]
    fn a_change_with_card_data_is_refused() {
        let body = br#"{"customerId":5,"gateway":"stripe","cardNumber":"4242424242424242"}"#;
        let Err(problem @ Problem::CardData(_)) = details_change(body, &Gateways::new()) else {
            panic!("refused")
        };
        assert!(!format!("{problem:?}").contains("4242"));
    }
}
