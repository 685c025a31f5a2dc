//! What must fit together: rules between keys, each judged on what is set even where another key of a section is at fault.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::fault::{Fault, Faults, Origin};
use super::reader::Reader;
use super::value::{self, Wrong};
use super::{BrokerUrl, Config, LedgerUrl, Role, address, auth, reconcile, variable};

/// The rules between keys of different sections.
pub(super) fn check(reader: &mut Reader) {
    stores(reader);
    auth::check(reader);
    ports(reader);
    settle_time(reader);
    reconcile::window(reader);
    refund_fields(reader);
    payment_methods(reader);
}

fn stores(reader: &mut Reader) {
    let broker = reader.peek("broker.url", address::broker);
    let ledger = reader.peek("ledger.url", address::ledger);
    if let (Some(BrokerUrl::Embedded), Some(LedgerUrl::Postgres(_))) = (broker, ledger) {
        reader.blame(
            "broker.url",
            Wrong::new(
                "the embedded broker lives in the ledger's SQLite file, and the ledger is PostgreSQL",
                "set broker.url to amqp://… or ledger.url to sqlite://…",
            ),
        );
    }
}

fn ports(reader: &mut Reader) {
    let http = reader.peek("http.listen", value::socket);
    let ops = reader.peek("ops.listen", value::socket);
    if let (Some(http), Some(ops)) = (http, ops)
        && collide(http, ops)
    {
        reader.blame(
            "ops.listen",
            Wrong::new(
                "the same port as http.listen",
                "choose another port: what it shows is not for the public",
            ),
        );
    }
}

/// While a report may still be under way, reading it back would say that Cleeng has it not, and it would be sent twice.
fn settle_time(reader: &mut Reader) {
    let timeout = reader.peek("cleeng.timeout", value::duration);
    let settle = reader.peek("cleeng.settle_time", value::duration);
    if let (Some(timeout), Some(settle)) = (timeout, settle)
        && settle <= timeout
    {
        reader.blame(
            "cleeng.settle_time",
            Wrong::new(
                "not longer than cleeng.timeout",
                "choose more than cleeng.timeout: only then a lost report is read back",
            ),
        );
    }
}

/// A refund's amount and its type in one field would overwrite each other.
fn refund_fields(reader: &mut Reader) {
    let amount = reader.peek("cleeng.refund_amount_field", value::refund_field);
    let kind = reader.peek("cleeng.refund_type_field", value::refund_field);
    if kind.is_some() && amount == kind {
        reader.blame(
            "cleeng.refund_type_field",
            Wrong::new(
                "the same field as cleeng.refund_amount_field",
                "name the field that takes \"refund\" or \"chargeback\"",
            ),
        );
    }
}

/// Whether two sockets cannot both be opened. Port 0 is any free one.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let same_address =
        one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() == other.port() && one.port() != 0 && same_address
}

/// Cleeng names a gateway by its payment method: two gateways with one id could not be told apart.
fn payment_methods(reader: &mut Reader) {
    let mut taken: BTreeMap<i64, String> = BTreeMap::new();
    for name in reader.below("gateways") {
        for word in ["payment_method_id", "external_payment_method_id"] {
            let key = format!("gateways.{name}.{word}");
            let Some(id) = reader.peek_integer(&key).filter(|id| *id != 0) else {
                continue;
            };
            match taken.get(&id) {
                None => {
                    taken.insert(id, name.clone());
                }
                Some(first) => {
                    let problem = format!("the gateway {first} has the same one");
                    let remedy =
                        "give each gateway the payment method that stands for it at Cleeng";
                    reader.blame(&key, Wrong::new(problem, remedy));
                }
            }
        }
    }
}

/// Whether this process can run these roles with this configuration.
///
/// # Errors
/// The embedded broker serves one process only, so that process must have every role.
pub(crate) fn check_roles(config: &Config, roles: &[Role]) -> Result<(), Faults> {
    let missing: Vec<&str> = Role::ALL
        .into_iter()
        .filter(|role| !roles.contains(role))
        .map(Role::label)
        .collect();
    match config.broker.url {
        BrokerUrl::Embedded if !missing.is_empty() => Err(Faults(vec![Fault {
            key: "broker.url".to_owned(),
            variable: Some(variable::name("broker.url")),
            origin: Origin::Nowhere,
            value: None,
            problem: format!(
                "the embedded broker serves one process only, and this one would run without {}",
                missing.join(" and ")
            ),
            remedy: "run all three roles in this process, or set broker.url to amqp://…".to_owned(),
        }])),
        BrokerUrl::Embedded | BrokerUrl::Amqp(_) => Ok(()),
    }
}
