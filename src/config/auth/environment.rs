//! Cleeng's sandbox and its production, told apart by their hosts: a token of one says nothing in the other.

use url::{Host, Url};

/// Where Cleeng's sandbox has the keys (its public documentation names this address).
const SANDBOX_JWKS: &str = "https://auth.api.sandbox.cleeng.com/.well-known/jwks.json";
/// By analogy: Cleeng does not name production's. Were it another, every token would be refused with 503.
pub(in crate::config) const PRODUCTION_JWKS: &str =
    "https://auth.api.cleeng.com/.well-known/jwks.json";

/// Whose of Cleeng's two environments a host is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Environment {
    Sandbox,
    Production,
}

/// Where the keys are that belong to the API at `base`; none for a host that is not Cleeng's.
pub(super) fn derived(base: &Url) -> Option<Url> {
    let address = match environment(base)? {
        Environment::Sandbox => SANDBOX_JWKS,
        Environment::Production => PRODUCTION_JWKS,
    };
    Url::parse(address).ok()
}

pub(super) fn environment(url: &Url) -> Option<Environment> {
    let Some(Host::Domain(host)) = url.host() else {
        return None;
    };
    let within = |domain: &str| {
        host.strip_suffix(domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if within("sandbox.cleeng.com") {
        Some(Environment::Sandbox)
    } else {
        within("cleeng.com").then_some(Environment::Production)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_of_cleengs_is_of_one_environment_and_others_of_none() {
        use Environment::{Production, Sandbox};
        for (address, expected) in [
            ("https://api.sandbox.cleeng.com/3.1", Some(Sandbox)),
            ("https://auth.api.sandbox.cleeng.com/x", Some(Sandbox)),
            ("https://api.cleeng.com/3.1", Some(Production)),
            ("https://cleeng.com", Some(Production)),
            ("https://notcleeng.com", None),
            ("https://cleeng.com.example/3.1", None),
            ("http://127.0.0.1:9100/cleeng/3.1", None),
            ("http://simulator:9100/cleeng/3.1", None),
        ] {
            let url = Url::parse(address).unwrap();
            assert_eq!(environment(&url), expected, "{address}");
            let keys = derived(&url);
            assert_eq!(keys.as_ref().and_then(environment), expected, "{address}");
        }
    }
}
