//! The ledger: its server, its tables, its time, its durability, and what operators have left in it.

use std::path::Path;

use crate::clock;
use crate::config::Config;
use crate::ledger::Ledger;
use crate::ledger::examine::{self, Examined, Tables};
use crate::telemetry::chain::error_chain;

use super::line::{Line, clocks};

/// Less room than this beside an SQLite file is soon none.
const LITTLE_ROOM: u64 = 1024 * 1024 * 1024;
const NO_ROOM: u64 = 64 * 1024 * 1024;

pub(super) async fn check(config: &Config) -> Vec<Line> {
    let before = clock::now();
    let examined = examine::examine(&config.ledger).await;
    let after = clock::now();
    let examined = match examined {
        Ok(Some(examined)) => examined,
        Ok(None) => {
            let mut lines = vec![Line::ok("ledger", "a file that is made at the first start")];
            lines.extend(examine::file(&config.ledger).map(room));
            return lines;
        }
        Err(cause) => {
            return vec![Line::fault(
                "ledger",
                error_chain(&cause),
                "is the server running, ledger.url its address, and the password right?",
            )];
        }
    };
    let mut lines = found(&examined);
    if let Some(now) = examined.now {
        lines.push(clocks("ledger time", (before, after), now, 1));
    }
    lines.extend(examine::file(&config.ledger).map(room));
    if examined.tables == Tables::Current && examined.read_only.is_none() {
        lines.extend(left_behind(config).await);
    }
    lines
}

/// Pure: what was found over a connection.
fn found(examined: &Examined) -> Vec<Line> {
    let mut lines = vec![Line::ok("ledger", examined.server.clone())];
    lines.push(match examined.tables {
        Tables::None => Line::ok("ledger tables", "none yet: the first start makes them"),
        Tables::Current => Line::ok("ledger tables", "as this build needs them"),
        Tables::Behind(missing) => Line::warning(
            "ledger tables",
            format!("{missing} migrations are pending"),
            "stop all processes of the older build; the first start of this one brings them up to date",
        ),
        Tables::Ahead(more) => Line::fault(
            "ledger tables",
            format!("made by a newer build, {more} migrations ahead of this one"),
            "run that build, or a newer one; nothing goes back",
        ),
    });
    lines.push(match &examined.read_only {
        None => Line::ok("ledger writes", "taken"),
        Some(why) => Line::fault(
            "ledger writes",
            why.clone(),
            "name the primary server in ledger.url, or let this user write the file",
        ),
    });
    if let Some(damage) = &examined.damage {
        lines.push(Line::fault(
            "ledger integrity",
            damage.clone(),
            "stop every process and restore the file from a backup",
        ));
    }
    for (name, value) in &examined.unsafe_settings {
        lines.push(Line::warning(
            "ledger durability",
            format!("{name} is {value}: what was confirmed may be lost when the server fails"),
            "set it to on; what was sent to a gateway must be remembered",
        ));
    }
    lines
}

#[cfg(unix)]
fn room(file: &Path) -> Line {
    let folder = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let folder = folder.ancestors().skip(1).find(|folder| folder.exists());
    let Some(folder) = folder else {
        return Line::warning("ledger disk", "its folder cannot be found", FOLDER);
    };
    match rustix::fs::statvfs(folder) {
        Ok(found) => free(found.f_bavail.saturating_mul(found.f_frsize)),
        Err(error) => Line::warning("ledger disk", error.to_string(), FOLDER),
    }
}

#[cfg(not(unix))]
fn room(_: &Path) -> Line {
    Line::warning(
        "ledger disk",
        "how much is free cannot be told here",
        FOLDER,
    )
}

const FOLDER: &str = "make sure by hand that there is room beside the ledger's file";

fn free(bytes: u64) -> Line {
    let detail = format!("{} MiB are free beside the file", bytes / 1024 / 1024);
    let remedy = "free some: without room nothing can be written";
    match bytes {
        LITTLE_ROOM.. => Line::ok("ledger disk", detail),
        NO_ROOM.. => Line::warning("ledger disk", detail, remedy),
        _ => Line::fault("ledger disk", detail, remedy),
    }
}

/// What operators have paused, and what waits for them.
async fn left_behind(config: &Config) -> Vec<Line> {
    let read = async {
        let ledger = Ledger::open(&config.ledger).await?;
        let read = (ledger.pauses().await, ledger.doubts().await);
        ledger.close().await;
        Ok::<_, crate::ledger::LedgerError>((read.0?, read.1?))
    };
    let (pauses, doubts) = match read.await {
        Ok(found) => found,
        Err(cause) => {
            let remedy = "run this again; is the ledger overloaded?";
            return vec![Line::fault("ledger", error_chain(&cause), remedy)];
        }
    };
    let mut lines: Vec<Line> = pauses
        .iter()
        .map(|pause| {
            let because = pause.because.as_deref().unwrap_or("no reason given");
            let since = pause.since.rfc3339();
            let detail = format!("{} since {since} ({because})", pause.side);
            Line::warning("paused", detail, "`resume`, once the reason is gone")
        })
        .collect();
    if pauses.is_empty() {
        lines.push(Line::ok("paused", "nothing"));
    }
    lines.push(match doubts.count {
        0 => Line::ok("payments in doubt", "none"),
        count => Line::warning(
            "payments in doubt",
            format!("{count}"),
            "`payments list --status in_doubt`; those that stay need `payments resolve`",
        ),
    });
    lines
}

#[cfg(test)]
mod tests {
    use super::super::line::Grade;
    use super::*;

    fn examined() -> Examined {
        Examined {
            server: "PostgreSQL 17.1".to_owned(),
            now: None,
            tables: Tables::Current,
            read_only: None,
            unsafe_settings: Vec::new(),
            damage: None,
        }
    }

    fn worst(examined: &Examined) -> Grade {
        found(examined).iter().map(|line| line.grade).max().unwrap()
    }

    #[test]
    fn each_thing_that_can_be_wrong_is_graded() {
        assert_eq!(worst(&examined()), Grade::Ok);
        for (tables, grade) in [
            (Tables::None, Grade::Ok),
            (Tables::Behind(1), Grade::Warning),
            (Tables::Ahead(1), Grade::Fault),
        ] {
            let found = Examined {
                tables,
                ..examined()
            };
            assert_eq!(worst(&found), grade, "{tables:?}");
        }
        let standby = Examined {
            read_only: Some("standby".to_owned()),
            ..examined()
        };
        assert_eq!(worst(&standby), Grade::Fault);
        let broken = Examined {
            damage: Some("row 1 missing from index".to_owned()),
            ..examined()
        };
        assert_eq!(worst(&broken), Grade::Fault);
        let careless = Examined {
            unsafe_settings: vec![("fsync", "off".to_owned())],
            ..examined()
        };
        assert_eq!(worst(&careless), Grade::Warning);
    }

    #[test]
    fn room_is_graded_by_how_soon_it_is_gone() {
        assert_eq!(free(LITTLE_ROOM).grade, Grade::Ok);
        assert_eq!(free(LITTLE_ROOM - 1).grade, Grade::Warning);
        assert_eq!(free(NO_ROOM - 1).grade, Grade::Fault);
    }
}
