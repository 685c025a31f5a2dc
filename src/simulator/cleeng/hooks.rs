//! How Cleeng's webhooks are signed, and the one endpoint that the command line may name.

use clap::ValueEnum;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use url::Url;

/// Header and encoding are not published, so they can be chosen.
#[derive(Debug, Clone)]
pub(crate) struct Hooks {
    /// Hears of every topic that a connector must take.
    pub(crate) url: Option<Url>,
    pub(crate) secret: String,
    /// Lower case.
    pub(crate) header: String,
    pub(crate) encoding: Encoding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Encoding {
    Hex,
    Base64,
}

impl Default for Hooks {
    fn default() -> Self {
        Hooks {
            url: None,
            secret: "simulated-cleeng-webhook-secret".to_owned(),
            header: "x-cleeng-signature".to_owned(),
            encoding: Encoding::Hex,
        }
    }
}

/// HMAC-SHA256 over the raw body; no page tells of a time in it.
pub(crate) fn sign(secret: &str, encoding: Encoding, body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map(|mut mac| {
        mac.update(body.as_bytes());
        mac.finalize().into_bytes()
    });
    // HMAC takes keys of every length; an empty signature would be refused by every receiver.
    match (mac, encoding) {
        (Ok(bytes), Encoding::Hex) => hex::encode(bytes),
        (Ok(bytes), Encoding::Base64) => {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.encode(bytes)
        }
        (Err(_), _) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_signed_as_rfc_4231_says() {
        let body = "what do ya want for nothing?";
        assert_eq!(
            sign("Jefe", Encoding::Hex, body),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            sign("Jefe", Encoding::Base64, body),
            "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="
        );
    }
}
