//! `dead-letters show`: one message with its headers, what it says, and what the ledger knows of its payment.

use anyhow::bail;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::cli::answer;
use crate::ledger::Ledger;
use crate::operator::desk::Desk;
use crate::operator::document;
use crate::operator::letter::{Letter, time, without_quotations};

#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    #[arg(value_name = "MESSAGE_ID")]
    id: Uuid,
    /// How many messages to look at, at most
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    scan: usize,
    /// Print JSON on one line
    #[arg(long)]
    json: bool,
}

pub(super) async fn show(desk: &mut Desk, options: &Options) -> anyhow::Result<()> {
    let read = desk.read(options.scan).await?;
    let mut found = 0_usize;
    // Copies of one message share its id.
    for letter in read.letters.iter().filter(|one| one.id() == options.id) {
        found = found.saturating_add(1);
        let document = whole(letter, &desk.ledger).await?;
        answer(&match options.json {
            true => document.to_string(),
            false => format!("{document:#}"),
        });
    }
    if found == 0 {
        bail!("{}: no such message among the dead letters", options.id);
    }
    Ok(())
}

async fn whole(letter: &Letter, ledger: &Ledger) -> anyhow::Result<Value> {
    let headers = &letter.dead.headers;
    let error = |text: &Option<String>| text.as_deref().map(without_quotations);
    let payment = match letter.payment {
        None => Value::Null,
        Some(id) => match ledger.known(id).await? {
            None => json!({ "id": id, "known": false }),
            Some(known) => document::payment(&known, &ledger.history(id, 0).await?),
        },
    };
    Ok(json!({
        "messageId": letter.id(),
        "parkedAt": time(letter.dead.parked_at),
        "headers": {
            "reason": headers.reason, "source": headers.source, "failures": headers.failures,
            "firstFailedAt": time(headers.first_failed_at), "firstError": error(&headers.first_error),
            "lastError": error(&headers.last_error), "traceparent": headers.traceparent, "replayed": headers.replayed,
        },
        "message": letter.envelope,
        "undecodable": letter.envelope.is_none().then(|| json!({
            "bytes": letter.dead.body.len(), "base64": STANDARD.encode(&letter.dead.body),
        })),
        "ledger": payment,
    }))
}
