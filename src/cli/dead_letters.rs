//! `dead-letters`: what could not go on, for an operator to look at, to send back, or to discard.

mod choose;
mod discard;
mod letter;
mod list;
mod replay;
mod show;

use anyhow::Context;
use clap::Subcommand;

use crate::broker::DeadLetters;
use crate::config::Config;
use crate::ledger::Ledger;
use crate::telemetry::logging;
use letter::Letter;

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

/// What an operator works with.
struct Desk<'a> {
    config: &'a Config,
    ledger: Ledger,
    letters: DeadLetters,
}

pub(super) fn dead_letters(config: &Config, command: &Command) -> anyhow::Result<()> {
    // What it sends back stays in its trace; the command has no spans of its own.
    logging::init(&config.log, None).context("log.level")?;
    super::runtime()?.block_on(async {
        let mut desk = Desk::open(config).await?;
        let done = match command {
            Command::List(options) => list::list(&mut desk, options).await,
            Command::Show(options) => show::show(&mut desk, options).await,
            Command::Replay(options) => replay::replay(&mut desk, options).await,
            Command::Discard(options) => discard::discard(&mut desk, options).await,
        };
        // Also after an error: what is held has to go back.
        desk.letters.close().await;
        desk.ledger.close().await;
        done
    })
}

impl Desk<'_> {
    async fn open(config: &Config) -> anyhow::Result<Desk<'_>> {
        let gateways = config.gateway_names();
        let letters = DeadLetters::open(&config.broker, &config.ledger.url, &gateways)
            .await
            .context("broker.url: the broker cannot be used")?;
        let ledger = Ledger::open(&config.ledger)
            .await
            .context("ledger.url: the ledger cannot be opened")?;
        Ok(Desk {
            config,
            ledger,
            letters,
        })
    }

    /// The first `scan` messages that are there, the longest there first, each with what it says.
    async fn read(&mut self, scan: usize) -> anyhow::Result<Read> {
        let found = self.letters.fetch(scan).await;
        let mut found = found.context("the dead letters cannot be read")?;
        let complete = found.len() < scan;
        found.sort_by_key(|dead| dead.parked_at);
        let letters = Letter::read_all(found, &self.ledger).await?;
        Ok(Read { letters, complete })
    }
}

/// What was found at one look.
struct Read {
    letters: Vec<Letter>,
    /// Whether that is all there is.
    complete: bool,
}
