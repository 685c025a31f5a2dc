//! The layers of a configuration laid over each other: defaults, file, environment. It knows no key by name.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{Fault, Origin};
use super::variable;

/// A value as it was written.
pub(super) enum Raw {
    Text(String),
    Integer(i64),
    /// Of a type that no key has; its name.
    Other(&'static str),
    /// It could not be read; that is reported already.
    Unread,
}

/// A value and where it came from. Deliberately without `Debug`: it may be a secret.
pub(super) struct Entry {
    pub(super) raw: Raw,
    pub(super) origin: Origin,
}

/// The effective values by their full keys (`broker.url`), later layers over earlier ones.
#[derive(Default)]
pub(super) struct Layers {
    pub(super) entries: BTreeMap<String, Entry>,
    /// Every section that is written, also an empty one.
    pub(super) sections: BTreeMap<String, Origin>,
    /// Variables with our prefix that cannot be a key's.
    pub(super) strays: Vec<String>,
}

impl Layers {
    /// Lays a TOML text over what is there. Returns all its syntax errors; then nothing of it is taken.
    pub(super) fn lay_toml(&mut self, text: &str, name: Option<&str>) -> Vec<Fault> {
        let (table, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            let source = Source { text, name };
            self.lay_table("", table.get_ref(), &source);
            return Vec::new();
        }
        let name = name.unwrap_or("the defaults");
        errors
            .iter()
            .map(|error| Fault {
                key: name.to_owned(),
                variable: None,
                origin: Origin::File {
                    name: name.to_owned(),
                    line: line_at(text, error.span().map_or(0, |span| span.start)),
                },
                value: None,
                // Only the message: the error's `Display` quotes the line, which may hold a secret.
                problem: format!("not TOML: {}", error.message()),
                remedy: "correct the line; the file's keys are checked once it can be read"
                    .to_owned(),
            })
            .collect()
    }

    fn lay_table(&mut self, prefix: &str, table: &DeTable<'_>, source: &Source<'_>) {
        for (key, value) in table {
            let path = match prefix {
                "" => key.get_ref().to_string(),
                prefix => format!("{prefix}.{}", key.get_ref()),
            };
            let origin = source.origin(value);
            if let DeValue::Table(inner) = value.get_ref() {
                self.sections.insert(path.clone(), origin);
                self.lay_table(&path, inner, source);
                continue;
            }
            let raw = raw(value.get_ref());
            self.entries.insert(path, Entry { raw, origin });
        }
    }

    /// Lays the `CONNECTOR_…` variables over what is there; others are not looked at.
    pub(super) fn lay_environment(
        &mut self,
        variables: &[(String, String)],
        read_file: &dyn Fn(&Path) -> io::Result<String>,
    ) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (name, value) in variables {
            if !name.starts_with(variable::PREFIX) || variable::is_service_link(name, value) {
                continue;
            }
            let (plain, in_file) = match name.strip_suffix(variable::FILE_SUFFIX) {
                Some(plain) => (plain, true),
                None => (name.as_str(), false),
            };
            let Some(path) = variable::key(plain) else {
                self.strays.push(name.clone());
                continue;
            };
            if in_file && variables.iter().any(|(other, _)| other == plain) {
                faults.push(variable::both(&path, plain));
                continue;
            }
            let entry = match in_file {
                true => secret_file(&path, name, value, read_file, &mut faults),
                false => Entry {
                    raw: Raw::Text(value.clone()),
                    origin: Origin::Environment {
                        variable: name.clone(),
                    },
                },
            };
            self.entries.insert(path, entry);
        }
        faults
    }

    /// The names of the sections right below `parent`, in order.
    pub(super) fn below(&self, parent: &str) -> Vec<String> {
        let mut names: Vec<String> = self
            .entries
            .keys()
            .filter_map(|path| path.rsplit_once('.').map(|(section, _)| section))
            .chain(self.sections.keys().map(String::as_str))
            .filter_map(|section| section.strip_prefix(parent)?.strip_prefix('.'))
            .map(|rest| rest.split_once('.').map_or(rest, |(name, _)| name))
            .map(str::to_owned)
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

/// A TOML text and its name; the defaults have none.
struct Source<'a> {
    text: &'a str,
    name: Option<&'a str>,
}

impl Source<'_> {
    fn origin<T>(&self, at: &Spanned<T>) -> Origin {
        match self.name {
            None => Origin::Default,
            Some(name) => Origin::File {
                name: name.to_owned(),
                line: line_at(self.text, at.span().start),
            },
        }
    }
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Raw::Other("a number that is too large"), Raw::Integer),
        DeValue::Float(_) => Raw::Other("a number with a fraction"),
        DeValue::Boolean(_) => Raw::Other("true or false"),
        DeValue::Datetime(_) => Raw::Other("a date"),
        DeValue::Array(_) => Raw::Other("a list"),
        DeValue::Table(_) => Raw::Other("a section"),
    }
}

/// The line, counted from 1, of a byte's place in a text.
fn line_at(text: &str, place: usize) -> usize {
    let breaks = text.bytes().take(place).filter(|byte| *byte == b'\n');
    breaks.count().saturating_add(1)
}

fn secret_file(
    path: &str,
    name: &str,
    value: &str,
    read_file: &dyn Fn(&Path) -> io::Result<String>,
    faults: &mut Vec<Fault>,
) -> Entry {
    let origin = Origin::SecretFile {
        variable: name.to_owned(),
        path: value.to_owned(),
    };
    let read = read_file(Path::new(value))
        .map_err(|error| {
            (
                format!("the file cannot be read: {error}"),
                "name a file that this process may read",
            )
        })
        .and_then(|text| {
            let text = text.strip_suffix('\n').unwrap_or(&text);
            let text = text.strip_suffix('\r').unwrap_or(text).to_owned();
            // A secret that was not delivered must not be taken for one that is not wanted.
            let empty = || {
                (
                    "the file is empty".to_owned(),
                    "write the value into it, or unset the variable",
                )
            };
            (!text.is_empty()).then_some(text).ok_or_else(empty)
        });
    let raw = read.map_or_else(
        |(problem, remedy)| {
            faults.push(Fault {
                key: path.to_owned(),
                variable: Some(name.to_owned()),
                origin: origin.clone(),
                value: None,
                problem,
                remedy: remedy.to_owned(),
            });
            Raw::Unread
        },
        Raw::Text,
    );
    Entry { raw, origin }
}
