//! `dead-letters list`: how many there are, of which kind and since when; or each of them.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::{Value, json};

use super::Desk;
use super::choose::{Choice, Narrow};
use super::letter::{Letter, time, without_quotations};
use crate::cli::answer;
use crate::clock;
use crate::domain::moment::Moment;

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

/// Messages of one kind.
struct Group {
    count: u64,
    oldest: Option<Moment>,
    newest: Option<Moment>,
}

type Groups<'a> = BTreeMap<(&'a str, &'a str, &'a str), Group>;

pub(super) async fn list(desk: &mut Desk<'_>, options: &Options) -> anyhow::Result<()> {
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

fn grouped(letters: &[Letter]) -> Groups<'_> {
    let mut groups = Groups::new();
    for letter in letters {
        let key = (letter.reason(), letter.source(), letter.gateway());
        let parked_at = letter.dead.parked_at;
        let group = groups.entry(key).or_insert(Group {
            count: 0,
            oldest: parked_at,
            newest: parked_at,
        });
        group.count = group.count.saturating_add(1);
        group.oldest = [group.oldest, parked_at].into_iter().flatten().min();
        group.newest = [group.newest, parked_at].into_iter().flatten().max();
    }
    groups
}

fn groups_as_json(groups: &Groups<'_>) -> Vec<Value> {
    let each = groups.iter().map(|((reason, source, gateway), group)| {
        json!({
            "reason": reason, "source": source, "gateway": Some(gateway).filter(|name| **name != "-"),
            "count": group.count, "oldest": time(group.oldest), "newest": time(group.newest),
        })
    });
    each.collect()
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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::broker::DeadLetter;

    fn letter(number: u128, reason: &str, at: i64) -> Letter {
        let dead = DeadLetter::sample(Uuid::from_u128(number), reason, Moment(at));
        Letter {
            source: dead.source(),
            dead,
            envelope: None,
            payment: None,
            gateway: None,
        }
    }

    #[test]
    fn a_group_counts_and_has_its_oldest_and_newest() {
        let letters = [
            letter(1, "too_old", 2000),
            letter(2, "too_old", 1000),
            letter(3, "given_up", 3000),
        ];
        let json = groups_as_json(&grouped(&letters));
        let expected = json!([
            { "reason": "given_up", "source": "confirmations", "gateway": null, "count": 1,
              "oldest": "1970-01-01T00:00:03Z", "newest": "1970-01-01T00:00:03Z" },
            { "reason": "too_old", "source": "confirmations", "gateway": null, "count": 2,
              "oldest": "1970-01-01T00:00:01Z", "newest": "1970-01-01T00:00:02Z" },
        ]);
        assert_eq!(json!(json), expected);
    }
}
