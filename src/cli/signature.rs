//! Who does something by hand, and why, as every command that changes something asks for it.

use clap::Args;

use crate::config;
use crate::domain::deed::{BadOperator, Operator, Via};

/// What stands in the operator log where nobody said why.
const NO_REASON: &str = "no reason given";

#[derive(Debug, Args)]
pub(super) struct Signature {
    /// Who does it, for the operator log. Default: this machine's name of you
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

impl Signature {
    /// # Errors
    /// A name or a reason that is too long.
    pub(super) fn operator(&self, because: Option<&str>) -> Result<Operator, BadOperator> {
        let by = self.by.clone().unwrap_or_else(config::user);
        Operator::new(&by, because.unwrap_or(NO_REASON), Via::Command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_nothing_is_known_by_the_machine_and_gives_no_reason() {
        let operator = Signature { by: None }.operator(None).unwrap();
        assert!(!operator.by().is_empty());
        assert_eq!(operator.because(), NO_REASON);
        let anna = Signature {
            by: Some("anna".to_owned()),
        };
        assert_eq!(anna.operator(Some("why")).unwrap().by(), "anna");
    }
}
