//! Keys and the environment variables that set them: `broker.url` is `CONNECTOR_BROKER__URL`.

use super::fault::{Fault, Origin};

pub(super) const PREFIX: &str = "CONNECTOR_";
/// A variable of this ending names a file that holds the value.
pub(super) const FILE_SUFFIX: &str = "_FILE";
const SEPARATOR: &str = "__";

/// The variable of a key.
pub(super) fn name(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', SEPARATOR).to_uppercase())
}

/// The key of a variable, known or not; nothing when it is not of the shape `CONNECTOR_SECTION__KEY`.
pub(super) fn key(variable: &str) -> Option<String> {
    let rest = variable.strip_prefix(PREFIX)?;
    if rest.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return None;
    }
    let words: Vec<&str> = rest.split(SEPARATOR).collect();
    if words.len() < 2 || words.iter().any(|word| word.is_empty()) {
        return None;
    }
    Some(words.join(".").to_lowercase())
}

/// Whether Kubernetes made the variable: it gives every pod the addresses of the services beside it, and a service may be
/// called `connector` or `connector-…`.
pub(super) fn is_service_link(name: &str, value: &str) -> bool {
    let Some(rest) = name.strip_prefix(PREFIX) else {
        return false;
    };
    let rest = format!("_{rest}");
    let service = rest.ends_with("_SERVICE_HOST")
        || rest.ends_with("_SERVICE_PORT")
        || rest.contains("_SERVICE_PORT_");
    let port = rest.ends_with("_PORT") && value.contains("://")
        || rest.split_once("_PORT_").is_some_and(|(_, tail)| {
            tail.starts_with(|first: char| first.is_ascii_digit())
                && ["_TCP", "_UDP", "_SCTP"]
                    .iter()
                    .any(|word| tail.contains(word))
        });
    !rest.contains(SEPARATOR) && (service || port)
}

/// The fault of a value that is given twice.
pub(super) fn both(key: &str, plain: &str) -> Fault {
    Fault {
        key: key.to_owned(),
        variable: Some(plain.to_owned()),
        origin: Origin::Environment {
            variable: format!("{plain}{FILE_SUFFIX}"),
        },
        value: None,
        problem: format!("{plain} and {plain}{FILE_SUFFIX} are both set"),
        remedy: "unset one of them".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_and_its_variable_name_each_other() {
        for path in [
            "broker.url",
            "gateways.stripe.secret_key",
            "gateways.my_bank.kind",
        ] {
            assert_eq!(key(&name(path)).as_deref(), Some(path));
        }
        assert_eq!(
            name("gateways.stripe.secret_key"),
            "CONNECTOR_GATEWAYS__STRIPE__SECRET_KEY"
        );
    }

    #[test]
    fn a_variable_of_another_shape_names_no_key() {
        for bad in [
            "CONNECTOR_URL",
            "CONNECTOR_broker__url",
            "CONNECTOR___URL",
            "HOME",
        ] {
            assert_eq!(key(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_kubernetes_says_of_a_service_called_connector_is_not_ours() {
        for (name, value) in [
            ("CONNECTOR_SERVICE_HOST", "10.0.0.1"),
            ("CONNECTOR_SERVICE_PORT", "80"),
            ("CONNECTOR_SERVICE_PORT_HTTP", "80"),
            ("CONNECTOR_PORT", "tcp://10.0.0.1:80"),
            ("CONNECTOR_PORT_80_TCP", "tcp://10.0.0.1:80"),
            ("CONNECTOR_PORT_80_TCP_ADDR", "10.0.0.1"),
            ("CONNECTOR_INGEST_PORT_8080_TCP_PROTO", "tcp"),
        ] {
            assert!(is_service_link(name, value), "{name}");
        }
        for name in [
            "CONNECTOR_PORT",
            "CONNECTOR_BROKER_URL",
            "CONNECTOR_A__SERVICE_HOST",
        ] {
            assert!(!is_service_link(name, "x"), "{name}");
        }
    }
}
