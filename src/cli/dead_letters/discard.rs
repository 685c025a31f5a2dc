//! `dead-letters discard`: removes messages for good; why is kept in the payment's history before.

use anyhow::Context;
use clap::Args;
use tracing::warn;
use uuid::Uuid;

use super::Desk;
use super::choose::{Choice, Narrow};
use super::letter::Letter;
use crate::cli::answer;
use crate::clock;

#[derive(Debug, Args)]
#[group(id = "discarded", required = true, multiple = true, args = ["ids", "with_reason", "source", "gateway", "older_than", "newer_than", "all"])]
pub(in crate::cli) struct Options {
    #[arg(value_name = "MESSAGE_ID")]
    ids: Vec<Uuid>,
    /// Only those parked for this reason, such as undecodable
    #[arg(long, value_name = "REASON")]
    with_reason: Option<String>,
    #[command(flatten)]
    narrow: Narrow,
    /// All that the other filters leave
    #[arg(long)]
    all: bool,
    /// Why; kept in the payment's history
    #[arg(long, visible_alias = "reason", value_name = "TEXT", value_parser = because)]
    because: String,
    /// Discard so many, at most
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

pub(super) async fn discard(desk: &mut Desk<'_>, options: &Options) -> anyhow::Result<()> {
    let read = desk.read(options.narrow.scan).await?;
    let choice = Choice {
        ids: &options.ids,
        reason: options.with_reason.as_deref(),
        narrow: &options.narrow,
    };
    for id in choice.missing(&read.letters) {
        answer(&format!("{id}  is not among the dead letters"));
    }
    let now = clock::now();
    let chosen = read
        .letters
        .iter()
        .filter(|letter| choice.takes(letter, now));
    let mut discarded = 0_usize;
    for letter in chosen.take(options.limit.unwrap_or(usize::MAX)) {
        discard_one(desk, letter, &options.because)
            .await
            .with_context(|| format!("{} could not be discarded", letter.id()))?;
        discarded = discarded.saturating_add(1);
    }
    answer(&format!("{discarded} discarded"));
    Ok(())
}

/// The history first: a crash between the two leaves the message, and one entry too many.
async fn discard_one(desk: &mut Desk<'_>, letter: &Letter, because: &str) -> anyhow::Result<()> {
    let (id, reason, source) = (letter.id(), letter.reason(), letter.source());
    let detail = format!("{because} (message {id}, {reason}, from {source})");
    let kept = match letter.payment {
        Some(payment) => {
            desk.ledger
                .note_discard(payment, &detail, clock::now())
                .await?
        }
        None => false,
    };
    if !kept {
        warn!(message.id = %id, reason, source, because, "a dead letter without a known payment is discarded");
    }
    desk.letters.remove(&letter.dead).await?;
    let payment = match (kept, letter.payment) {
        (true, Some(payment)) => format!("noted in the history of payment {payment}"),
        (true | false, _) => "no known payment: noted in the log only".to_owned(),
    };
    answer(&format!("{id}  discarded  {reason}  {source}  {payment}"));
    Ok(())
}

fn because(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.chars().count() {
        1..=500 => Ok(text.to_owned()),
        _ => Err("write a reason of 1 to 500 characters".to_owned()),
    }
}
