//! Cleeng's public keys as it publishes them: a JSON Web Key Set (RFC 7517). Pure.

use std::ops::RangeInclusive;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

/// Bytes of a modulus that is strong enough and can be verified with: 2048 to 8192 bits.
const MODULUS_BYTES: RangeInclusive<usize> = 256..=1024;
const EXPONENT_BYTES: RangeInclusive<usize> = 1..=5;
/// A set has as many keys as are in use at one time: two or three.
const MOST_KEYS: usize = 32;

/// A public key for RS256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) kid: Option<String>,
    /// Big-endian, without zeros in front.
    pub(super) modulus: Vec<u8>,
    pub(super) exponent: Vec<u8>,
}

#[derive(Deserialize)]
struct Set {
    /// Read one by one: a key of a kind that is not ours does not spoil the others.
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    n: String,
    e: String,
}

/// The keys that can verify a token; none when there is no such key, or no set: then the old ones are better than nothing.
pub(super) fn read(body: &[u8]) -> Option<Vec<Key>> {
    let set: Set = serde_json::from_slice(body).ok()?;
    let keys = set.keys.into_iter().filter_map(key);
    let keys: Vec<Key> = keys.take(MOST_KEYS).collect();
    (!keys.is_empty()).then_some(keys)
}

fn key(value: Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let verifies = jwk.kty == "RSA"
        && jwk.alg.as_deref().is_none_or(|alg| alg == "RS256")
        && jwk
            .purpose
            .as_deref()
            .is_none_or(|purpose| purpose == "sig")
        && jwk
            .key_ops
            .is_none_or(|ops| ops.iter().any(|op| op == "verify"));
    let (modulus, exponent) = (number(&jwk.n)?, number(&jwk.e)?);
    let fits = MODULUS_BYTES.contains(&modulus.len()) && EXPONENT_BYTES.contains(&exponent.len());
    (verifies && fits).then_some(Key {
        kid: jwk.kid,
        modulus,
        exponent,
    })
}

fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    Some(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callers::sample;
    use serde_json::json;

    fn jwk(more: Value) -> Value {
        let mut jwk = json!({ "kty": "RSA", "n": sample::RFC_MODULUS, "e": "AQAB" });
        let fields = jwk.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        jwk
    }

    fn kids(keys: Value) -> Option<Vec<Option<String>>> {
        let found = read(json!({ "keys": keys }).to_string().as_bytes())?;
        Some(found.into_iter().map(|key| key.kid).collect())
    }

    #[test]
    fn the_keys_for_rs256_are_found_among_others() {
        let keys = json!([
            jwk(json!({ "kid": "a", "use": "sig", "alg": "RS256", "x5c": ["…"] })),
            jwk(json!({ "kid": "b", "use": "enc" })),
            jwk(json!({ "kid": "c", "alg": "RS512" })),
            jwk(json!({ "kid": "d", "key_ops": ["encrypt"] })),
            jwk(json!({ "kid": "e", "key_ops": ["verify"] })),
            jwk(json!({ "kid": "f", "n": "AQAB" })),
            jwk(json!({ "kid": "g", "n": "***" })),
            json!({ "kty": "oct", "k": "c2VjcmV0", "alg": "HS256" }),
            json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" }),
            json!("a"),
            jwk(json!({})),
        ]);
        let found = kids(keys).unwrap();
        assert_eq!(found, [Some("a".to_owned()), Some("e".to_owned()), None]);
    }

    #[test]
    fn a_set_without_a_key_that_serves_is_none() {
        assert_eq!(kids(json!([])), None);
        assert_eq!(kids(json!([jwk(json!({ "use": "enc" }))])), None);
        for bad in ["", "[]", "{}", "<html>", r#"{"keys":{}}"#] {
            assert_eq!(read(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn zeros_in_front_do_not_count() {
        let padded = BASE64_URL_SAFE_NO_PAD.encode([0, 0, 1, 0, 1]);
        let keys = json!({ "keys": [jwk(json!({ "e": padded }))] }).to_string();
        let keys = read(keys.as_bytes()).unwrap();
        assert_eq!(keys, [sample::rfc_key()]);
    }
}
