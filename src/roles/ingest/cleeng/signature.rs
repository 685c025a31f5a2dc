//! Whether Cleeng has signed a body: HMAC-SHA256 over the raw bytes, in a header and an encoding that are settings.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use super::BadLetter;
use crate::config::{CleengWebhooksConfig, SignatureEncoding};

/// Accepts `body` when it was signed with any of the secrets. There is no time in it: a replay is met by the demand's own id.
///
/// # Errors
/// `NoSignature` or `WrongSignature`; without a secret nothing is ever accepted.
pub(super) fn check(
    headers: &HeaderMap,
    body: &[u8],
    config: &CleengWebhooksConfig,
) -> Result<(), BadLetter> {
    let text = headers
        .get(&config.signature_header)
        .and_then(|value| value.to_str().ok())
        .ok_or(BadLetter::NoSignature)?;
    let tag = decode(text.trim(), config.signature_encoding).ok_or(BadLetter::NoSignature)?;
    let matches = config
        .secrets
        .iter()
        .any(|secret| is_signed(secret, body, &tag));
    if matches {
        Ok(())
    } else {
        Err(BadLetter::WrongSignature)
    }
}

fn decode(text: &str, encoding: SignatureEncoding) -> Option<Vec<u8>> {
    let bytes = match encoding {
        SignatureEncoding::Hex => hex::decode(text).ok()?,
        SignatureEncoding::Base64 => STANDARD.decode(text).ok()?,
    };
    Some(bytes).filter(|bytes| !bytes.is_empty())
}

/// Compares in constant time.
fn is_signed(secret: &SecretString, body: &[u8], tag: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else {
        return false;
    };
    mac.update(body);
    mac.verify_slice(tag).is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    /// RFC 4231, test case 2.
    const BODY: &[u8] = b"what do ya want for nothing?";
    const HEX: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    const BASE64: &str = "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=";

    fn verdict(
        header: Option<&str>,
        secrets: &[&str],
        encoding: SignatureEncoding,
    ) -> Result<(), BadLetter> {
        let mut config = sample::config(secrets);
        config.signature_encoding = encoding;
        let mut headers = HeaderMap::new();
        if let Some(text) = header {
            headers.insert("x-cleeng-signature", text.parse().unwrap());
        }
        check(&headers, BODY, &config)
    }

    #[test]
    fn the_known_vector_is_accepted_with_any_of_the_secrets() {
        let (hex, base64) = (SignatureEncoding::Hex, SignatureEncoding::Base64);
        let upper = HEX.to_uppercase();
        for (header, secrets, encoding) in [
            (HEX, vec!["Jefe"], hex),
            (upper.as_str(), vec!["Jefe"], hex),
            (BASE64, vec!["Jefe"], base64),
            (HEX, vec!["new", "Jefe"], hex),
            (HEX, vec!["Jefe", "old"], hex),
        ] {
            assert_eq!(
                verdict(Some(header), &secrets, encoding),
                Ok(()),
                "{header}"
            );
        }
    }

    #[test]
    fn what_is_not_signed_with_one_of_our_secrets_is_refused() {
        let (hex, base64) = (SignatureEncoding::Hex, SignatureEncoding::Base64);
        let (none, wrong) = (BadLetter::NoSignature, BadLetter::WrongSignature);
        let other = "0".repeat(64);
        for (header, secrets, encoding, why) in [
            (None, vec!["Jefe"], hex, none),
            (Some(""), vec!["Jefe"], hex, none),
            (Some("nonsense"), vec!["Jefe"], hex, none),
            (Some(BASE64), vec!["Jefe"], hex, none),
            (Some(HEX), vec!["Jefe"], base64, wrong),
            (Some(other.as_str()), vec!["Jefe"], hex, wrong),
            (Some("5b"), vec!["Jefe"], hex, wrong),
            (Some(HEX), vec!["jefe"], hex, wrong),
            (Some(HEX), vec![], hex, wrong),
        ] {
            assert_eq!(verdict(header, &secrets, encoding), Err(why), "{header:?}");
        }
    }
}
