//! `dead-letters discard`: removes messages for good; why is kept in the payment's history before.

use anyhow::Context;
use clap::Args;
use uuid::Uuid;

use super::choose::{Choice, Narrow};
use crate::cli::answer;
use crate::cli::signature::Signature;
use crate::clock;
use crate::domain::deed::Operator;
use crate::operator::DeskError;
use crate::operator::desk::Desk;
use crate::operator::letter::Letter;

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
    /// Why; kept in the payment's history and in the operator log
    #[arg(long, visible_alias = "reason", value_name = "TEXT", value_parser = because)]
    because: String,
    #[command(flatten)]
    signature: Signature,
    /// Discard so many, at most
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

pub(super) async fn discard(desk: &mut Desk, options: &Options) -> anyhow::Result<()> {
    let operator = options.signature.operator(Some(&options.because))?;
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
        discard_one(desk, letter, &operator)
            .await
            .with_context(|| format!("{} could not be discarded", letter.id()))?;
        discarded = discarded.saturating_add(1);
    }
    answer(&format!("{discarded} discarded"));
    Ok(())
}

async fn discard_one(
    desk: &mut Desk,
    letter: &Letter,
    operator: &Operator,
) -> Result<(), DeskError> {
    let kept = desk.discard(letter, operator).await?;
    let payment = match (kept, letter.payment) {
        (true, Some(payment)) => format!("noted in the history of payment {payment}"),
        (true | false, _) => "no known payment: noted in the log only".to_owned(),
    };
    let (id, reason, source) = (letter.id(), letter.reason(), letter.source());
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
