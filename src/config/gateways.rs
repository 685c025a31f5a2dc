//! The gateways' sections: their names, their kinds, and the keys of each kind.

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::SecretString;

use super::layers::Raw;
use super::reader::Reader;
use super::sections::{CLEENG_ID, call_limits, millis, secs};
use super::value::{self, Wrong};
use super::{
    CallLimits, CaptureMode, GatewayConfig, SimulatedConfig, StripeConfig, address, credential,
};
use crate::domain::ids::GatewayName;

/// What a gateway's section holds unless it says otherwise. `config/default.toml` shows them, and a test compares.
const STRIPE_BASE_URL: &str = "https://api.stripe.com";
const CAPTURE: &str = "automatic";
const TIMEOUT: &str = "60s";
const KEY_LIFETIME: &str = "20h";

/// Stripe keeps a key for at least 24 h; an hour of it is left for a request on its way.
const LONGEST_KEY_LIFETIME: Duration = secs(23 * 3600);

/// `/v1/webhooks/cleeng` is not a gateway's.
const CLEENGS_PATH: &str = "cleeng";

const KEYS: [&str; 12] = [
    "base_url",
    "secret_key",
    "publishable_key",
    "webhook_secret",
    "payment_method_id",
    "external_payment_method_id",
    "capture",
    "timeout",
    "key_lifetime",
    "breaker_failures",
    "rate_limit",
    "concurrency",
];

#[derive(Debug, Clone, Copy)]
enum Kind {
    Stripe,
    Simulated,
}

const KINDS: [(&str, Kind); 2] = [("stripe", Kind::Stripe), ("simulated", Kind::Simulated)];

/// All of them; nothing when one is at fault, or when there is none.
pub(super) fn gateways(reader: &mut Reader) -> Option<BTreeMap<GatewayName, GatewayConfig>> {
    let names = reader.below("gateways");
    if names.is_empty() {
        reader.blame(
            "gateways",
            Wrong::new(
                "no gateway is configured",
                "configure one: a section [gateways.stripe] in the file, or CONNECTOR_GATEWAYS__STRIPE__SECRET_KEY and the \
                 others of its keys",
            ),
        );
        return None;
    }
    // Collected before it is judged: a fault of the first must not hide those of the second.
    let read: Vec<_> = names
        .iter()
        .map(|name| {
            let section = Section {
                path: format!("gateways.{name}"),
                name,
            };
            section.read(reader)
        })
        .collect();
    read.into_iter().collect()
}

struct Section<'a> {
    path: String,
    name: &'a str,
}

impl Section<'_> {
    fn key(&self, word: &str) -> String {
        format!("{}.{word}", self.path)
    }

    fn read(&self, reader: &mut Reader) -> Option<(GatewayName, GatewayConfig)> {
        let name = self.gateway_name(reader);
        let kind_key = self.key("kind");
        let kind = reader.text_or(&kind_key, self.name, |text| value::one_of(text, &KINDS));
        let config = match kind {
            Some(Kind::Stripe) => self.stripe(reader).map(GatewayConfig::Stripe),
            Some(Kind::Simulated) => self.simulated(reader).map(GatewayConfig::Simulated),
            None => {
                for word in KEYS {
                    reader.know(&self.key(word));
                }
                None
            }
        };
        Some((name?, config?))
    }

    fn gateway_name(&self, reader: &mut Reader) -> Option<GatewayName> {
        let parsed = self.name.parse::<GatewayName>().ok();
        if self.name == CLEENGS_PATH {
            reader.blame(
                &self.path,
                Wrong::new(
                    "a name whose webhooks would go where Cleeng sends its own",
                    "give the section another name; its kind may be set by `kind`",
                ),
            );
            return None;
        }
        // Two underscores separate the words of a variable, so they cannot be part of one.
        let fits = !self.name.contains("__") && !self.name.ends_with('_');
        let name = parsed.filter(|_| fits);
        if name.is_none() {
            reader.blame(
                &self.path,
                Wrong::new(
                    "a name that does not fit into the names of queues and variables",
                    "name the section with 1 to 32 of a-z, 0-9 and single _, beginning with a letter",
                ),
            );
        }
        name
    }

    fn stripe(&self, reader: &mut Reader) -> Option<StripeConfig> {
        let base_url = reader.text_or(
            &self.key("base_url"),
            STRIPE_BASE_URL,
            address::stripe_base_url,
        );
        let publishable_key =
            reader.text(&self.key("publishable_key"), credential::publishable_key);
        let key_lifetime = self.key_lifetime(reader);
        let shared = self.shared(reader);
        self.same_mode(reader);
        let shared = shared?;
        Some(StripeConfig {
            base_url: base_url?,
            secret_key: shared.secret_key,
            publishable_key: publishable_key?,
            webhook_secrets: shared.webhook_secrets,
            payment_method_id: shared.payment_method_id,
            external_payment_method_id: shared.external_payment_method_id,
            capture: shared.capture,
            timeout: shared.timeout,
            key_lifetime: key_lifetime?,
            limits: shared.limits,
        })
    }

    fn simulated(&self, reader: &mut Reader) -> Option<SimulatedConfig> {
        let base_url = reader.text(&self.key("base_url"), address::base_url);
        let key_lifetime = self.key_lifetime(reader);
        let shared = self.shared(reader)?;
        Some(SimulatedConfig {
            base_url: base_url?,
            secret_key: shared.secret_key,
            webhook_secrets: shared.webhook_secrets,
            payment_method_id: shared.payment_method_id,
            external_payment_method_id: shared.external_payment_method_id,
            capture: shared.capture,
            timeout: shared.timeout,
            key_lifetime: key_lifetime?,
            limits: shared.limits,
        })
    }

    fn shared(&self, reader: &mut Reader) -> Option<Shared> {
        let secret_key = reader.text(&self.key("secret_key"), credential::secret_key);
        let webhook_secrets = reader.text(&self.key("webhook_secret"), credential::webhook_secrets);
        let payment_method_id = reader.number(&self.key("payment_method_id"), CLEENG_ID);
        let external = self.external_payment_method_id(reader);
        let capture = reader.text_or(&self.key("capture"), CAPTURE, |text| {
            let words = [
                ("automatic", CaptureMode::Automatic),
                ("manual", CaptureMode::Manual),
            ];
            value::one_of(text, &words)
        });
        let timeout = reader.text_or(&self.key("timeout"), TIMEOUT, |text| {
            value::duration_in(text, &(millis(100)..=secs(300)))
        });
        let limits = call_limits(reader, &self.path);
        Some(Shared {
            secret_key: secret_key?,
            webhook_secrets: webhook_secrets?,
            payment_method_id: payment_method_id?,
            external_payment_method_id: external?,
            capture: capture?,
            timeout: timeout?,
            limits: limits?,
        })
    }

    /// The inner `None`: 0, or not set.
    fn external_payment_method_id(&self, reader: &mut Reader) -> Option<Option<u64>> {
        let key = self.key("external_payment_method_id");
        reader.unless_set(&key, Raw::Integer(0));
        let id = reader.number(&key, 0..=*CLEENG_ID.end())?;
        Some((id != 0).then_some(id))
    }

    fn key_lifetime(&self, reader: &mut Reader) -> Option<Duration> {
        reader.text_or(&self.key("key_lifetime"), KEY_LIFETIME, |text| {
            value::duration_in(text, &(secs(1)..=LONGEST_KEY_LIFETIME))
        })
    }

    /// A live key beside a test key: charges would be made where no front end's token is valid.
    fn same_mode(&self, reader: &mut Reader) {
        let secret = reader.peek(&self.key("secret_key"), |text| {
            Ok(credential::is_live(text))
        });
        let publishable_key = self.key("publishable_key");
        let public = reader.peek(&publishable_key, |text| Ok(credential::is_live(text)));
        if let (Some(Some(secret)), Some(Some(public))) = (secret, public)
            && secret != public
        {
            reader.blame(
                &publishable_key,
                Wrong::new(
                    "of the keys of this gateway, one is live and the other is a test key",
                    "take both secret_key and publishable_key from the same mode of Stripe's dashboard",
                ),
            );
        }
    }
}

/// What every kind has.
struct Shared {
    secret_key: SecretString,
    webhook_secrets: Vec<SecretString>,
    payment_method_id: u64,
    external_payment_method_id: Option<u64>,
    capture: CaptureMode,
    timeout: Duration,
    limits: CallLimits,
}
