//! A customer's token as it comes: a JSON Web Signature in its compact form (RFC 7515), signed with RS256 and nothing else. Pure.
//!
//! Which algorithm is used is ours to say and not the token's: `none`, an HMAC under the public key and every other one are refused
//! before a key is looked for. Keys and addresses that a token's header brings along are never looked at.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::jwks::Key;
use crate::telemetry::labels::CallerRefusal;

/// Cleeng's tokens have a few hundred bytes.
const LONGEST: usize = 8 * 1024;
const ALGORITHM: &str = "RS256";

/// A token whose form is right. Nothing of it is to be believed before [`Token::is_signed_with`].
pub(super) struct Token<'t> {
    /// The name of the key that it claims to be signed with.
    pub(super) kid: Option<String>,
    /// The JSON of the claims.
    pub(super) claims: Vec<u8>,
    /// What the signature is over.
    signed: &'t str,
    signature: Vec<u8>,
}

/// The header, as far as it counts. A name that comes twice is a fault.
#[derive(Deserialize)]
struct Header<'h> {
    alg: String,
    kid: Option<String>,
    /// Extensions that must be understood: we understand none.
    #[serde(borrow)]
    crit: Option<&'h RawValue>,
}

impl<'t> Token<'t> {
    /// # Errors
    /// `Malformed` or `WrongAlgorithm`.
    pub(super) fn read(text: &'t str) -> Result<Token<'t>, CallerRefusal> {
        if text.len() > LONGEST {
            return Err(CallerRefusal::Malformed);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(CallerRefusal::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(CallerRefusal::Malformed)?;
        let header = decode(header)?;
        let header = std::str::from_utf8(&header).map_err(|_| CallerRefusal::Malformed)?;
        let header: Header<'_> =
            serde_json::from_str(header).map_err(|_| CallerRefusal::Malformed)?;
        if header.alg != ALGORITHM {
            return Err(CallerRefusal::WrongAlgorithm);
        }
        if header.crit.is_some() {
            return Err(CallerRefusal::Malformed);
        }
        Ok(Token {
            kid: header.kid,
            claims: decode(claims)?,
            signed,
            signature: decode(signature)?,
        })
    }

    pub(super) fn is_signed_with(&self, key: &Key) -> bool {
        let key = RsaPublicKeyComponents {
            n: &key.modulus,
            e: &key.exponent,
        };
        let algorithm = &RSA_PKCS1_2048_8192_SHA256;
        key.verify(algorithm, self.signed.as_bytes(), &self.signature)
            .is_ok()
    }
}

/// Base64 for URLs without padding; a text that two different ones would be decoded to is refused.
fn decode(text: &str) -> Result<Vec<u8>, CallerRefusal> {
    BASE64_URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| CallerRefusal::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callers::sample;
    use proptest::prelude::*;

    fn refusal(text: &str) -> Option<CallerRefusal> {
        Token::read(text).err()
    }

    fn with_header(header: &str) -> String {
        let header = BASE64_URL_SAFE_NO_PAD.encode(header);
        let (_, rest) = sample::RFC_7515.split_once('.').unwrap();
        format!("{header}.{rest}")
    }

    #[test]
    fn the_example_of_the_standard_is_verified() {
        let token = Token::read(sample::RFC_7515).unwrap();
        let key = sample::rfc_key();
        assert!(token.is_signed_with(&key));
        assert!(token.claims.starts_with(b"{\"iss\":\"joe\""));
        assert_eq!(token.kid, None);
    }

    #[test]
    fn only_rs256_is_taken_whatever_a_token_says() {
        for algorithm in [
            "none", "None", "NONE", "", "HS256", "rs256", "RS256 ", "RS384", "RS512", "PS256",
            "ES256", "EdDSA",
        ] {
            let header = format!(r#"{{"alg":"{algorithm}","typ":"JWT"}}"#);
            let token = with_header(&header);
            assert_eq!(
                refusal(&token),
                Some(CallerRefusal::WrongAlgorithm),
                "{algorithm:?}"
            );
        }
        assert_eq!(refusal(&with_header(r#"{"alg":"RS256","kid":"a"}"#)), None);
    }

    #[test]
    fn what_is_no_token_or_asks_for_more_than_we_know_is_refused() {
        let good = sample::RFC_7515;
        let (header, rest) = good.split_once('.').unwrap();
        let long = format!("{header}.{}", "A".repeat(LONGEST));
        for bad in [
            "",
            ".",
            "..",
            "a.b",
            "key",
            &format!("{good}."),
            &format!("{good}.AA"),
            &format!("{header}=.{rest}"),
            &format!("{header} .{rest}"),
            &format!("{}.{rest}", header.replacen('e', "+", 1)),
            &with_header("{}"),
            &with_header("[]"),
            &with_header("null"),
            &with_header(r#"{"alg":null}"#),
            &with_header(r#"{"alg":["RS256"]}"#),
            &with_header(r#"{"alg":"RS256","alg":"RS256"}"#),
            &with_header(r#"{"alg":"RS256","kid":5}"#),
            &with_header(r#"{"alg":"RS256","crit":["b64"],"b64":false}"#),
            &with_header(r#"{"alg":"RS256"} "#).replace('.', "\n"),
            &long,
        ] {
            assert_eq!(refusal(bad), Some(CallerRefusal::Malformed), "{bad:?}");
        }
    }

    #[test]
    fn keys_and_addresses_in_a_header_are_not_looked_at() {
        let header = r#"{"alg":"RS256","jku":"https://evil.example","x5u":"https://evil.example","jwk":{"kty":"RSA"}}"#;
        let text = with_header(header);
        let token = Token::read(&text).unwrap();
        // The header is signed as well: another one has another signature.
        assert!(!token.is_signed_with(&sample::rfc_key()));
    }

    proptest! {
        #[test]
        fn no_text_whatever_breaks_the_reader(text in ".{0,200}", header in ".{0,80}", bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            drop(Token::read(&text));
            drop(Token::read(&with_header(&header)));
            drop(Token::read(&format!("{}.{}.", BASE64_URL_SAFE_NO_PAD.encode(&bytes), text)));
        }

        #[test]
        fn a_token_that_was_changed_in_one_character_is_not_verified(at in 0_usize..450, other in "[A-Za-z0-9_-]") {
            let mut text = sample::RFC_7515.to_owned();
            let at = at % text.len();
            prop_assume!(text.as_bytes()[at] != b'.' && text.as_bytes()[at] != other.as_bytes()[0]);
            text.replace_range(at..=at, &other);
            let verified = Token::read(&text).is_ok_and(|token| token.is_signed_with(&sample::rfc_key()));
            prop_assert!(!verified, "{text}");
        }
    }
}
