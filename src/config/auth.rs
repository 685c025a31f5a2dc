//! Who may call the public API: which credentials are asked for, and where the keys of customers' tokens are.

pub(super) mod environment;

use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::fault::Origin;
use super::reader::Reader;
use super::sections::{CLEENG_ID, millis, secs};
use super::value::{self, Wrong};
use super::{address, credential};
use environment::{derived, environment};

/// Less than the 1.8 s within which every call is answered: the rest of the call needs its time, too.
const JWKS_TIMEOUT: RangeInclusive<Duration> = millis(50)..=millis(1_500);
const JWKS_MAX_AGE: RangeInclusive<Duration> = secs(1)..=secs(86_400);
/// A key that Cleeng took back would be trusted for as long.
const JWKS_KEEP: RangeInclusive<Duration> = secs(1)..=secs(7 * 86_400);
const JWKS_REFETCH_AFTER: RangeInclusive<Duration> = millis(100)..=secs(600);

/// Who may call the public API.
#[derive(Debug, Clone)]
pub(crate) struct AuthConfig {
    pub(crate) asked: Asked,
    /// How Cleeng's keys are kept; of no use where no token is taken.
    pub(crate) jwks: JwksConfig,
}

/// What a caller has to show.
#[derive(Debug, Clone)]
pub(crate) enum Asked {
    /// Nothing; only on a loopback address.
    Nothing,
    /// `Authorization: Bearer <key>` of a server.
    ApiKey(ApiKeysConfig),
    /// `Authorization: Bearer <token>` of a customer, as Cleeng signs it.
    Customer(CustomersConfig),
    CustomerOrApiKey(CustomersConfig, ApiKeysConfig),
}

/// The keys of servers.
#[derive(Debug, Clone)]
pub(crate) struct ApiKeysConfig {
    pub(crate) hashes: KeyHashes,
    /// Where they came from: the file is read again when it changes.
    pub(crate) file: Option<PathBuf>,
}

/// The SHA-256 of each key, 32 bytes.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct KeyHashes(pub(crate) Vec<[u8; 32]>);

/// Whose customers call, and who says so.
#[derive(Debug, Clone)]
pub(crate) struct CustomersConfig {
    pub(crate) publisher_id: u64,
    pub(crate) jwks_url: Url,
}

/// How long what is known of Cleeng's keys may serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct JwksConfig {
    pub(crate) timeout: Duration,
    /// After so long they are fetched anew, whoever asks.
    pub(crate) max_age: Duration,
    /// So long they serve while they cannot be fetched.
    pub(crate) keep: Duration,
    /// At least this lies between two fetches.
    pub(crate) refetch_after: Duration,
}

/// What `auth.mode` may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    None,
    ApiKey,
    Customer,
    CustomerOrApiKey,
}

impl fmt::Debug for KeyHashes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[secret]; {}", self.0.len())
    }
}

impl Asked {
    pub(crate) fn api_keys(&self) -> Option<&ApiKeysConfig> {
        match self {
            Asked::ApiKey(keys) | Asked::CustomerOrApiKey(_, keys) => Some(keys),
            Asked::Nothing | Asked::Customer(_) => None,
        }
    }

    pub(crate) fn customers(&self) -> Option<&CustomersConfig> {
        match self {
            Asked::Customer(customers) | Asked::CustomerOrApiKey(customers, _) => Some(customers),
            Asked::Nothing | Asked::ApiKey(_) => None,
        }
    }

    /// As `auth.mode` spells it.
    pub(super) fn mode(&self) -> &'static str {
        match self {
            Asked::Nothing => "none",
            Asked::ApiKey(_) => "api_key",
            Asked::Customer(_) => "customer",
            Asked::CustomerOrApiKey(..) => "customer_or_api_key",
        }
    }
}

impl KeyHashes {
    /// The hashes of a file that is read again.
    ///
    /// # Errors
    /// What cannot be the hashes of at least one key. The text holds nothing of the file.
    pub(crate) fn read(text: &str) -> Result<KeyHashes, String> {
        match credential::hashes(text) {
            Ok(hashes) if hashes.is_empty() => Err("there is no key in it".to_owned()),
            Ok(hashes) => Ok(KeyHashes(hashes)),
            Err(wrong) => Err(format!("{}: {}", wrong.problem, wrong.remedy)),
        }
    }
}

impl Mode {
    fn read(text: &str) -> Result<Mode, Wrong> {
        value::one_of(
            text,
            &[
                ("none", Mode::None),
                ("api_key", Mode::ApiKey),
                ("customer", Mode::Customer),
                ("customer_or_api_key", Mode::CustomerOrApiKey),
            ],
        )
    }

    fn takes_keys(self) -> bool {
        matches!(self, Mode::ApiKey | Mode::CustomerOrApiKey)
    }

    fn takes_tokens(self) -> bool {
        matches!(self, Mode::Customer | Mode::CustomerOrApiKey)
    }
}

pub(super) fn auth(reader: &mut Reader) -> Option<AuthConfig> {
    let mode = reader.text("auth.mode", Mode::read);
    let keys = api_keys(reader);
    let url = reader.text("auth.jwks_url", address::jwks_url);
    let jwks = jwks(reader);
    let customers = match mode?.takes_tokens() {
        true => customers(reader, url?),
        false => None,
    };
    Some(AuthConfig {
        asked: match mode? {
            Mode::None => Asked::Nothing,
            Mode::ApiKey => Asked::ApiKey(keys?),
            Mode::Customer => Asked::Customer(customers?),
            Mode::CustomerOrApiKey => Asked::CustomerOrApiKey(customers?, keys?),
        },
        jwks: jwks?,
    })
}

fn api_keys(reader: &mut Reader) -> Option<ApiKeysConfig> {
    let hashes = reader.text("auth.api_key_hashes", credential::hashes);
    let entry = reader.layers.entries.get("auth.api_key_hashes");
    let file = match entry.map(|entry| &entry.origin) {
        Some(Origin::SecretFile { path, .. }) => Some(PathBuf::from(path)),
        Some(Origin::Default | Origin::File { .. } | Origin::Environment { .. })
        | Some(Origin::Nowhere)
        | None => None,
    };
    Some(ApiKeysConfig {
        hashes: KeyHashes(hashes?),
        file,
    })
}

fn jwks(reader: &mut Reader) -> Option<JwksConfig> {
    let timeout = reader.duration("auth.jwks_timeout", JWKS_TIMEOUT);
    let max_age = reader.duration("auth.jwks_max_age", JWKS_MAX_AGE);
    let keep = reader.duration("auth.jwks_keep", JWKS_KEEP);
    let refetch_after = reader.duration("auth.jwks_refetch_after", JWKS_REFETCH_AFTER);
    Some(JwksConfig {
        timeout: timeout?,
        max_age: max_age?,
        keep: keep?,
        refetch_after: refetch_after?,
    })
}

/// A fault of `cleeng.publisher_id` is told where that is read.
fn customers(reader: &mut Reader, given: Option<Url>) -> Option<CustomersConfig> {
    let publisher_id = reader.peek_integer("cleeng.publisher_id");
    let publisher_id = value::number_in(publisher_id?, &CLEENG_ID).ok();
    let base = reader.peek("cleeng.base_url", address::cleeng_base_url)?;
    let jwks_url = given.or_else(|| derived(&base));
    if jwks_url.is_none() {
        reader.blame(
            "auth.jwks_url",
            Wrong::new(
                "not set, and it does not follow from cleeng.base_url, which is no host of Cleeng's",
                "name where the keys of customers' tokens are, or set auth.mode to api_key",
            ),
        );
    }
    Some(CustomersConfig {
        publisher_id: publisher_id?,
        jwks_url: jwks_url?,
    })
}

/// The rules between the keys of this section, and with others.
pub(super) fn check(reader: &mut Reader) {
    let Some(mode) = reader.peek("auth.mode", Mode::read) else {
        return;
    };
    let hashes = reader.peek("auth.api_key_hashes", credential::hashes);
    let listen = reader.peek("http.listen", value::socket);
    let given = hashes.as_ref().is_some_and(|hashes| !hashes.is_empty());
    let rules = [
        (
            mode.takes_keys() && hashes.as_ref().is_some_and(Vec::is_empty),
            "auth.api_key_hashes",
            "auth.mode asks for keys and there is no key",
            "give the SHA-256 of at least one key: printf %s \"$KEY\" | sha256sum",
        ),
        (
            mode == Mode::None && listen.is_some_and(|listen| !listen.ip().is_loopback()),
            "http.listen",
            "everybody who reaches this address could start payments: auth.mode is none",
            "set auth.mode to customer or api_key, or listen on a loopback address such as 127.0.0.1:8080",
        ),
        (
            !mode.takes_keys() && given,
            "auth.mode",
            "keys are given and not asked for",
            "set auth.mode to api_key or customer_or_api_key, or remove auth.api_key_hashes",
        ),
        (
            mode.takes_tokens() && crosses_environments(reader),
            "auth.jwks_url",
            "tokens of one of Cleeng's environments for orders of the other: cleeng.base_url is not of the same one",
            "leave auth.jwks_url empty, then it follows from cleeng.base_url",
        ),
        (
            outlives(reader),
            "auth.jwks_keep",
            "shorter than auth.jwks_max_age",
            "choose at least auth.jwks_max_age: keys that are not yet fetched anew would be forgotten",
        ),
    ];
    for (broken, key, problem, remedy) in rules {
        if broken {
            reader.blame(key, Wrong::new(problem, remedy));
        }
    }
}

fn crosses_environments(reader: &Reader) -> bool {
    let base = reader.peek("cleeng.base_url", address::cleeng_base_url);
    let jwks = reader.peek("auth.jwks_url", address::jwks_url).flatten();
    let of = |url: Option<Url>| url.as_ref().and_then(environment);
    of(base)
        .zip(of(jwks))
        .is_some_and(|(base, jwks)| base != jwks)
}

fn outlives(reader: &Reader) -> bool {
    let span = |key| reader.peek(key, value::duration);
    let (keep, max_age) = (span("auth.jwks_keep"), span("auth.jwks_max_age"));
    keep.zip(max_age)
        .is_some_and(|(keep, max_age)| keep < max_age)
}
