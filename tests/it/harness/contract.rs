//! The OpenAPI document as a contract: every answer of the public API that a test gets is held against it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use super::client::Answer;
use super::process::run;

static CONTRACT: LazyLock<Contract> = LazyLock::new(|| {
    let (code, printed, complaint) = run(&["openapi"], &BTreeMap::new());
    assert_eq!(code, 0, "{complaint}");
    Contract::new(serde_json::from_str(&printed).unwrap())
});

/// What was asked.
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) body: Option<&'a str>,
}

/// Panics when the answer is not as the document says. What is no call of the public API is passed over.
pub(crate) fn check(asked: &Asked<'_>, answer: &Answer) {
    let public = asked.path.starts_with("/v1/") || ["/openapi.json", "/docs"].contains(&asked.path);
    if !public {
        return;
    }
    let faults = CONTRACT.faults(asked, answer);
    let (method, path, status) = (asked.method, asked.path, answer.status);
    assert!(
        faults.is_empty(),
        "{method} {path} is answered with {status}, and not as the OpenAPI document says:\n- {}\n{:?}\n{}",
        faults.join("\n- "),
        answer.headers,
        answer.text
    );
}

/// What is wrong with the answer.
pub(crate) fn faults(asked: &Asked<'_>, answer: &Answer) -> Vec<String> {
    CONTRACT.faults(asked, answer)
}

/// What is wrong with a value that should be as this named schema.
pub(crate) fn faults_of_value(schema: &str, value: &Value) -> Vec<String> {
    let link = json!({ "$ref": format!("#/components/schemas/{schema}") });
    CONTRACT.faults_of_value(&link, value)
}

pub(crate) fn document() -> &'static Value {
    &CONTRACT.document
}

struct Contract {
    document: Value,
    /// The components, with every object closed: what the server writes beyond them is a fault, although a reader passes over it.
    closed: Value,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Contract {
    fn new(document: Value) -> Contract {
        let mut closed = document["components"].clone();
        let schemas = closed["schemas"].as_object_mut().unwrap();
        schemas.values_mut().for_each(close);
        Contract {
            document,
            closed,
            validators: Mutex::default(),
        }
    }

    fn faults(&self, asked: &Asked<'_>, answer: &Answer) -> Vec<String> {
        let Some(item) = self.item(asked.path) else {
            return self.faults_elsewhere("UnknownPath", 404, answer);
        };
        let Some(operation) = item.get(&asked.method.to_lowercase()) else {
            return self.faults_elsewhere("WrongMethod", 405, answer);
        };
        let Some(response) = operation["responses"].get(answer.status.to_string()) else {
            return vec!["the status is not documented".to_owned()];
        };
        let mut faults = self.faults_of_answer(response, answer);
        if (200..300).contains(&answer.status) {
            faults.extend(self.faults_of_request(operation, asked));
        }
        faults
    }

    /// The path that is documented for this one: one without a parameter before one with.
    fn item(&self, path: &str) -> Option<&Map<String, Value>> {
        let paths = self.document["paths"].as_object().unwrap();
        let mut fitting: Vec<&String> = paths.keys().filter(|known| fits(known, path)).collect();
        fitting.sort_by_key(|known| known.matches('{').count());
        paths[fitting.first()?.as_str()].as_object()
    }

    fn faults_elsewhere(&self, name: &str, status: u16, answer: &Answer) -> Vec<String> {
        // A process that starts says so at every path.
        if answer.status == 503 {
            return self.faults_of_value(
                &json!({ "$ref": "#/components/schemas/Problem" }),
                &answer.json(),
            );
        }
        if answer.status != status {
            return vec![format!("not documented, and not answered with {status}")];
        }
        self.faults_of_answer(&self.document["components"]["responses"][name], answer)
    }

    fn faults_of_answer(&self, response: &Value, answer: &Answer) -> Vec<String> {
        let mut faults = self.faults_of_headers(response, answer);
        let given = answer.header("content-type").unwrap_or_default();
        let media = given.split(';').next().unwrap_or_default();
        let Some(content) = response["content"].get(media) else {
            faults.push(format!("the content type {given:?} is not documented"));
            return faults;
        };
        if media.ends_with("json") {
            let of_body = self.faults_of_value(&content["schema"], &answer.json());
            faults.extend(of_body.into_iter().map(|fault| format!("body: {fault}")));
        }
        faults
    }

    fn faults_of_headers(&self, response: &Value, answer: &Answer) -> Vec<String> {
        let none = Map::new();
        let named = response["headers"].as_object().unwrap_or(&none);
        let mut faults = Vec::new();
        for (name, link) in named {
            let pointer = link["$ref"].as_str().unwrap().trim_start_matches('#');
            let about = self.document.pointer(pointer).unwrap();
            match answer.header(name) {
                None if about["required"] == true => faults.push(format!("{name} is missing")),
                None => {}
                Some(text) => {
                    let value = match about["schema"]["type"].as_str() {
                        Some("integer") => text
                            .parse::<i64>()
                            .map_or(Value::Null, |number| json!(number)),
                        _text => json!(text),
                    };
                    let of_value = self.faults_of_value(&about["schema"], &value);
                    faults.extend(of_value.into_iter().map(|fault| format!("{name}: {fault}")));
                }
            }
        }
        faults
    }

    /// A request that was taken is one that the document allows.
    fn faults_of_request(&self, operation: &Value, asked: &Asked<'_>) -> Vec<String> {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let Some(body) = asked.body.filter(|_| !schema.is_null()) else {
            return Vec::new();
        };
        let body = serde_json::from_str(body).unwrap_or(Value::Null);
        let faults = self.faults_of_value(schema, &body);
        faults
            .into_iter()
            .map(|fault| {
                format!("the request was taken, and the document does not allow it: {fault}")
            })
            .collect()
    }

    fn faults_of_value(&self, schema: &Value, value: &Value) -> Vec<String> {
        let validator = self.validator(schema);
        let found = validator.iter_errors(value);
        found
            .map(|error| format!("{} at {:?}", error, error.instance_path().to_string()))
            .collect()
    }

    fn validator(&self, schema: &Value) -> Arc<Validator> {
        let mut known = self.validators.lock().unwrap();
        let made = known.entry(schema.to_string()).or_insert_with(|| {
            let mut whole = schema.clone();
            // References of the document are read from its root.
            whole["components"] = self.closed.clone();
            let options = jsonschema::options()
                .with_draft(Draft::Draft202012)
                .should_validate_formats(true);
            Arc::new(options.build(&whole).unwrap())
        });
        Arc::clone(made)
    }
}

/// Whether a path is one of those that the template stands for.
fn fits(template: &str, path: &str) -> bool {
    let (known, given): (Vec<&str>, Vec<&str>) =
        (template.split('/').collect(), path.split('/').collect());
    let same = |(known, given): (&&str, &&str)| {
        known == given || known.starts_with('{') && !given.is_empty()
    };
    known.len() == given.len() && known.iter().zip(&given).all(same)
}

/// Forbids what a schema does not name, in all objects of it that name anything.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(close);
            if fields.contains_key("properties") && fields.get("type") == Some(&json!("object")) {
                fields.insert("additionalProperties".to_owned(), json!(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
