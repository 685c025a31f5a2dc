//! A dead letter as an operator sees it: what it says, which payment it is about, and nothing that is secret.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::broker::{DeadLetter, Queue};
use crate::domain::ids::{GatewayName, PaymentId};
use crate::domain::message::{Body, Envelope};
use crate::domain::moment::Moment;
use crate::ledger::{Ledger, LedgerError};

/// A dead letter, read.
pub(crate) struct Letter {
    pub(crate) dead: DeadLetter,
    pub(crate) source: Option<Queue>,
    /// Nothing when it cannot be decoded.
    pub(crate) envelope: Option<Envelope>,
    pub(crate) payment: Option<PaymentId>,
    pub(crate) gateway: Option<GatewayName>,
}

/// The gateways of the payments that were asked for already.
type Gateways = BTreeMap<PaymentId, Option<GatewayName>>;

impl Letter {
    pub(crate) async fn read_all(
        found: Vec<DeadLetter>,
        ledger: &Ledger,
    ) -> Result<Vec<Letter>, LedgerError> {
        let mut gateways = Gateways::new();
        let mut letters = Vec::with_capacity(found.len());
        for dead in found {
            letters.push(Letter::read(dead, ledger, &mut gateways).await?);
        }
        Ok(letters)
    }

    async fn read(
        dead: DeadLetter,
        ledger: &Ledger,
        gateways: &mut Gateways,
    ) -> Result<Letter, LedgerError> {
        let source = dead.source();
        let envelope = Envelope::decode(&dead.body).ok();
        let payment = match envelope.as_ref().map(|envelope| &envelope.body) {
            None | Some(Body::Demand { .. } | Body::Answer { .. }) => None,
            Some(Body::GatewayEvent {
                gateway,
                reference,
                payment_id,
                ..
            }) => ledger
                .by_reference(gateway, reference)
                .await?
                .or(*payment_id),
            Some(
                Body::Charge { payment_id }
                | Body::Continue { payment_id }
                | Body::Recheck { payment_id }
                | Body::Capture { payment_id }
                | Body::Void { payment_id }
                | Body::Refund { payment_id, .. }
                | Body::Confirm { payment_id, .. },
            ) => Some(*payment_id),
        };
        let gateway = match (said_gateway(source.as_ref(), envelope.as_ref()), payment) {
            (Some(gateway), _) => Some(gateway),
            (None, Some(id)) => gateway_of(id, ledger, gateways).await?,
            (None, None) => None,
        };
        Ok(Letter {
            dead,
            source,
            envelope,
            payment,
            gateway,
        })
    }

    pub(crate) fn id(&self) -> Uuid {
        self.dead.message_id
    }

    pub(crate) fn reason(&self) -> &str {
        self.dead.headers.reason.as_deref().unwrap_or("unknown")
    }

    pub(crate) fn source(&self) -> &str {
        self.dead.headers.source.as_deref().unwrap_or("unknown")
    }

    pub(crate) fn gateway(&self) -> &str {
        self.gateway.as_ref().map_or("-", GatewayName::as_str)
    }

    /// As the operator log calls it.
    pub(crate) fn named(&self) -> String {
        format!(
            "message {} ({}, from {})",
            self.id(),
            self.reason(),
            self.source()
        )
    }

    /// One line of a list.
    pub(crate) fn summary(&self) -> Value {
        let headers = &self.dead.headers;
        json!({
            "messageId": self.id(),
            "paymentId": self.payment,
            "reason": self.reason(),
            "source": self.source(),
            "gateway": self.gateway,
            "failures": headers.failures,
            "firstFailedAt": time(headers.first_failed_at),
            "lastError": headers.last_error.as_deref().map(without_quotations),
            "parkedAt": time(self.dead.parked_at),
            "replayed": headers.replayed,
        })
    }
}

pub(crate) fn time(at: Option<Moment>) -> Option<String> {
    at.map(Moment::rfc3339)
}

/// An error text without what it quotes: a parser's complaint may repeat a piece of the message, and that may be a token.
pub(crate) fn without_quotations(text: &str) -> String {
    let mut open = None;
    let mut kept = String::with_capacity(text.len());
    for character in text.chars() {
        match (open, character) {
            (None, '"' | '`') => {
                open = Some(character);
                kept.push(character);
                kept.push('…');
            }
            (Some(quote), _) if quote == character => {
                open = None;
                kept.push(character);
            }
            (Some(_), _) => {}
            (None, _) => kept.push(character),
        }
    }
    kept
}

fn said_gateway(source: Option<&Queue>, envelope: Option<&Envelope>) -> Option<GatewayName> {
    if let Some(Queue::Commands { gateway, .. }) = source {
        return Some(gateway.clone());
    }
    match &envelope?.body {
        Body::GatewayEvent { gateway, .. } => Some(gateway.clone()),
        Body::Charge { .. }
        | Body::Continue { .. }
        | Body::Recheck { .. }
        | Body::Demand { .. }
        | Body::Capture { .. }
        | Body::Void { .. }
        | Body::Refund { .. }
        | Body::Answer { .. }
        | Body::Confirm { .. } => None,
    }
}

async fn gateway_of(
    id: PaymentId,
    ledger: &Ledger,
    gateways: &mut Gateways,
) -> Result<Option<GatewayName>, LedgerError> {
    if let Some(asked) = gateways.get(&id) {
        return Ok(asked.clone());
    }
    let known = ledger.known(id).await?;
    let gateway = known.map(|known| known.payment.gateway);
    gateways.insert(id, gateway.clone());
    Ok(gateway)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_error_quotes_is_not_shown() {
        let table = [
            ("the order is gone", "the order is gone"),
            (
                "unknown field `pm_1`, expected `a`",
                "unknown field `…`, expected `…`",
            ),
            (
                r#"invalid type: string "tok_1 `x`", expected u32 at line 1"#,
                r#"invalid type: string "…", expected u32 at line 1"#,
            ),
            (r#"cut off "tok_1"#, r#"cut off "…"#),
        ];
        for (text, expected) in table {
            assert_eq!(without_quotations(text), expected);
        }
    }
}
