//! What is wrong with a configuration: which key, set where, why, and what to do. It never holds the value of a secret key.

use std::fmt;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    File { name: String, line: usize },
    Environment { variable: String },
    SecretFile { variable: String, path: String },
    Nowhere,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("by default"),
            Origin::File { name, line } => write!(f, "in {name}, line {line}"),
            Origin::Environment { variable } => write!(f, "by {variable} in the environment"),
            Origin::SecretFile { variable, path } => {
                write!(f, "in {path}, which {variable} in the environment names")
            }
            Origin::Nowhere => f.write_str("nowhere"),
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The key with its section, or what else is at fault (a file, a variable).
    pub(crate) key: String,
    /// The environment variable of the key, where it has one.
    pub(crate) variable: Option<String>,
    pub(crate) origin: Origin,
    /// Only of keys that are not secret.
    pub(crate) value: Option<String>,
    pub(crate) problem: String,
    pub(crate) remedy: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        if let Some(variable) = &self.variable {
            write!(f, " ({variable})")?;
        }
        match (&self.value, &self.origin) {
            (Some(value), origin) => write!(f, "\n   set:     {value:?} {origin}")?,
            (None, Origin::Nowhere) => {}
            (None, origin) => write!(f, "\n   set:     {origin}")?,
        }
        write!(
            f,
            "\n   problem: {}\n   do:      {}",
            self.problem, self.remedy
        )
    }
}

/// Everything that is wrong, found in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Faults(pub(crate) Vec<Fault>);

impl Faults {
    /// For a machine: the same as the text says.
    pub(crate) fn as_json(&self) -> serde_json::Value {
        let faults = self.0.iter().map(|fault| {
            serde_json::json!({
                "key": fault.key, "variable": fault.variable, "origin": fault.origin.to_string(),
                "value": fault.value, "problem": fault.problem, "remedy": fault.remedy,
            })
        });
        faults.collect()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("configuration: 1 fault")?,
            count => write!(f, "configuration: {count} faults")?,
        }
        for (place, fault) in self.0.iter().enumerate() {
            write!(f, "\n\n{}. {fault}", place.saturating_add(1))?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
