//! What must exist in RabbitMQ, as one table: exchanges, queues, bindings and their arguments.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::{Lane, Queue};
use crate::domain::ids::GatewayName;
use crate::domain::retry::Delay;

/// How often a consumer may die with a message in hand before it becomes a dead letter. Our own hand-backs at a restart count
/// too, so it is far above what restarts need.
const WORK_DELIVERY_LIMIT: i64 = 100;
/// Looking at dead letters counts as a delivery and must not delete them. -1 would, in RabbitMQ 3.10.
const HIGH_DELIVERY_LIMIT: i64 = 1_000_000;

/// Everything that is declared, in the order of declaration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Topology {
    /// The one that messages are published to and come back to.
    pub(crate) exchange: String,
    pub(crate) exchanges: Vec<ExchangeRow>,
    /// Dead letters first: nothing may be lost between two declarations.
    pub(crate) queues: Vec<QueueRow>,
}

/// A durable exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ExchangeRow {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Topic,
    Fanout,
}

/// A durable queue with its one binding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct QueueRow {
    pub(crate) name: String,
    pub(crate) exchange: String,
    /// Empty for a fanout exchange.
    pub(crate) routing_key: String,
    pub(crate) arguments: BTreeMap<&'static str, Argument>,
}

/// The value of a queue's argument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "serde_json::Value")]
pub(crate) enum Argument {
    Text(String),
    Number(i64),
}

/// What is not as the table says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "difference")]
pub(crate) enum Difference {
    MissingExchange {
        name: String,
    },
    MissingQueue {
        name: String,
    },
    /// It exists with other arguments. `difference` is the broker's own wording.
    Incompatible {
        name: String,
        detail: String,
    },
}

impl Topology {
    pub(crate) fn new(prefix: &str, gateways: &[GatewayName]) -> Topology {
        let exchange = exchange_name(prefix);
        let mut exchanges = vec![ExchangeRow {
            name: exchange.clone(),
            kind: Kind::Topic,
        }];
        let mut queues: Vec<QueueRow> = queues(gateways)
            .iter()
            .map(|queue| queue_row(prefix, queue))
            .collect();
        for delay in Delay::all() {
            let name = delay_name(prefix, delay);
            exchanges.push(ExchangeRow {
                name: name.clone(),
                kind: Kind::Fanout,
            });
            queues.push(QueueRow {
                exchange: name.clone(),
                routing_key: String::new(),
                arguments: rung_arguments(&exchange, delay),
                name,
            });
        }
        Topology {
            exchange,
            exchanges,
            queues,
        }
    }
}

impl From<Argument> for serde_json::Value {
    fn from(argument: Argument) -> serde_json::Value {
        match argument {
            Argument::Text(text) => text.into(),
            Argument::Number(number) => number.into(),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::MissingExchange { name } => write!(f, "exchange {name} is missing"),
            Difference::MissingQueue { name } => write!(f, "queue {name} is missing"),
            Difference::Incompatible { name, detail } => {
                write!(f, "{name} exists with other arguments: {detail}")
            }
        }
    }
}

pub(crate) fn exchange_name(prefix: &str) -> String {
    prefix.to_owned()
}

pub(crate) fn queue_name(prefix: &str, queue: &Queue) -> String {
    format!("{prefix}.{queue}")
}

/// The name of a rung's queue, and of the exchange that feeds it.
pub(crate) fn delay_name(prefix: &str, delay: Delay) -> String {
    format!("{prefix}.delay.{delay}")
}

/// All queues that messages can be published to, the dead letters first.
pub(crate) fn queues(gateways: &[GatewayName]) -> Vec<Queue> {
    let commands = gateways.iter().flat_map(|gateway| {
        [Lane::Checkout, Lane::Billing].map(|lane| Queue::Commands {
            gateway: gateway.clone(),
            lane,
        })
    });
    [Queue::Dead]
        .into_iter()
        .chain(commands)
        .chain([Queue::GatewayEvents, Queue::Confirmations])
        .collect()
}

fn queue_row(prefix: &str, queue: &Queue) -> QueueRow {
    let arguments = match queue {
        Queue::Dead => quorum(HIGH_DELIVERY_LIMIT),
        Queue::Commands { .. } | Queue::GatewayEvents | Queue::Confirmations => {
            let mut arguments = quorum(WORK_DELIVERY_LIMIT);
            arguments.insert("x-dead-letter-exchange", text(&exchange_name(prefix)));
            arguments.insert("x-dead-letter-routing-key", text(&Queue::Dead.to_string()));
            arguments
        }
    };
    QueueRow {
        name: queue_name(prefix, queue),
        exchange: exchange_name(prefix),
        routing_key: queue.to_string(),
        arguments,
    }
}

/// What expires goes back under its own routing key, so that one ladder serves all queues.
fn rung_arguments(exchange: &str, delay: Delay) -> BTreeMap<&'static str, Argument> {
    let wait = i64::try_from(delay.wait().as_millis()).unwrap_or(i64::MAX);
    let mut arguments = quorum(HIGH_DELIVERY_LIMIT);
    arguments.insert("x-message-ttl", Argument::Number(wait));
    arguments.insert("x-dead-letter-exchange", text(exchange));
    arguments
}

/// Arguments of every queue. Dead-lettering at least once needs `reject-publish`; without it RabbitMQ silently falls back to
/// at most once.
fn quorum(delivery_limit: i64) -> BTreeMap<&'static str, Argument> {
    BTreeMap::from([
        ("x-queue-type", text("quorum")),
        ("x-overflow", text("reject-publish")),
        ("x-dead-letter-strategy", text("at-least-once")),
        ("x-delivery-limit", Argument::Number(delivery_limit)),
    ])
}

fn text(value: &str) -> Argument {
    Argument::Text(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Topology {
        Topology::new("connector", &["stripe".parse().unwrap()])
    }

    #[test]
    fn the_dead_letters_come_first_and_the_ladder_last() {
        let names: Vec<_> = table().queues.into_iter().map(|row| row.name).collect();
        assert_eq!(
            names[..6],
            [
                "connector.dead",
                "connector.commands.stripe.checkout",
                "connector.commands.stripe.billing",
                "connector.gateway-events",
                "connector.confirmations",
                "connector.delay.1s.a",
            ]
        );
        assert_eq!(names.len(), 5 + 18);
    }

    #[test]
    fn every_queue_is_a_quorum_queue_that_never_drops() {
        for row in table().queues {
            assert_eq!(row.arguments["x-queue-type"], text("quorum"));
            assert_eq!(
                row.arguments["x-dead-letter-strategy"],
                text("at-least-once")
            );
            assert_eq!(row.arguments["x-overflow"], text("reject-publish"));
            let Argument::Number(limit) = row.arguments["x-delivery-limit"] else {
                panic!("{}", row.name)
            };
            assert!(limit >= 100, "{}", row.name);
            let target = row.arguments.contains_key("x-dead-letter-exchange");
            assert_eq!(target, row.name != "connector.dead", "{}", row.name);
        }
    }

    #[test]
    fn a_rung_waits_its_time_and_keeps_the_routing_key() {
        let table = table();
        let row = table
            .queues
            .iter()
            .find(|row| row.name == "connector.delay.30s.c")
            .unwrap();
        assert_eq!(row.arguments["x-message-ttl"], Argument::Number(37_500));
        assert_eq!(row.arguments["x-dead-letter-exchange"], text("connector"));
        assert!(!row.arguments.contains_key("x-dead-letter-routing-key"));
        assert_eq!(row.exchange, row.name);
        assert!(table.exchanges.contains(&ExchangeRow {
            name: row.name.clone(),
            kind: Kind::Fanout
        }));
    }

    #[test]
    fn the_table_is_printable_as_json() {
        let json = serde_json::to_value(table()).unwrap();
        assert_eq!(
            json["queues"][0]["arguments"]["x-delivery-limit"],
            1_000_000
        );
        assert_eq!(json["exchanges"][0]["kind"], "topic");
    }
}
