//! `dead-letters list`: how many there are, of which kind and since when; or each of them.

use clap::Args;
use serde_json::{Value, json};

use super::choose::{Choice, Narrow};
use crate::cli::answer;
use crate::clock;
use crate::operator::desk::Desk;
use crate::operator::groups::{Groups, grouped, groups_as_json};
use crate::operator::letter::{Letter, time, without_quotations};

#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// Only those parked for this reason, such as too_old
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    narrow: Narrow,
    /// List single messages
    #[arg(long)]
    all: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn list(desk: &mut Desk, options: &Options) -> anyhow::Result<()> {
    let mut read = desk.read(options.narrow.scan).await?;
    let choice = Choice {
        ids: &[],
        reason: options.reason.as_deref(),
        narrow: &options.narrow,
    };
    let now = clock::now();
    read.letters.retain(|letter| choice.takes(letter, now));
    if options.json {
        let mut document = match options.all {
            true => {
                json!({ "letters": read.letters.iter().map(Letter::summary).collect::<Vec<_>>() })
            }
            false => json!({ "groups": groups_as_json(&grouped(&read.letters)) }),
        };
        if let Value::Object(fields) = &mut document {
            fields.insert("total".to_owned(), read.letters.len().into());
            fields.insert("complete".to_owned(), read.complete.into());
        }
        answer(&document.to_string());
        return Ok(());
    }
    match options.all {
        true => read.letters.iter().for_each(tell),
        false => tell_groups(&grouped(&read.letters)),
    }
    answer(&format!("{} dead letters", read.letters.len()));
    if !read.complete {
        let scan = options.narrow.scan;
        answer(&format!(
            "Only the first {scan} were looked at; --scan looks at more."
        ));
    }
    Ok(())
}

fn tell_groups(groups: &Groups<'_>) {
    let line = |reason: &str, source: &str, gateway: &str, count: &str, rest: [&str; 2]| {
        let [oldest, newest] = rest;
        answer(&format!(
            "{reason:<20}  {source:<32}  {gateway:<12}  {count:>6}  {oldest:<24}  {newest}"
        ));
    };
    if !groups.is_empty() {
        line("REASON", "SOURCE", "GATEWAY", "COUNT", ["OLDEST", "NEWEST"]);
    }
    for ((reason, source, gateway), group) in groups {
        let at = |moment| time(moment).unwrap_or_else(|| "-".to_owned());
        let times = [at(group.oldest), at(group.newest)];
        line(
            reason,
            source,
            gateway,
            &group.count.to_string(),
            times.each_ref().map(String::as_str),
        );
    }
}

fn tell(letter: &Letter) {
    let headers = &letter.dead.headers;
    let payment = letter.payment.map_or("-".to_owned(), |id| id.to_string());
    let first = time(headers.first_failed_at).unwrap_or_else(|| "-".to_owned());
    let error = headers.last_error.as_deref().map(without_quotations);
    answer(&format!(
        "{}  payment {payment}  {}  {}  {} failures since {first}  {}",
        letter.id(),
        letter.reason(),
        letter.source(),
        headers.failures,
        error.as_deref().unwrap_or("-"),
    ));
}
