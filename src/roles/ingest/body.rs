//! Reading request bodies: every wrong field is named at once, an unknown one is refused, card data loudly.

use axum::body::Body;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use url::Url;

use super::problem::{FieldFault, Problem};
use crate::domain::ids::{GatewayName, OrderId};
use crate::domain::secret::Secret;
use crate::gateway::{Gateways, bare, is_card_field};

/// A checked `POST /v1/payments`.
#[derive(Debug)]
pub(super) struct Purchase {
    pub(super) order_id: OrderId,
    pub(super) gateway: GatewayName,
    pub(super) method: Secret<Value>,
    pub(super) return_url: Option<String>,
    pub(super) save: bool,
    /// SHA-256 of the body as canonical JSON: the order of keys and white space do not count.
    pub(super) hash: [u8; 32],
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
    let known = gateways
        .keys()
        .map(GatewayName::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    let gateway = form.required(
        "gateway",
        &format!("one of the configured gateways: {known}"),
        |value| {
            let name: GatewayName = value.as_str()?.parse().ok()?;
            gateways.contains_key(&name).then_some(name)
        },
    );
    let method = form.required(
        "paymentMethod",
        "an object: the gateway's own token",
        |value| value.is_object().then(|| value.clone()),
    );
    let return_url = form.optional(
        "returnUrl",
        "an https URL (http only to this machine), or null",
        return_url,
    );
    let save = form.optional("savePaymentMethod", "true or false", Value::as_bool);
    if let (Some(gateway), Some(method)) = (&gateway, &method)
        && let Some(Err(fault)) = gateways
            .get(gateway)
            .map(|adapter| adapter.check_method(method))
    {
        form.fault(fault.card_data, &fault.field, &fault.expected);
    }
    form.finish()?;
    match (order_id, gateway, method) {
        (Some(order_id), Some(gateway), Some(method)) => Ok(Purchase {
            order_id,
            gateway,
            method: Secret::new(method),
            return_url,
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

fn return_url(value: &Value) -> Option<String> {
    let text = value.as_str().filter(|text| text.len() <= 2048)?;
    // A URL parser mends or drops them; a database refuses some.
    if text.chars().any(char::is_control) {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let fits = match url.scheme() {
        "https" => url.has_host(),
        "http" => local,
        _other => false,
    };
    (fits && url.username().is_empty() && url.password().is_none()).then(|| text.to_owned())
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

    #[test]
    fn a_return_url_is_https_or_this_machine() {
        for (url, good) in [
            ("https://shop.example/back", true),
            ("http://127.0.0.1:8080/", true),
            ("http://shop.example/back", false),
            ("javascript:alert(1)", false),
            ("https://user:secret@shop.example/", false),
            ("/back", false),
        ] {
            assert_eq!(
                return_url(&Value::String(url.to_owned())).is_some(),
                good,
                "{url}"
            );
        }
    }
}
