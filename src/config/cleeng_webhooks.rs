//! How Cleeng's webhooks are known and read. Header, encoding and the payload of a refund are not published, so they can be set.

use std::ops::RangeInclusive;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::fault::{Fault, Faults, Origin};
use super::reader::Reader;
use super::sections::CLEENG_ID;
use super::value::{self, Wrong};
use super::{address, credential, variable};

/// A name as Cleeng may write it in a payload; a path of such names is not longer than this either.
const LONGEST_PATH: usize = 200;
const LONGEST_HEADER: usize = 64;
/// What Cleeng takes of a secret that it is to sign with, in bytes.
const SIGNING_SECRET: RangeInclusive<usize> = 16..=64;

/// What the door needs to take Cleeng's webhooks.
#[derive(Debug, Clone)]
pub(crate) struct CleengWebhooksConfig {
    /// Whose webhooks are taken.
    pub(crate) publisher_id: u64,
    /// Several while a secret is changed; without one nothing is taken.
    pub(crate) secrets: Vec<SecretString>,
    /// Where Cleeng reaches the door from outside; only a command needs it.
    pub(crate) url: Option<Url>,
    /// Lower case.
    pub(crate) signature_header: String,
    pub(crate) signature_encoding: SignatureEncoding,
    pub(crate) refund_fields: RefundPaths,
}

impl CleengWebhooksConfig {
    /// What Cleeng is told to sign with: the first secret. The others are only taken, while it is changed.
    ///
    /// # Errors
    /// There is none, or one that Cleeng would not take.
    pub(crate) fn signing_secret(&self) -> Result<&SecretString, Faults> {
        let problem = match self.secrets.first() {
            None => "not set, and Cleeng is to sign with it",
            Some(first) if SIGNING_SECRET.contains(&first.expose_secret().len()) => {
                return Ok(first);
            }
            Some(_) => "Cleeng takes a secret of 16 to 64 characters, and the first one is none",
        };
        Err(Faults(vec![Fault {
            key: "cleeng.webhook_secret".to_owned(),
            variable: Some(variable::name("cleeng.webhook_secret")),
            origin: Origin::Nowhere,
            value: None,
            problem: problem.to_owned(),
            remedy: "choose one, such as `openssl rand -hex 32` prints, and set it for every process; then run this again"
                .to_owned(),
        }]))
    }
}

/// How the bytes of a signature are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignatureEncoding {
    Hex,
    Base64,
}

/// Where the data of `refundPayment` has what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefundPaths {
    pub(crate) payment_id: FieldPath,
    pub(crate) order_id: FieldPath,
    pub(crate) external_payment_id: FieldPath,
    pub(crate) amount: FieldPath,
    pub(crate) currency: FieldPath,
    pub(crate) refund_id: FieldPath,
}

/// Names from the outside to the inside, at least one: `refund.amount` is the amount within the refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldPath(Vec<String>);

impl FieldPath {
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// As it is written in the configuration.
    pub(super) fn spelt(&self) -> String {
        self.0.join(".")
    }
}

pub(super) fn cleeng_webhooks(reader: &mut Reader) -> Option<CleengWebhooksConfig> {
    // The section before this one tells what is wrong with it.
    let publisher_id = reader
        .peek_integer("cleeng.publisher_id")
        .and_then(|number| value::number_in(number, &CLEENG_ID).ok());
    let secrets = reader.text("cleeng.webhook_secret", credential::cleeng_secrets);
    let url = reader.text("cleeng.webhook_url", address::webhook_url);
    let signature_header = reader.text("cleeng.webhook_signature_header", header);
    let signature_encoding = reader.text("cleeng.webhook_signature_encoding", |text| {
        let words = [
            ("hex", SignatureEncoding::Hex),
            ("base64", SignatureEncoding::Base64),
        ];
        value::one_of(text, &words)
    });
    let refund_fields = refund_fields(reader);
    Some(CleengWebhooksConfig {
        publisher_id: publisher_id?,
        secrets: secrets?,
        url: url?,
        signature_header: signature_header?,
        signature_encoding: signature_encoding?,
        refund_fields: refund_fields?,
    })
}

fn refund_fields(reader: &mut Reader) -> Option<RefundPaths> {
    let mut field = |word: &str| reader.text(&format!("cleeng.refund_fields.{word}"), path);
    let payment_id = field("payment_id");
    let order_id = field("order_id");
    let external_payment_id = field("external_payment_id");
    let amount = field("amount");
    let currency = field("currency");
    let refund_id = field("refund_id");
    Some(RefundPaths {
        payment_id: payment_id?,
        order_id: order_id?,
        external_payment_id: external_payment_id?,
        amount: amount?,
        currency: currency?,
        refund_id: refund_id?,
    })
}

/// A header's name, in lower case.
fn header(text: &str) -> Result<String, Wrong> {
    let reads_well = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if reads_well && (1..=LONGEST_HEADER).contains(&text.len()) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(Wrong::new(
        "not the name of a header",
        "write the name alone, such as \"x-cleeng-signature\": letters, digits, - and _",
    ))
}

fn path(text: &str) -> Result<FieldPath, Wrong> {
    let names: Vec<String> = text.split('.').map(str::to_owned).collect();
    let reads_well = names
        .iter()
        .all(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()));
    if reads_well && text.len() <= LONGEST_PATH {
        return Ok(FieldPath(names));
    }
    Err(Wrong::new(
        "not a path of field names",
        "write a name within the webhook's data, such as \"paymentId\", or several with dots between them, such as \
         \"payment.id\"",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_name_or_several_with_dots_between_them() {
        let names = |text: &str| path(text).map(|path| path.names().map(str::to_owned).collect());
        assert_eq!(names("paymentId"), Ok(vec!["paymentId".to_owned()]));
        assert_eq!(
            names("refund.amount"),
            Ok(vec!["refund".to_owned(), "amount".to_owned()])
        );
        for bad in ["", ".", "a.", ".a", "a..b", "a b", "ä", &"a".repeat(201)] {
            assert!(path(bad).is_err(), "{bad:?}");
        }
        assert_eq!(path("refund.amount").unwrap().spelt(), "refund.amount");
    }

    #[test]
    fn a_headers_name_is_compared_in_lower_case() {
        assert_eq!(header("X-Cleeng-Signature").unwrap(), "x-cleeng-signature");
        for bad in ["", "x: y", "x y", "é", &"x".repeat(65)] {
            assert!(header(bad).is_err(), "{bad:?}");
        }
    }
}
