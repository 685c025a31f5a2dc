//! The document as a page: one file without scripts, which a person can read and search.

mod schema;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

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
    let title = text(document, "/info/title");
    let calls = calls(document);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}: API</title><style>{STYLE}</style></head><body>\
         <h1>{title} <small>{}</small></h1>{}\
         <p>For programs: <a href=\"/openapi.json\">/openapi.json</a> (OpenAPI {}).</p>",
        text(document, "/info/version"),
        prose(&text(document, "/info/description")),
        text(document, "/openapi"),
    );
    for tag in list(document, "/tags") {
        let mine = calls.iter().filter(|call| call.tag == text(tag, "/name"));
        page.push_str(&format!(
            "<h2>{}</h2><p>{}</p><nav><ul>",
            capitalised(&text(tag, "/name")),
            text(tag, "/description")
        ));
        let mine: Vec<&Call<'_>> = mine.collect();
        for call in &mine {
            page.push_str(&format!(
                "<li><a href=\"#{}\"><span class=\"verb\">{}</span> <code>{}</code></a></li>",
                call.id, call.verb, call.path
            ));
        }
        page.push_str("</ul></nav>");
        for call in mine {
            page.push_str(&call.section(document));
        }
    }
    page.push_str("<h2 id=\"schemas\">Schemas</h2>");
    for (name, schema) in fields(document, "/components/schemas") {
        page.push_str(&format!(
            "<h3 id=\"schema-{0}\">{0}</h3>{1}{2}",
            escape(name),
            prose(&text(schema, "/description")),
            properties(schema)
        ));
        page.push_str(&example("Example", schema.get("example")));
    }
    page.push_str("</body></html>\n");
    page
}

/// One operation of the document.
struct Call<'a> {
    verb: String,
    path: String,
    id: String,
    tag: String,
    operation: &'a Value,
}

fn calls(document: &Value) -> Vec<Call<'_>> {
    let paths = fields(document, "/paths");
    let of = |path: &'_ str, verb: &str, operation| Call {
        verb: verb.to_uppercase(),
        path: escape(path),
        id: text(operation, "/operationId"),
        tag: text(operation, "/tags/0"),
        operation,
    };
    paths
        .flat_map(|(path, item)| fields(item, "").map(move |(verb, it)| of(path, verb, it)))
        .collect()
}

impl Call<'_> {
    fn section(&self, document: &Value) -> String {
        let mut section = format!(
            "<section id=\"{}\"><h3><span class=\"verb\">{}</span> <code>{}</code></h3><p><strong>{}.</strong></p>{}",
            self.id,
            self.verb,
            self.path,
            text(self.operation, "/summary"),
            prose(&text(self.operation, "/description")),
        );
        if self.operation.get("security").is_some() {
            section.push_str("<p>Needs <code>Authorization: Bearer</code>.</p>");
        }
        let parameters: Vec<&Value> = list(self.operation, "/parameters").collect();
        if !parameters.is_empty() {
            section.push_str("<div class=\"table\"><table><tr><th>Parameter</th><th>In</th><th>Type</th><th></th></tr>");
            for parameter in parameters {
                section.push_str(&row(&[
                    named(&text(parameter, "/name"), is_true(parameter, "/required")),
                    text(parameter, "/in"),
                    format!(
                        "{}{}",
                        kind(parameter.get("schema")),
                        rules(parameter.get("schema"))
                    ),
                    text(parameter, "/description"),
                ]));
            }
            section.push_str("</table></div>");
        }
        for (media, content) in fields(self.operation, "/requestBody/content") {
            section.push_str(&format!(
                "<p>Body: {}, <code>{}</code>. {}</p>",
                kind(content.get("schema")),
                escape(media),
                text(self.operation, "/requestBody/description")
            ));
        }
        section.push_str("<div class=\"table\"><table><tr><th>Status</th><th>Body</th><th>Headers</th><th></th></tr>");
        for (status, response) in fields(self.operation, "/responses") {
            section.push_str(&response_row(document, status, response));
        }
        section + "</table></div></section>"
    }
}

fn response_row(document: &Value, status: &str, response: &Value) -> String {
    let mut bodies = String::new();
    let mut examples = String::new();
    for (media, content) in fields(response, "/content") {
        bodies.push_str(&format!(
            "<p>{}</p><p><code>{}</code></p>",
            kind(content.get("schema")),
            escape(media)
        ));
        for (name, given) in fields(content, "/examples") {
            examples.push_str(&example(name, given.get("value")));
        }
    }
    let headers: Vec<String> = fields(response, "/headers")
        .map(|(name, header)| {
            let header = resolved(document, header);
            let about = text(header, "/description");
            format!(
                "<span title=\"{about}\">{}</span>",
                named(&escape(name), is_true(header, "/required"))
            )
        })
        .collect();
    let about = format!("<p>{}.</p>{examples}", text(response, "/description"));
    row(&[escape(status), bodies, headers.join("<br>"), about])
}

/// What a reference of the document means.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let link = value.get("$ref").and_then(Value::as_str);
    let found = link.and_then(|link| document.pointer(link.trim_start_matches('#')));
    found.unwrap_or(value)
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
