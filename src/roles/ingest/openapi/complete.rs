//! What the handlers' attributes do not say, because it is the same everywhere: refusals, headers, and the credential.

use serde_json::{Map, Value, json};

use super::headers::{self, Header};
use super::refusals;

/// A path that does for payment details what another one does for payments, with the operation's other name.
const TWINS: [(&str, &str, &str); 3] = [
    (
        "/v1/payments/{id}",
        "/v1/payment-details/{id}",
        "readPaymentDetails",
    ),
    (
        "/v1/payments/{id}/continue",
        "/v1/payment-details/{id}/continue",
        "continuePaymentDetails",
    ),
    (
        "/v1/payments/{id}/events",
        "/v1/payment-details/{id}/events",
        "followPaymentDetails",
    ),
];

pub(super) fn complete(mut document: Value) -> Value {
    let mut paths = taken(&mut document, "paths");
    add_twins(&mut paths);
    let mut names = Vec::new();
    for item in paths.values_mut().filter_map(Value::as_object_mut) {
        for operation in item.values_mut() {
            names.extend(finish(operation));
        }
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut components = taken(&mut document, "components");
    if let Some(kind) = components
        .get_mut("schemas")
        .and_then(|schemas| schemas.pointer_mut("/Problem/properties/type"))
    {
        kind["enum"] = json!(refusals::types(&names));
    }
    if let Some(schemas) = components.get_mut("schemas") {
        schemas["PaymentEvent"] = event();
    }
    components.insert("headers".to_owned(), headers::components());
    components.insert("responses".to_owned(), refusals::elsewhere());
    components.insert("securitySchemes".to_owned(), credentials());
    if let Some(document) = document.as_object_mut() {
        document.insert("paths".to_owned(), paths.into());
        document.insert("components".to_owned(), components.into());
    }
    document
}

fn taken(document: &mut Value, field: &str) -> Map<String, Value> {
    match document.get_mut(field).map(Value::take) {
        Some(Value::Object(fields)) => fields,
        _missing => Map::new(),
    }
}

/// Before OpenAPI 3.2 the schema of an event stream is that of each event.
fn event() -> Value {
    json!({
        "description": "One event of a stream. Its data is a payment as JSON.",
        "type": "object",
        "properties": {
            "event": { "const": "payment" },
            "id": { "type": "string", "pattern": "^[0-9]+$", "description": "Its place in the payment's history." },
            "data": {
                "type": "string",
                "contentMediaType": "application/json",
                "contentSchema": { "$ref": "#/components/schemas/Payment" },
            },
        },
        "required": ["event", "id", "data"],
    })
}

fn credentials() -> Value {
    json!({
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "By auth.mode: a customer's token of Cleeng's (customer), the key of a server (api_key), either (customer_or_api_key), or nothing (none).",
        }
    })
}

fn add_twins(paths: &mut Map<String, Value>) {
    for (original, twin, name) in TWINS {
        let Some(mut item) = paths.get(original).cloned() else {
            continue;
        };
        for operation in item.as_object_mut().into_iter().flat_map(Map::values_mut) {
            operation["operationId"] = json!(name);
            operation["tags"] = json!(["payment details"]);
        }
        paths.insert(twin.to_owned(), item);
    }
}

/// Completes an operation; its name.
fn finish(operation: &mut Value) -> Option<String> {
    let name = operation.get("operationId")?.as_str()?.to_owned();
    headers_are_texts(operation);
    let tag = operation.pointer("/tags/0").and_then(Value::as_str);
    let is_limited = matches!(tag, Some("payments" | "payment details"));
    let responses = operation.get_mut("responses")?.as_object_mut()?;
    for (status, response) in responses.iter_mut() {
        if let Some(stream) = response.pointer_mut("/content/text~1event-stream") {
            stream["schema"] = json!({ "$ref": "#/components/schemas/PaymentEvent" });
        }
        headers::add(response, success_headers(&name, status));
    }
    responses.extend(refusals::responses(&refusals::of(&name)));
    for response in responses.values_mut() {
        headers::add(response, &headers::ALWAYS);
        if is_limited {
            headers::add(response, &headers::LIMITED);
        }
    }
    if is_limited {
        operation["security"] = json!([{ "bearer": [] }]);
    }
    Some(name)
}

/// A header that may be missing is not one that may be null.
fn headers_are_texts(operation: &mut Value) {
    let parameters = operation.get_mut("parameters");
    for parameter in parameters
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Some(kind) = parameter.pointer_mut("/schema/type")
            && kind.is_array()
        {
            *kind = json!("string");
        }
    }
}

fn success_headers(operation: &str, status: &str) -> &'static [Header] {
    match (operation, status) {
        ("createPayment" | "changePaymentDetails", "202") => {
            &[Header::Location, Header::IdempotentReplayed]
        }
        ("continuePayment" | "continuePaymentDetails", "202") => &[Header::Location],
        ("readDocs", "200") => &[Header::ContentSecurityPolicy],
        _plain => &[],
    }
}
