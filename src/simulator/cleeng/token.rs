//! Customers' tokens, good ones and forged ones, and the keys that go with them: Cleeng's authentication, as far as a connector meets it.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use ring::signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA512};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;

use super::signing::{Keys, SigningKey};
use crate::simulator::call::{Call, Reply};
use crate::simulator::control::{body, done, wrong};
use crate::simulator::operation::Operation;
use crate::simulator::perform::{self, Done, Job};
use crate::simulator::{Party, Sim, clock};

const LIFETIME_SECONDS: i64 = 900;

/// `POST /_tokens`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wanted {
    customer_id: u64,
    publisher_id: Option<u64>,
    expires_in_seconds: Option<i64>,
    not_before_in_seconds: Option<i64>,
    /// Ids as texts, as some of Cleeng's clients see them.
    #[serde(default)]
    as_text: bool,
    forge: Option<Forgery>,
}

/// What is not right about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Forgery {
    /// Right, but without a name of its key.
    NoKid,
    /// A name that no key has.
    UnknownKid,
    /// Signed by somebody else, under the name of Cleeng's key.
    Stranger,
    /// Not signed, and saying so.
    AlgNone,
    /// Signed with the public key, as if it were a secret.
    Hs256,
    /// Rightly signed with another algorithm.
    Rs512,
}

/// `POST /_jwks`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Rotation {
    /// The old key stays published.
    #[serde(default)]
    keep_old: bool,
}

/// `GET /.well-known/jwks.json`.
pub(crate) async fn published(sim: &Arc<Sim>, call: Call) -> Reply {
    let job = Job {
        party: Party::Cleeng,
        operation: Operation::CleengKeys,
        call,
        key: None,
        fault: None,
        work: Box::new(|sim| {
            let mut all = sim.signing_keys();
            let keys = all.published(sim.settings.seed).iter().map(shown);
            let keys: Vec<Value> = keys.collect();
            Done::plain(Reply::json(200, &json!({ "keys": keys })))
        }),
    };
    perform::perform(sim, job).await
}

fn shown(key: &SigningKey) -> Value {
    json!({
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": key.kid,
        "n": BASE64_URL_SAFE_NO_PAD.encode(&key.modulus), "e": "AQAB",
    })
}

/// A token of a test's wish.
pub(crate) fn made(sim: &Sim, call: &Call) -> Result<Reply, Reply> {
    let wanted: Wanted = body(call)?;
    let now = clock::micros().div_euclid(1_000_000);
    let seed = sim.settings.seed;
    let claims = claims(&wanted, sim.settings.publisher_id, now);
    let (mut keys, mut strangers) = (sim.signing_keys(), Keys::default());
    let kid = keys.current(seed).map(|key| key.kid.clone());
    let signer = match wanted.forge {
        Some(Forgery::Stranger) => strangers.current(!seed),
        _of_cleengs => keys.current(seed),
    };
    let (Some(kid), Some(signer)) = (kid, signer) else {
        return Err(wrong("no key could be made"));
    };
    let token = sign(&claims, wanted.forge, &kid, signer);
    Ok(Reply::json(200, &json!({ "token": token })))
}

/// From now on another key signs.
pub(crate) fn rotate(sim: &Sim, call: &Call) -> Result<Reply, Reply> {
    let rotation: Rotation = body(call)?;
    sim.signing_keys()
        .rotate(sim.settings.seed, rotation.keep_old);
    Ok(done())
}

fn claims(wanted: &Wanted, publisher: u64, now: i64) -> Value {
    let id = |number: u64| match wanted.as_text {
        true => json!(number.to_string()),
        false => json!(number),
    };
    let life = wanted.expires_in_seconds.unwrap_or(LIFETIME_SECONDS);
    let mut claims = json!({
        "customerId": id(wanted.customer_id),
        "publisherId": id(wanted.publisher_id.unwrap_or(publisher)),
        "exp": now.saturating_add(life),
    });
    if let (Some(wait), Some(fields)) = (wanted.not_before_in_seconds, claims.as_object_mut()) {
        fields.insert("nbf".to_owned(), json!(now.saturating_add(wait)));
    }
    claims
}

fn sign(claims: &Value, forge: Option<Forgery>, kid: &str, key: &SigningKey) -> String {
    let header = match forge {
        None | Some(Forgery::Stranger) => json!({ "alg": "RS256", "typ": "JWT", "kid": kid }),
        Some(Forgery::NoKid) => json!({ "alg": "RS256", "typ": "JWT" }),
        Some(Forgery::UnknownKid) => json!({ "alg": "RS256", "typ": "JWT", "kid": "nobody" }),
        Some(Forgery::AlgNone) => json!({ "alg": "none", "typ": "JWT" }),
        Some(Forgery::Hs256) => json!({ "alg": "HS256", "typ": "JWT", "kid": kid }),
        Some(Forgery::Rs512) => json!({ "alg": "RS512", "typ": "JWT", "kid": kid }),
    };
    let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encode(&header), encode(claims));
    let signature = match forge {
        None | Some(Forgery::NoKid | Forgery::UnknownKid | Forgery::Stranger) => {
            key.sign(&RSA_PKCS1_SHA256, &signed)
        }
        Some(Forgery::AlgNone) => Vec::new(),
        Some(Forgery::Hs256) => hmac(key.public_der(), &signed),
        Some(Forgery::Rs512) => key.sign(&RSA_PKCS1_SHA512, &signed),
    };
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

fn hmac(secret: &[u8], text: &str) -> Vec<u8> {
    match Hmac::<Sha256>::new_from_slice(secret) {
        Ok(mut mac) => {
            mac.update(text.as_bytes());
            mac.finalize().into_bytes().to_vec()
        }
        Err(_) => Vec::new(),
    }
}
