//! The document as a page: one file without scripts, which a person can read and search.

mod call;
mod schema;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use call::{Call, calls};
use schema::{kind, properties, rules};

const STYLE: &str = include_str!("page.css");

/// The page's own style by its hash, and nothing else from anywhere.
pub(super) fn policy() -> String {
    let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

pub(super) fn html(document: &Value) -> String {
    let calls = calls(document);
    let tags: String = list(document, "/tags")
        .map(|tag| chapter(document, tag, &calls))
        .collect();
    let (head, schemas, headers) = (head(document), schemas(document), headers(document));
    format!("<!DOCTYPE html>\n<html lang=\"en\">{head}{tags}{schemas}{headers}</body></html>\n")
}

fn head(document: &Value) -> String {
    let title = text(document, "/info/title");
    format!(
        "<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}: API</title><style>{STYLE}</style></head><body>\
         <h1>{title} <small>{}</small></h1>{}\
         <p>For programs: <a href=\"/openapi.json\">/openapi.json</a> (OpenAPI {}). What is <strong>bold</strong> is never missing. \
         <a href=\"#headers\">Headers of every answer</a> are not repeated at each.</p>",
        text(document, "/info/version"),
        prose(&text(document, "/info/description")),
        text(document, "/openapi"),
    )
}

fn chapter(document: &Value, tag: &Value, calls: &[Call<'_>]) -> String {
    let name = text(tag, "/name");
    let mine = || calls.iter().filter(|call| call.tag == name);
    let links: String = mine().map(Call::link).collect();
    let sections: String = mine().map(|call| call.section(document)).collect();
    format!(
        "<h2>{}</h2><p>{}.</p><nav><ul>{links}</ul></nav>{sections}",
        capitalised(&name),
        text(tag, "/description")
    )
}

fn schemas(document: &Value) -> String {
    let described = fields(document, "/components/schemas").map(|(name, schema)| {
        format!(
            "<h3 id=\"schema-{0}\">{0}</h3>{1}{2}{3}",
            escape(name),
            prose(&text(schema, "/description")),
            properties(schema),
            example("Example", schema.get("example"))
        )
    });
    "<h2 id=\"schemas\">Schemas</h2>".to_owned() + &described.collect::<String>()
}

fn headers(document: &Value) -> String {
    let described = fields(document, "/components/headers").map(|(name, header)| {
        row(&[
            named(&escape(name), is_true(header, "/required")),
            format!(
                "{}{}",
                kind(header.get("schema")),
                rules(header.get("schema"))
            ),
            text(header, "/description"),
        ])
    });
    format!(
        "<h2 id=\"headers\">Headers</h2><div class=\"table\"><table><tr><th>Header</th><th>Type</th><th></th></tr>{}</table></div>",
        described.collect::<String>()
    )
}

fn example(name: &str, value: Option<&Value>) -> String {
    value.map_or_else(String::new, |value| {
        format!(
            "<details><summary>{}</summary><pre>{}</pre></details>",
            escape(name),
            escape(&format!("{value:#}"))
        )
    })
}

/// A field's name, in bold where it is never missing.
fn named(name: &str, is_required: bool) -> String {
    match is_required {
        true => format!("<strong><code>{name}</code></strong>"),
        false => format!("<code>{name}</code>"),
    }
}

fn row(cells: &[String]) -> String {
    let cells: String = cells
        .iter()
        .map(|cell| format!("<td>{cell}</td>"))
        .collect();
    format!("<tr>{cells}</tr>")
}

/// Paragraphs, and words in backquotes as code.
fn prose(escaped: &str) -> String {
    let paragraphs = escaped.split("\n\n").filter(|it| !it.trim().is_empty());
    paragraphs
        .map(|paragraph| {
            let parts = paragraph.split('`').enumerate();
            let marked: String = parts
                .map(|(at, part)| match at % 2 {
                    0 => part.to_owned(),
                    _quoted => format!("<code>{part}</code>"),
                })
                .collect();
            format!("<p>{marked}</p>")
        })
        .collect()
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

fn is_true(value: &Value, pointer: &str) -> bool {
    value.pointer(pointer).and_then(Value::as_bool) == Some(true)
}

/// A text of the document, escaped; nothing where there is none.
fn text(value: &Value, pointer: &str) -> String {
    escape(
        value
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default(),
    )
}

fn list<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn fields<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value
        .pointer(pointer)
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::iter)
}

fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            plain => safe.push(plain),
        }
    }
    safe
}
