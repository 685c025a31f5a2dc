//! `dead-letters replay`: sends messages back to their queues, no faster than asked, and tells before what would happen.

use std::time::Duration;

use anyhow::bail;
use clap::Args;
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

use super::choose::{Choice, Narrow};
use crate::cli::answer;
use crate::cli::signature::Signature;
use crate::clock;
use crate::operator::desk::Desk;
use crate::operator::letter::Letter;
use crate::operator::outlook::Outlook;
use crate::operator::replay::{Fate, Wish};

#[derive(Debug, Args)]
#[group(id = "replayed", required = true, multiple = true, args = ["ids", "reason", "source", "gateway", "older_than", "newer_than", "all"])]
pub(in crate::cli) struct Options {
    #[arg(value_name = "MESSAGE_ID")]
    ids: Vec<Uuid>,
    /// Only those parked for this reason, such as too_old
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    narrow: Narrow,
    /// All that the other filters leave
    #[arg(long)]
    all: bool,
    /// Messages per second
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
    /// Replay so many, at most
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Tell what would happen, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Also confirmations that Cleeng may have already and cannot be asked about (reason cleeng_answer_lost; cleeng_read_refused is
    /// then sent without another read), or that later news have overtaken. Sending one may double the record at Cleeng
    #[arg(long)]
    force: bool,
    /// Why; kept in the operator log. Default: "no reason given"
    #[arg(long, value_name = "TEXT")]
    because: Option<String>,
    #[command(flatten)]
    signature: Signature,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Default)]
struct Tally {
    replayed: u64,
    failed: u64,
    skipped: u64,
    lines: Vec<Value>,
}

pub(super) async fn replay(desk: &mut Desk, options: &Options) -> anyhow::Result<()> {
    let operator = options.signature.operator(options.because.as_deref())?;
    let wish = Wish {
        operator: &operator,
        force: options.force,
        named: !options.ids.is_empty(),
    };
    let read = desk.read(options.narrow.scan).await?;
    let choice = Choice {
        ids: &options.ids,
        reason: options.reason.as_deref(),
        narrow: &options.narrow,
    };
    let mut tally = Tally::default();
    for id in choice.missing(&read.letters) {
        let why = "it is not among the dead letters (any more)";
        tally.tell(options, id, Fate::Skipped(why.to_owned()), json!({}));
    }
    let now = clock::now();
    let chosen = read
        .letters
        .iter()
        .filter(|letter| choice.takes(letter, now));
    let mut pace = interval(Duration::from_secs(1) / options.rate);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for letter in chosen.take(options.limit.unwrap_or(usize::MAX)) {
        let outlook = Outlook::of(desk, letter, options.force).await?;
        if options.dry_run {
            tally.forecast(options, letter, &outlook);
            continue;
        }
        pace.tick().await;
        let fate = desk.replay(letter, &outlook, &wish).await;
        let stopped = matches!(fate, Fate::Stopped(_));
        tally.tell(options, letter.id(), fate, outlook.as_json(letter));
        if stopped {
            break;
        }
    }
    tally.close(options, read.complete)
}

impl Tally {
    fn forecast(&mut self, options: &Options, letter: &Letter, outlook: &Outlook) {
        if options.json {
            self.lines.push(outlook.as_json(letter));
        } else {
            answer(&format!(
                "{}  {}  {}  a replay {}{}",
                letter.id(),
                letter.reason(),
                letter.source(),
                outlook.forecast.sentence(),
                outlook.key_sentence()
            ));
        }
    }

    fn tell(&mut self, options: &Options, id: Uuid, fate: Fate, mut line: Value) {
        let count = match &fate {
            Fate::Replayed => &mut self.replayed,
            Fate::Skipped(_) => &mut self.skipped,
            Fate::Failed(_) | Fate::Stopped(_) => &mut self.failed,
        };
        let (word, why) = fate.told();
        *count = count.saturating_add(1);
        if options.json {
            if let Value::Object(fields) = &mut line {
                fields.insert("messageId".to_owned(), json!(id));
                fields.insert("result".to_owned(), json!(word));
                fields.insert("why".to_owned(), json!(why));
            }
            self.lines.push(line);
        } else {
            answer(&match why {
                None => format!("{id}  {word}"),
                Some(why) => format!("{id}  {word}: {why}"),
            });
        }
    }

    fn close(self, options: &Options, complete: bool) -> anyhow::Result<()> {
        if options.json {
            let mut document =
                json!({ "dryRun": options.dry_run, "complete": complete, "messages": self.lines });
            if let (Value::Object(fields), false) = (&mut document, options.dry_run) {
                fields.insert("replayed".to_owned(), self.replayed.into());
                fields.insert("failed".to_owned(), self.failed.into());
                fields.insert("skipped".to_owned(), self.skipped.into());
            }
            answer(&document.to_string());
        } else if !options.dry_run {
            let Tally {
                replayed,
                failed,
                skipped,
                ..
            } = &self;
            answer(&format!(
                "{replayed} replayed, {failed} failed, {skipped} skipped"
            ));
        }
        if self.failed > 0 {
            bail!(
                "{} could not be replayed; they are still there, run it again",
                self.failed
            );
        }
        Ok(())
    }
}
