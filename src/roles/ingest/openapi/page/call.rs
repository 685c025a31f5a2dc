//! One call on the page: what it is asked with, and every way in which it is answered.

use serde_json::Value;

use super::schema::{kind, rules};
use super::{escape, example, fields, is_true, list, named, prose, row, text};

/// The headers of all answers, and of all of limited calls: told once, below.
const COMMON: [&str; 5] = [
    "Cache-Control",
    "RateLimit",
    "RateLimit-Policy",
    "X-Content-Type-Options",
    "X-Request-Id",
];

/// One operation of the document.
pub(super) struct Call<'a> {
    verb: String,
    path: String,
    id: String,
    pub(super) tag: String,
    operation: &'a Value,
}

pub(super) fn calls(document: &Value) -> Vec<Call<'_>> {
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
    pub(super) fn link(&self) -> String {
        format!(
            "<li><a href=\"#{}\"><span class=\"verb\">{}</span> <code>{}</code></a></li>",
            self.id, self.verb, self.path
        )
    }

    pub(super) fn section(&self, document: &Value) -> String {
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
        .filter(|(name, _)| !COMMON.contains(&name.as_str()))
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
