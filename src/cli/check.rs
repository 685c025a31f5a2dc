//! `check-config`: reads, checks, and prints what is in force, or every fault at once.

use clap::Args;
use serde_json::json;

use super::{Failure, answer};
use crate::config::Config;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn check(loaded: Result<Config, Failure>, options: &Options) -> Result<(), Failure> {
    match loaded {
        Ok(config) => {
            let view = config.redacted();
            let advice = config.advice();
            answer(&if options.json {
                json!({ "ok": true, "config": view, "advice": advice }).to_string()
            } else {
                format!("In force:\n{view:#}\nThe configuration is good.")
            });
            if !options.json {
                advice
                    .iter()
                    .for_each(|line| answer(&format!("Note: {line}.")));
            }
            Ok(())
        }
        Err(Failure::Configuration(faults)) => {
            if options.json {
                answer(&json!({ "ok": false, "faults": faults.as_json() }).to_string());
            }
            Err(Failure::Configuration(faults))
        }
        Err(failed @ (Failure::Usage(_) | Failure::Failed(_))) => Err(failed),
    }
}
