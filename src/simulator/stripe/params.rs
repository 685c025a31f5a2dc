//! Checks a decoded form against the parameters an endpoint knows, and hands the checked values out.

use std::collections::BTreeMap;

use super::fail::Fail;
use super::form::Form;

/// What a parameter may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Text,
    /// Text that an empty value unsets.
    Unset,
    Int,
    Bool,
    OneOf(&'static [&'static str]),
    /// `true`, `false`, `one_off` or `recurring`.
    OffSession,
    Texts,
    Metadata,
    Fields(&'static [Param]),
    /// A bound in time: a number, or `gt`, `gte`, `lt`, `lte`.
    Bound,
    /// Known to Stripe and taken as it comes: the simulator does nothing with it.
    Open,
}

/// One parameter by name.
pub(crate) type Param = (&'static str, Kind);

/// What an endpoint knows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) params: &'static [Param],
    pub(crate) required: &'static [&'static str],
}

/// Checked parameters.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params(BTreeMap<String, Form>);

impl Params {
    /// # Errors
    /// The first parameter that is unknown, wrong or missing, as Stripe would say it.
    pub(crate) fn check(form: BTreeMap<String, Form>, shape: &Shape) -> Result<Self, Fail> {
        check_fields(&form, shape.params, "")?;
        match shape
            .required
            .iter()
            .find(|name| !form.contains_key(**name))
        {
            Some(name) => Err(Fail::missing(name)),
            None => Ok(Params(form)),
        }
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(Form::Leaf(text)) if !text.is_empty() => Some(text),
            Some(Form::Leaf(_) | Form::List(_) | Form::Map(_)) | None => None,
        }
    }

    pub(crate) fn int(&self, name: &str) -> Option<i64> {
        self.text(name).and_then(|text| text.parse().ok())
    }

    pub(crate) fn bool(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        self.0.get(name).map(leaves).unwrap_or_default()
    }

    /// A text map such as `metadata`.
    pub(crate) fn map(&self, name: &str) -> BTreeMap<String, String> {
        let Some(Form::Map(map)) = self.0.get(name) else {
            return BTreeMap::new();
        };
        map.iter()
            .filter_map(|(key, form)| match form {
                Form::Leaf(text) => Some((key.clone(), text.clone())),
                Form::List(_) | Form::Map(_) => None,
            })
            .collect()
    }

    /// Stands for the request: same parameters in another order are the same.
    pub(crate) fn fingerprint(&self) -> String {
        format!("{:?}", self.0)
    }
}

fn leaves(form: &Form) -> Vec<String> {
    match form {
        Form::Leaf(text) => vec![text.clone()],
        Form::List(list) => list.iter().flat_map(leaves).collect(),
        Form::Map(map) => map.values().flat_map(leaves).collect(),
    }
}

fn check_fields(form: &BTreeMap<String, Form>, known: &[Param], prefix: &str) -> Result<(), Fail> {
    for (name, value) in form {
        let full = match prefix {
            "" => name.clone(),
            prefix => format!("{prefix}[{name}]"),
        };
        match known.iter().find(|(known, _)| known == name) {
            None => {
                let message = format!("Received unknown parameter: {full}");
                return Err(Fail::invalid(&full, message).code("parameter_unknown"));
            }
            Some((_, kind)) => check_value(value, *kind, &full)?,
        }
    }
    Ok(())
}

fn check_value(form: &Form, kind: Kind, name: &str) -> Result<(), Fail> {
    match (kind, form) {
        (Kind::Open, _) | (Kind::Unset, Form::Leaf(_)) => Ok(()),
        (Kind::Text, Form::Leaf(text)) => filled(text, name),
        (Kind::Int, Form::Leaf(text)) => int(text, name),
        (Kind::Bool, Form::Leaf(text)) => one_of(text, &["true", "false"], name, "boolean"),
        (Kind::OffSession, Form::Leaf(text)) => {
            one_of(text, &["true", "false", "one_off", "recurring"], name, name)
        }
        (Kind::OneOf(words), Form::Leaf(text)) => one_of(text, words, name, name),
        (Kind::Texts, Form::List(_) | Form::Map(_)) => {
            leaves(form).iter().try_for_each(|text| filled(text, name))
        }
        (Kind::Metadata, Form::Leaf(text)) if text.is_empty() => Ok(()),
        (Kind::Metadata, Form::Map(map)) => metadata(map, name),
        (Kind::Fields(known), Form::Map(map)) => check_fields(map, known, name),
        (Kind::Bound, Form::Leaf(text)) => int(text, name),
        (Kind::Bound, Form::Map(map)) => check_fields(map, &BOUNDS, name),
        (Kind::Text | Kind::Unset | Kind::Int | Kind::Bool, _)
        | (Kind::OffSession | Kind::OneOf(_), _) => {
            Err(Fail::invalid(name, format!("Invalid string: {name}")))
        }
        (Kind::Texts, Form::Leaf(_)) => Err(Fail::invalid(name, "Invalid array")),
        (Kind::Metadata | Kind::Fields(_) | Kind::Bound, _) => {
            Err(Fail::invalid(name, "Invalid object"))
        }
    }
}

const BOUNDS: [Param; 4] = [
    ("gt", Kind::Int),
    ("gte", Kind::Int),
    ("lt", Kind::Int),
    ("lte", Kind::Int),
];

fn filled(text: &str, name: &str) -> Result<(), Fail> {
    if text.is_empty() {
        let message = format!(
            "You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; however '{name}' cannot be unset."
        );
        return Err(Fail::invalid(name, message).code("parameter_invalid_empty"));
    }
    Ok(())
}

fn int(text: &str, name: &str) -> Result<(), Fail> {
    match text.parse::<i64>() {
        Ok(_) => Ok(()),
        Err(_) => {
            let message = format!("Invalid integer: {text}");
            Err(Fail::invalid(name, message).code("parameter_invalid_integer"))
        }
    }
}

fn one_of(text: &str, words: &[&str], name: &str, what: &str) -> Result<(), Fail> {
    if words.contains(&text) {
        return Ok(());
    }
    let message = format!("Invalid {what}: must be one of {}", words.join(", "));
    Err(Fail::invalid(name, message))
}

/// Stripe's limits: 50 keys, 40 characters a key, 500 a value.
fn metadata(map: &BTreeMap<String, Form>, name: &str) -> Result<(), Fail> {
    if map.len() > 50 {
        return Err(Fail::invalid(name, "Metadata can have up to 50 keys."));
    }
    for (key, value) in map {
        let Form::Leaf(text) = value else {
            return Err(Fail::invalid(name, "Metadata values must be strings."));
        };
        if key.chars().count() > 40 || text.chars().count() > 500 {
            return Err(Fail::invalid(
                &format!("{name}[{key}]"),
                "Metadata keys can have up to 40 characters, values up to 500.",
            ));
        }
    }
    Ok(())
}
