//! What a replay of one message would lead to, from what the ledger knows now.

use serde_json::{Value, json};

use super::desk::Desk;
use super::letter::Letter;
use crate::clock;
use crate::domain::confirmation::ConfirmationId;
use crate::domain::dead::DeadReason;
use crate::domain::forecast::{Forecast, OpenKey, Situation, forecast, open_key};
use crate::domain::message::Body;
use crate::domain::payment::Known;
use crate::domain::reopening::{self, Past, Reopening};
use crate::ledger::{Ledger, LedgerError};

pub(crate) struct Outlook {
    pub(crate) forecast: Forecast,
    pub(crate) reopening: Reopening,
    key: Option<OpenKey>,
}

impl Outlook {
    pub(crate) async fn of(
        desk: &Desk,
        letter: &Letter,
        forced: bool,
    ) -> Result<Outlook, LedgerError> {
        let known = match letter.payment {
            Some(id) => desk.ledger.known(id).await?,
            None => None,
        };
        let body = letter.envelope.as_ref().map(|envelope| &envelope.body);
        let reopening = match (body, &known) {
            (
                Some(Body::Confirm {
                    confirmation_id, ..
                }),
                Some(known),
            ) => reopening_of(&desk.ledger, letter, known, *confirmation_id, forced).await?,
            _ => Reopening::AsItIs,
        };
        let now = clock::now();
        let configured = |known: &Known| desk.plan.gateways.contains(&known.payment.gateway);
        let situation = Situation {
            source: letter.source.as_ref(),
            body,
            known: known.as_ref(),
            gateway_configured: known.as_ref().is_some_and(configured),
            reopening,
            settle_time: desk.plan.settle_time,
            now,
        };
        Ok(Outlook {
            forecast: forecast(&situation),
            reopening,
            key: known.as_ref().and_then(|known| open_key(known, now)),
        })
    }

    pub(crate) fn key_sentence(&self) -> String {
        match self.key {
            None => String::new(),
            Some(key) => format!(
                "; the gateway's key {} {}",
                if key.alive {
                    "lives until"
                } else {
                    "expired at"
                },
                key.expires_at.rfc3339()
            ),
        }
    }

    pub(crate) fn as_json(&self, letter: &Letter) -> Value {
        json!({
            "messageId": letter.id(),
            "paymentId": letter.payment,
            "reason": letter.reason(),
            "source": letter.source(),
            "futile": self.forecast.is_futile(),
            "forecast": self.forecast.label(),
            "explanation": self.forecast.sentence(),
            "key": self.key.map(|key| json!({ "alive": key.alive, "expiresAt": key.expires_at.rfc3339() })),
        })
    }
}

async fn reopening_of(
    ledger: &Ledger,
    letter: &Letter,
    known: &Known,
    id: ConfirmationId,
    forced: bool,
) -> Result<Reopening, LedgerError> {
    let past = ledger.past(known.payment.id).await?;
    let said_lost = letter.reason() == DeadReason::CleengAnswerLost.label();
    let past = if said_lost { Past::CannotTell } else { past };
    Ok(reopening::reopening(known, id, past, forced))
}
