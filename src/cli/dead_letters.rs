//! `dead-letters`: what could not go on, for an operator to look at, to send back, or to discard.

mod choose;
mod discard;
mod list;
mod replay;
mod show;

use anyhow::Context;
use clap::Subcommand;

use crate::config::Config;
use crate::operator::desk::{Desk, DeskPlan};
use crate::telemetry::logging;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Count them by reason and source, or list each with --all. Looking takes nothing away
    List(list::Options),
    /// One message: its headers, what it says, and its payment
    Show(show::Options),
    /// Send messages back to the queues that they came from
    ///
    /// A message is published to the queue that it came from, confirmed, and only then removed here. A run that is broken off, even
    /// killed, is resumed by running it again: a message that it was at may be delivered twice, none is lost.
    ///
    /// Messages that would only come back are skipped, unless they are named by id.
    Replay(replay::Options),
    /// Remove messages for good, with a reason that is kept
    Discard(discard::Options),
}

pub(super) fn dead_letters(config: &Config, command: &Command) -> anyhow::Result<()> {
    // What it sends back stays in its trace; the command has no spans of its own.
    logging::init(&config.log, None).context("log.level")?;
    super::runtime()?.block_on(async {
        let mut desk = open(config).await?;
        let done = match command {
            Command::List(options) => list::list(&mut desk, options).await,
            Command::Show(options) => show::show(&mut desk, options).await,
            Command::Replay(options) => replay::replay(&mut desk, options).await,
            Command::Discard(options) => discard::discard(&mut desk, options).await,
        };
        // Also after an error: what is held has to go back.
        desk.close().await;
        desk.ledger.close().await;
        done
    })
}

async fn open(config: &Config) -> anyhow::Result<Desk> {
    let plan = DeskPlan::of(config);
    let letters = plan.letters().await;
    let letters = letters.context("broker.url: the broker cannot be used")?;
    let ledger = super::ledger::open(config).await?;
    Ok(Desk::new(plan, letters, ledger))
}
