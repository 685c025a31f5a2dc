//! A JSON schema in words: what it is called, what it asks for, and a table of its fields.

use serde_json::Value;

use super::{escape, fields, list, named, prose, row, text};

/// What a value is: a link to a named schema, or its type.
pub(super) fn kind(schema: Option<&Value>) -> String {
    let Some(schema) = schema else {
        return "anything".to_owned();
    };
    if let Some(link) = schema.get("$ref").and_then(Value::as_str) {
        let name = escape(link.rsplit('/').next().unwrap_or(link));
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    let joined = |field: &str, word: &str| {
        let parts: Vec<String> = list(schema, field).map(|part| kind(Some(part))).collect();
        (!parts.is_empty()).then(|| parts.join(word))
    };
    if let Some(either) = joined("/oneOf", " or ").or_else(|| joined("/anyOf", " or ")) {
        return either;
    }
    // A narrowing of a named schema is told by its examples.
    if let Some(first) = list(schema, "/allOf").next() {
        return kind(Some(first));
    }
    match schema.get("type") {
        Some(Value::Array(types)) => {
            let words: Vec<&str> = types.iter().filter_map(Value::as_str).collect();
            escape(&words.join(" or "))
        }
        Some(Value::String(word)) if word == "array" => {
            format!("list of {}", kind(schema.get("items")))
        }
        Some(Value::String(word)) => escape(word),
        _unsaid => "anything".to_owned(),
    }
}

/// What is asked of a value beyond its type.
pub(super) fn rules(schema: Option<&Value>) -> String {
    let Some(schema) = schema else {
        return String::new();
    };
    let mut rules = Vec::new();
    let mut note = |words: &str, field: &str| {
        let spelt = |value: &Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        let told = schema.get(field).map(spelt);
        rules.extend(told.map(|told| format!("{words} <code>{}</code>", escape(&told))));
    };
    note("", "format");
    note("at least", "minimum");
    note("at most", "maximum");
    note("characters, at least", "minLength");
    note("characters, at most", "maxLength");
    note("pattern", "pattern");
    let words: Vec<String> = list(schema, "/enum")
        .map(|word| format!("<code>{}</code>", escape(word.as_str().unwrap_or_default())))
        .collect();
    rules.extend((!words.is_empty()).then(|| format!("one of {}", words.join(", "))));
    match rules.is_empty() {
        true => String::new(),
        false => format!("<br>{}", rules.join("; ")),
    }
}

/// The fields of an object, the words of an enumeration, the shapes of an alternative.
pub(super) fn properties(schema: &Value) -> String {
    let shapes: String = list(schema, "/oneOf").map(shape).collect();
    if fields(schema, "/properties").next().is_none() {
        return match shapes.is_empty() {
            true => format!("<p>{}{}</p>", kind(Some(schema)), rules(Some(schema))),
            false => shapes,
        };
    }
    let required: Vec<&str> = list(schema, "/required")
        .filter_map(Value::as_str)
        .collect();
    let mut table =
        "<div class=\"table\"><table><tr><th>Field</th><th>Type</th><th></th></tr>".to_owned();
    for (name, field) in fields(schema, "/properties") {
        table.push_str(&row(&[
            named(&escape(name), required.contains(&name.as_str())),
            format!("{}{}", kind(Some(field)), rules(Some(field))),
            prose(&text(field, "/description")),
        ]));
    }
    table + "</table></div>"
}

fn shape(schema: &Value) -> String {
    let about = text(schema, "/description");
    match about.is_empty() {
        true => properties(schema),
        false => format!("{}{}", prose(&about), properties(schema)),
    }
}
