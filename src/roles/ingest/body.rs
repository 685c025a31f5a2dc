//! Reading request bodies: every wrong field is named at once, an unknown one is refused, card data loudly.

mod details;
mod way;

use axum::body::Body;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::problem::{FieldFault, Problem};
use crate::domain::ids::{GatewayName, OrderId};
use crate::domain::payment::DetailsChange;
use crate::domain::secret::Secret;
use crate::gateway::{Gateways, bare, is_card_field};

pub(super) use details::details_change;

/// A checked `POST /v1/payments` or `POST /v1/payment-details`.
#[derive(Debug)]
pub(super) struct Purchase {
    pub(super) wanted: Wanted,
    pub(super) gateway: GatewayName,
    pub(super) method: Secret<Value>,
    pub(super) return_url: Option<String>,
    pub(super) save: bool,
    /// SHA-256 of the body as canonical JSON: the order of keys and white space do not count.
    pub(super) hash: [u8; 32],
}

/// What a method is handed in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Order(OrderId),
    Details(DetailsChange),
}

/// Reads at most `limit` bytes.
pub(super) async fn read(body: Body, limit: usize) -> Result<Vec<u8>, Problem> {
    match axum::body::to_bytes(body, limit).await {
        Ok(bytes) => Ok(bytes.to_vec()),
        Err(_) => Err(Problem::TooLong { limit }),
    }
}

fn object(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    let value: Value = serde_json::from_slice(bytes).map_err(|why| {
        // The parser's text names a place, never a value.
        Problem::NotJson(format!(
            "it breaks at line {}, column {}",
            why.line(),
            why.column()
        ))
    })?;
    match value {
        Value::Object(object) => Ok(object),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(Problem::NotJson("it is not an object".to_owned()))
        }
    }
}

pub(super) fn purchase(bytes: &[u8], gateways: &Gateways) -> Result<Purchase, Problem> {
    let fields = object(bytes)?;
    let hash = canonical_hash(&fields);
    let mut form = Form::new(fields);
    let order_id = form.required(
        "orderId",
        "an order id (a number from 1 to 999999999999)",
        |value| serde_json::from_value::<OrderId>(value.clone()).ok(),
    );
    let way = form.way(gateways);
    let save = form.optional("savePaymentMethod", "true or false", Value::as_bool);
    form.finish()?;
    match (order_id, way) {
        (Some(order_id), Some(way)) => Ok(Purchase {
            wanted: Wanted::Order(order_id),
            gateway: way.gateway,
            method: way.method,
            return_url: way.return_url,
            save: save.unwrap_or(false),
            hash,
        }),
        // Whatever is missing was named by `finish`.
        _incomplete => Err(Problem::InvalidFields(Vec::new())),
    }
}

/// Checks a `POST /v1/payments/{id}/continue`: `{"details": {…}}`. The gateway is asked for the truth, so the details are
/// only looked at for what must not be in them.
pub(super) fn continuation(bytes: &[u8]) -> Result<(), Problem> {
    let mut form = Form::new(object(bytes)?);
    form.required(
        "details",
        "an object: what the gateway's script returned, {} when it returned nothing",
        |value| value.is_object().then_some(()),
    );
    form.finish()
}

fn canonical_hash(fields: &Map<String, Value>) -> [u8; 32] {
    // `serde_json`'s map is sorted by key (its feature `preserve_order` is off; a test holds that).
    Sha256::digest(serde_json::to_vec(fields).unwrap_or_default()).into()
}

/// The fields of a body that have not been read yet, and what was wrong with those that have.
struct Form {
    fields: Map<String, Value>,
    faults: Vec<FieldFault>,
    card_data: Vec<FieldFault>,
}

impl Form {
    fn new(fields: Map<String, Value>) -> Form {
        let mut form = Form {
            fields,
            faults: Vec::new(),
            card_data: Vec::new(),
        };
        let found: Vec<String> = form
            .fields
            .keys()
            .filter(|key| is_card_field(key) || bare(key) == "card")
            .cloned()
            .collect();
        for key in found {
            form.fields.remove(&key);
            form.fault(true, &key, "no card data at all");
        }
        form
    }

    fn required<T>(
        &mut self,
        name: &str,
        expected: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<T> {
        let Some(value) = self.fields.remove(name) else {
            self.fault(false, name, &format!("missing; it must be {expected}"));
            return None;
        };
        let read = read(&value);
        if read.is_none() {
            self.fault(false, name, &format!("must be {expected}"));
        }
        read
    }

    fn optional<T>(
        &mut self,
        name: &str,
        expected: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<T> {
        match self.fields.remove(name) {
            None | Some(Value::Null) => None,
            Some(value) => {
                let read = read(&value);
                if read.is_none() {
                    self.fault(false, name, &format!("must be {expected}"));
                }
                read
            }
        }
    }

    fn fault(&mut self, card_data: bool, field: &str, detail: &str) {
        let list = if card_data {
            &mut self.card_data
        } else {
            &mut self.faults
        };
        list.push(FieldFault {
            field: field.to_owned(),
            detail: detail.to_owned(),
        });
    }

    /// Names everything that was wrong, unknown fields included. A field's value is never repeated: it may be a secret.
    fn finish(mut self) -> Result<(), Problem> {
        let unknown: Vec<String> = self.fields.keys().cloned().collect();
        for name in unknown {
            let shown: String = name.chars().take(64).collect();
            self.fault(false, &shown, "unknown field");
        }
        if !self.card_data.is_empty() {
            return Err(Problem::CardData(self.card_data));
        }
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(Problem::InvalidFields(self.faults))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_keys_does_not_change_the_hash() {
        let hash = |text: &str| canonical_hash(&object(text.as_bytes()).unwrap());
        assert_eq!(
            hash(r#"{"b":{"y":1,"x":2},"a":1}"#),
            hash(r#"{ "a": 1, "b": {"x": 2, "y": 1} }"#)
        );
        assert_ne!(hash(r#"{"a":1}"#), hash(r#"{"a":2}"#));
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let body = br#"{"orderId":"x","gateway":"nope","amount":5,"returnUrl":"ftp://x","savePaymentMethod":1}"#;
        let Err(Problem::InvalidFields(faults)) = purchase(body, &Gateways::new()) else {
            panic!("refused")
        };
        let mut fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        fields.sort_unstable();
        assert_eq!(
            fields,
            [
                "amount",
                "gateway",
                "orderId",
                "paymentMethod",
                "returnUrl",
                "savePaymentMethod"
            ]
        );
    }

    #[test]
    fn card_data_is_refused_and_not_repeated() {
        let body = br#"{"orderId":1,"gateway":"stripe","cardNumber":"4242424242424242"}"#;
        let Err(problem @ Problem::CardData(_)) = purchase(body, &Gateways::new()) else {
            panic!("refused")
        };
        assert!(!format!("{problem:?}").contains("4242"));
    }
}
