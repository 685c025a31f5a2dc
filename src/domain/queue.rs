//! The work queues by name: the same word in the code, the broker, the metrics and the log.

use std::fmt;
use std::str::FromStr;

use super::ids::{BadId, GatewayName};

/// Commands of a payer who is waiting do not queue behind a batch of renewals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Lane {
    Checkout,
    Billing,
}

/// A work queue. Its text is the routing key: the queue's name without the prefix.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Queue {
    Commands { gateway: GatewayName, lane: Lane },
    GatewayEvents,
    Confirmations,
    Dead,
}

impl Queue {
    /// The kind of queue, whatever the gateway: a metric's label.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Queue::Commands {
                lane: Lane::Checkout,
                ..
            } => "checkout",
            Queue::Commands {
                lane: Lane::Billing,
                ..
            } => "billing",
            Queue::GatewayEvents => "gateway_events",
            Queue::Confirmations => "confirmations",
            Queue::Dead => "dead",
        }
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Queue::Commands {
                gateway,
                lane: Lane::Checkout,
            } => write!(f, "commands.{gateway}.checkout"),
            Queue::Commands {
                gateway,
                lane: Lane::Billing,
            } => write!(f, "commands.{gateway}.billing"),
            Queue::GatewayEvents => f.write_str("gateway-events"),
            Queue::Confirmations => f.write_str("confirmations"),
            Queue::Dead => f.write_str("dead"),
        }
    }
}

impl FromStr for Queue {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let bad = BadId(
            "a queue (commands.<gateway>.checkout|billing, gateway-events, confirmations, dead)",
        );
        match text.split('.').collect::<Vec<_>>().as_slice() {
            ["gateway-events"] => Ok(Queue::GatewayEvents),
            ["confirmations"] => Ok(Queue::Confirmations),
            ["dead"] => Ok(Queue::Dead),
            ["commands", gateway, "checkout"] => Ok(Queue::Commands {
                gateway: gateway.parse()?,
                lane: Lane::Checkout,
            }),
            ["commands", gateway, "billing"] => Ok(Queue::Commands {
                gateway: gateway.parse()?,
                lane: Lane::Billing,
            }),
            _ => Err(bad),
        }
    }
}
