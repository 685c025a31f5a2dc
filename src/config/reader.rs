//! Reads keys out of the layers and collects what is wrong with them. It learns the known keys from being asked for them.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::credential::is_secret;
use super::fault::{Fault, Origin};
use super::layers::{Entry, Layers, Raw};
use super::value::{self, Wrong};
use super::variable;

/// No more of a value than this is shown.
const SHOWN_CHARACTERS: usize = 80;

pub(super) struct Reader {
    pub(super) layers: Layers,
    asked: BTreeSet<String>,
    faults: Vec<Fault>,
}

impl Reader {
    pub(super) fn new(layers: Layers, faults: Vec<Fault>) -> Reader {
        Reader {
            layers,
            asked: BTreeSet::new(),
            faults,
        }
    }

    /// A text that must be set, by default at least.
    pub(super) fn text<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        self.required(key, |entry| text(entry).and_then(parse))
    }

    /// A text with a default that the program holds, not its file of defaults.
    pub(super) fn text_or<T>(
        &mut self,
        key: &str,
        default: &str,
        parse: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        self.unless_set(key, Raw::Text(default.to_owned()));
        self.text(key, parse)
    }

    /// As [`Reader::text_or`], for a number.
    pub(super) fn number_or(
        &mut self,
        key: &str,
        default: u32,
        range: RangeInclusive<u32>,
    ) -> Option<u32> {
        self.unless_set(key, Raw::Integer(default.into()));
        self.number(key, range)
    }

    pub(super) fn number<T>(&mut self, key: &str, range: RangeInclusive<T>) -> Option<T>
    where
        T: TryFrom<i64> + PartialOrd + std::fmt::Display,
    {
        self.required(key, |entry| {
            integer(entry).and_then(|number| value::number_in(number, &range))
        })
    }

    pub(super) fn duration(
        &mut self,
        key: &str,
        range: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        self.text(key, |text| value::duration_in(text, &range))
    }

    /// The value of a key as it is effective, without reporting what is wrong with it.
    pub(super) fn peek<T>(
        &self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        text(self.layers.entries.get(key)?).and_then(parse).ok()
    }

    /// As [`Reader::peek`], for a number.
    pub(super) fn peek_integer(&self, key: &str) -> Option<i64> {
        integer(self.layers.entries.get(key)?).ok()
    }

    /// Takes a key as known without reading it.
    pub(super) fn know(&mut self, key: &str) {
        self.asked.insert(key.to_owned());
    }

    /// The names of the sections right below `parent`.
    pub(super) fn below(&self, parent: &str) -> Vec<String> {
        self.layers.below(parent)
    }

    /// Reports a fault of a key, wherever it was set.
    pub(super) fn blame(&mut self, key: &str, wrong: Wrong) {
        let entry = self.layers.entries.get(key);
        let origin = entry
            .map(|entry| &entry.origin)
            .or_else(|| self.layers.sections.get(key));
        self.faults.push(Fault {
            key: key.to_owned(),
            variable: Some(variable::name(key)).filter(|_| key.contains('.')),
            origin: origin.cloned().unwrap_or(Origin::Nowhere),
            value: entry
                .filter(|_| !is_secret(key))
                .and_then(|entry| shown(&entry.raw)),
            problem: wrong.problem,
            remedy: wrong.remedy,
        });
    }

    /// Reports what was set and never asked for. Returns every fault that was found.
    pub(super) fn finish(mut self) -> Vec<Fault> {
        let unknown: Vec<Fault> = self.unknown_keys().chain(self.strays()).collect();
        self.faults.extend(unknown);
        self.faults
    }

    /// The keys that were asked for.
    #[cfg(test)]
    pub(super) fn asked(&self) -> &BTreeSet<String> {
        &self.asked
    }

    pub(super) fn unless_set(&mut self, key: &str, raw: Raw) {
        let entry = self.layers.entries.entry(key.to_owned());
        let origin = Origin::Default;
        entry.or_insert(Entry { raw, origin });
    }

    fn required<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&Entry) -> Result<T, Wrong>,
    ) -> Option<T> {
        self.know(key);
        let read = match self.layers.entries.get(key) {
            None => {
                let variable = variable::name(key);
                Err(Wrong::new(
                    "it is not set, and it has no default",
                    format!(
                        "set it in the configuration file, or by {variable} or {variable}_FILE"
                    ),
                ))
            }
            Some(Entry {
                raw: Raw::Unread, ..
            }) => return None,
            Some(entry) => parse(entry),
        };
        read.map_err(|wrong| self.blame(key, wrong)).ok()
    }

    /// A value of an unknown key is never shown: it may be a secret under a misspelt name.
    fn unknown_keys(&self) -> impl Iterator<Item = Fault> {
        let keys = self
            .layers
            .entries
            .iter()
            .filter(|(key, _)| !self.asked.contains(*key))
            .map(|(key, entry)| (key, &entry.origin));
        let sections = self
            .layers
            .sections
            .iter()
            .filter(|(section, _)| section.as_str() != "gateways")
            .filter(|(section, _)| !self.has_keys(section));
        keys.chain(sections).map(|(key, origin)| Fault {
            key: key.clone(),
            variable: None,
            origin: origin.clone(),
            value: None,
            problem: "no key of this name is known".to_owned(),
            remedy: self.suggestion(key),
        })
    }

    /// Whether anything is known or set in a section.
    fn has_keys(&self, section: &str) -> bool {
        let within = |key: &String| {
            key.strip_prefix(section)
                .is_some_and(|rest| rest.starts_with('.'))
        };
        self.asked.iter().any(within) || self.layers.entries.keys().any(within)
    }

    fn suggestion(&self, key: &str) -> String {
        let section = key.split('.').next().unwrap_or(key);
        let sections: BTreeSet<&str> = self
            .asked
            .iter()
            .filter_map(|key| key.split('.').next())
            .chain(["gateways"])
            .collect();
        if sections.contains(key) {
            return format!("{key} is a section: write [{key}] and its keys below it");
        }
        let near_key = value::nearest(key, self.asked.iter().map(String::as_str));
        let near_section =
            value::nearest(section, sections.into_iter()).filter(|near| *near != section);
        match (near_key, near_section) {
            (Some(near), _) => format!("did you mean {near} ({})?", variable::name(near)),
            (None, Some(near)) => format!("did you mean the section {near}?"),
            (None, None) => "remove it; config/default.toml names every key".to_owned(),
        }
    }

    fn strays(&self) -> impl Iterator<Item = Fault> {
        let variables: Vec<String> = self.asked.iter().map(|key| variable::name(key)).collect();
        self.layers.strays.iter().map(move |stray| Fault {
            key: stray.clone(),
            variable: None,
            origin: Origin::Environment {
                variable: stray.clone(),
            },
            value: None,
            problem: "no variable of this name is known".to_owned(),
            remedy: value::nearest(&stray.to_uppercase(), variables.iter().map(String::as_str))
                .map_or_else(
                    || {
                        "write CONNECTOR_SECTION__KEY, in capitals and with two underscores between section and key, \
                         such as CONNECTOR_BROKER__URL; or unset it"
                            .to_owned()
                    },
                    |near| format!("did you mean {near}?"),
                ),
        })
    }
}

/// A value as a fault may show it. A text with an `@` may be an address with a password.
fn shown(raw: &Raw) -> Option<String> {
    match raw {
        Raw::Text(text) if text.contains('@') => None,
        Raw::Text(text) => Some(text.chars().take(SHOWN_CHARACTERS).collect()),
        Raw::Integer(number) => Some(number.to_string()),
        Raw::Other(_) | Raw::Unread => None,
    }
}

fn text(entry: &Entry) -> Result<&str, Wrong> {
    match &entry.raw {
        Raw::Text(text) => Ok(text),
        Raw::Integer(_) => Err(Wrong::new(
            "a number where a text is expected",
            "put the value in quotes (a duration also needs its unit)",
        )),
        Raw::Other(name) => Err(Wrong::new(
            format!("{name} where a text is expected"),
            "write one text in quotes; several values in it are separated by commas",
        )),
        Raw::Unread => Err(Wrong::new("unread", "see above")),
    }
}

fn integer(entry: &Entry) -> Result<i64, Wrong> {
    let remedy = "write a whole number without quotes, unit or fraction";
    match &entry.raw {
        Raw::Integer(number) => Ok(*number),
        Raw::Text(text) => match &entry.origin {
            // The environment knows only texts.
            Origin::Environment { .. } | Origin::SecretFile { .. } => text
                .parse()
                .map_err(|_| Wrong::new("not a whole number", remedy)),
            Origin::Default | Origin::File { .. } | Origin::Nowhere => {
                Err(Wrong::new("a text where a number is expected", remedy))
            }
        },
        Raw::Other(name) => Err(Wrong::new(
            format!("{name} where a whole number is expected"),
            remedy,
        )),
        Raw::Unread => Err(Wrong::new("unread", "see above")),
    }
}
