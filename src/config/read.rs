//! From texts and variables to a checked [`Config`], or to everything that is wrong. Only [`Config::load`] touches the machine.

use std::io;
use std::path::Path;

use super::fault::{Fault, Faults, Origin};
use super::layers::Layers;
use super::reader::Reader;
use super::{
    Config, auth, cleeng_webhooks, cross, gateways, reconcile, sections, stores, traces, variable,
};

/// The defaults, and the documentation of every key.
pub(super) const DEFAULTS: &str = include_str!("../../config/default.toml");

impl Config {
    /// Reads the defaults, the file and the environment.
    ///
    /// # Errors
    /// Everything that is wrong, in one run. Nothing has been opened yet: correct it and start again.
    pub(crate) fn load(file: Option<&Path>) -> Result<Config, Faults> {
        let mut faults = Vec::new();
        let text = file.and_then(|path| {
            std::fs::read_to_string(path)
                .map_err(|error| faults.push(unreadable(path, &error)))
                .ok()
        });
        let name = file.map(|path| path.display().to_string());
        let environment = environment(&mut faults);
        let read = read(
            DEFAULTS,
            name.as_deref().zip(text.as_deref()),
            &environment,
            &|path| std::fs::read_to_string(path),
        );
        match read {
            Ok(config) if faults.is_empty() => Ok(config),
            Ok(_) => Err(Faults(faults)),
            // What is missing may well stand in the file that could not be read.
            Err(_) if file.is_some() && text.is_none() => Err(Faults(faults)),
            Err(Faults(more)) => {
                faults.extend(more);
                Err(Faults(faults))
            }
        }
    }
}

impl Config {
    /// The defaults with these variables over them, and nothing of the machine's own: for the demo.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub(crate) fn from_variables(variables: &[(String, String)]) -> Result<Config, Faults> {
        read(DEFAULTS, None, variables, &|_| {
            Err(io::Error::from(io::ErrorKind::Unsupported))
        })
    }
}

/// The pure core: lays the layers over each other and checks every key. `file` is its name and its text.
///
/// # Errors
/// Everything that is wrong.
pub(super) fn read(
    default: &str,
    file: Option<(&str, &str)>,
    environment: &[(String, String)],
    read_file: &dyn Fn(&Path) -> io::Result<String>,
) -> Result<Config, Faults> {
    let mut layers = Layers::default();
    let mut faults = layers.lay_toml(default, None);
    if let Some((name, text)) = file {
        faults.extend(layers.lay_toml(text, Some(name)));
    }
    // A file that is not TOML may hold what would seem to be missing.
    let readable = faults.is_empty();
    faults.extend(layers.lay_environment(environment, read_file));
    if !readable {
        return Err(Faults(faults));
    }
    let mut reader = Reader::new(layers, faults);
    let config = assemble(&mut reader);
    stores::named_files(&mut reader, read_file);
    let faults = reader.finish();
    match config {
        Some(config) if faults.is_empty() => Ok(config),
        Some(_) | None => Err(Faults(faults)),
    }
}

/// Reads every section, then judges what must fit together.
pub(super) fn assemble(reader: &mut Reader) -> Option<Config> {
    let broker = stores::broker(reader);
    let ledger = stores::ledger(reader);
    let http = sections::http(reader);
    let ops = sections::ops(reader);
    let auth = auth::auth(reader);
    let cleeng = sections::cleeng(reader);
    let cleeng_webhooks = cleeng_webhooks::cleeng_webhooks(reader);
    let gateways = gateways::gateways(reader);
    let checkout = sections::checkout(reader);
    let worker = sections::worker(reader);
    let confirmer = sections::confirmer(reader);
    let reconcile = reconcile::reconcile(reader);
    let shutdown = sections::shutdown(reader);
    let log = sections::log(reader);
    let traces = traces::traces(reader);
    cross::check(reader);
    Some(Config {
        broker: broker?,
        ledger: ledger?,
        http: http?,
        ops: ops?,
        auth: auth?,
        cleeng: cleeng?,
        cleeng_webhooks: cleeng_webhooks?,
        gateways: gateways?,
        checkout: checkout?,
        worker: worker?,
        confirmer: confirmer?,
        reconcile: reconcile?,
        shutdown: shutdown?,
        log: log?,
        traces: traces?,
    })
}

/// Our variables; one that is not Unicode is a fault, one of somebody else is not looked at.
fn environment(faults: &mut Vec<Fault>) -> Vec<(String, String)> {
    let ours = std::env::vars_os()
        .filter(|(name, _)| name.to_string_lossy().starts_with(variable::PREFIX));
    ours.filter_map(
        |(name, value)| match (name.into_string(), value.into_string()) {
            (Ok(name), Ok(value)) => Some((name, value)),
            (Ok(name), Err(_)) => {
                faults.push(not_unicode(name));
                None
            }
            (Err(name), _) => {
                faults.push(not_unicode(name.to_string_lossy().into_owned()));
                None
            }
        },
    )
    .collect()
}

fn not_unicode(variable: String) -> Fault {
    Fault {
        key: variable.clone(),
        variable: None,
        origin: Origin::Environment { variable },
        value: None,
        problem: "the variable is not Unicode".to_owned(),
        remedy: "set it again, as UTF-8".to_owned(),
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Fault {
    Fault {
        key: path.display().to_string(),
        variable: None,
        origin: Origin::Nowhere,
        value: None,
        problem: format!("the configuration file cannot be read: {error}"),
        remedy: "name a file that this process may read after --config; the other keys are checked once it can be read"
            .to_owned(),
    }
}
