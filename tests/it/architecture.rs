//! The shape of the source, kept by test: small files that say what they are for, and rooms that depend one way only.
//!
//! It is a search for words: it stops the slip, not the cheat.

use std::fs;
use std::path::{Path, PathBuf};

const MOST_LINES: usize = 300;
const EMPTY_NAMES: [&str; 7] = [
    "utils.rs",
    "util.rs",
    "helpers.rs",
    "helper.rs",
    "common.rs",
    "misc.rs",
    "mod.rs",
];

/// What the code of some rooms must not name: packages, and other rooms (`crate::room`).
struct Rule {
    rooms: &'static [&'static str],
    packages: &'static [&'static str],
    other_rooms: Rooms,
}

enum Rooms {
    NoneBut(&'static [&'static str]),
    AllBut(&'static [&'static str]),
}

const RULES: [Rule; 9] = [
    Rule {
        rooms: &["domain"],
        packages: &["tokio", "reqwest", "sqlx", "lapin", "axum"],
        other_rooms: Rooms::NoneBut(&["domain"]),
    },
    Rule {
        rooms: &["config"],
        packages: &["sqlx", "lapin", "axum", "reqwest"],
        other_rooms: Rooms::AllBut(&["roles", "cli", "broker", "ledger", "gateway", "cleeng"]),
    },
    Rule {
        rooms: &["gateway", "cleeng", "broker", "ledger"],
        packages: &["axum"],
        other_rooms: Rooms::AllBut(&["roles", "cli", "simulator", "operator", "console"]),
    },
    Rule {
        rooms: &["operator"],
        packages: &["axum", "clap", "sqlx", "lapin"],
        other_rooms: Rooms::AllBut(&[
            "roles",
            "cli",
            "console",
            "connector",
            "simulator",
            "demo",
            "bench",
        ]),
    },
    Rule {
        rooms: &["console"],
        packages: &["clap", "sqlx", "lapin", "reqwest"],
        other_rooms: Rooms::AllBut(&["roles", "cli", "connector", "simulator", "demo", "bench"]),
    },
    Rule {
        rooms: &["callers"],
        packages: &["axum", "sqlx", "lapin"],
        other_rooms: Rooms::AllBut(&[
            "roles",
            "cli",
            "simulator",
            "ledger",
            "broker",
            "gateway",
            "cleeng",
        ]),
    },
    Rule {
        rooms: &["simulator"],
        packages: &["sqlx", "lapin"],
        other_rooms: Rooms::AllBut(&[
            "roles", "cli", "bench", "ledger", "broker", "gateway", "cleeng",
        ]),
    },
    Rule {
        rooms: &["reconcile"],
        packages: &["axum", "sqlx", "lapin", "reqwest"],
        other_rooms: Rooms::AllBut(&["roles", "connector", "cli", "broker", "simulator"]),
    },
    Rule {
        rooms: &["bench"],
        packages: &["axum"],
        other_rooms: Rooms::AllBut(&["roles", "cli", "connector", "ledger", "gateway", "cleeng"]),
    },
];

/// The room of a file: `src/broker.rs` and all that lies below `src/broker/` are `broker`.
fn room(file: &str) -> &str {
    let inside = file.strip_prefix("src/").unwrap_or(file);
    let first = inside.split('/').next().unwrap_or(inside);
    first.strip_suffix(".rs").unwrap_or(first)
}

/// The code without its test module and without comments. Lines stay where they are.
fn own_code(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let tests = lines
        .windows(2)
        .position(|pair| matches!(pair, ["#[cfg(test)]", next] if next.starts_with("mod ")));
    let own = lines.iter().take(tests.unwrap_or(lines.len()));
    own.map(|line| line.split_once("//").map_or(*line, |(code, _)| code))
        .collect::<Vec<_>>()
        .join("\n")
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Every place at which `word` stands by itself: its line, and what follows it.
fn places<'a>(code: &'a str, word: &str) -> Vec<(usize, &'a str)> {
    code.match_indices(word)
        .map(|(at, _)| (code.split_at(at).0, code.split_at(at + word.len()).1))
        .filter(|(before, after)| !before.ends_with(is_word) && !after.starts_with(is_word))
        .map(|(before, after)| (before.matches('\n').count() + 1, after))
        .collect()
}

/// The rooms that `crate::…` names: one, or those at the top of a group.
fn named_rooms(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (line, after) in places(code, "crate") {
        let Some(path) = after.strip_prefix("::") else {
            continue;
        };
        match path.strip_prefix('{') {
            Some(group) => found.extend(
                top_of_group(group)
                    .into_iter()
                    .map(|name| (line, name.to_owned())),
            ),
            None => found.push((line, first_word(path).to_owned())),
        }
    }
    found
}

fn first_word(text: &str) -> &str {
    text.split(|c| !is_word(c)).next().unwrap_or(text)
}

fn top_of_group(group: &str) -> Vec<&str> {
    let mut depth = 0;
    let mut at_name = true;
    let mut names = Vec::new();
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => at_name = true,
            other if at_name && is_word(other) => {
                names.push(first_word(group.split_at(at).1));
                at_name = false;
            }
            _ => {}
        }
    }
    names
}

/// A module of tests in a file of its own: its servers and settings are the tests', not the room's.
fn is_test_file(file: &str) -> bool {
    file.ends_with("/tests.rs") || file.contains("/tests/")
}

fn faults_of_direction(file: &str, text: &str) -> Vec<String> {
    let room = room(file);
    let code = if is_test_file(file) {
        String::new()
    } else {
        own_code(text)
    };
    let mut faults = Vec::new();
    for rule in RULES.iter().filter(|rule| rule.rooms.contains(&room)) {
        for package in rule.packages {
            let lines = places(&code, package).into_iter().map(|(line, _)| line);
            faults.extend(lines.map(|line| format!("{file}:{line}: {room} names {package}")));
        }
        for (line, named) in named_rooms(&code) {
            let allowed = match rule.other_rooms {
                Rooms::NoneBut(rooms) => rooms.contains(&named.as_str()),
                Rooms::AllBut(rooms) => !rooms.contains(&named.as_str()),
            };
            if !allowed {
                faults.push(format!("{file}:{line}: {room} names crate::{named}"));
            }
        }
    }
    faults
}

fn faults_of_environment(file: &str, text: &str) -> Vec<String> {
    if room(file) == "config" {
        return Vec::new();
    }
    let code = if is_test_file(file) {
        String::new()
    } else {
        own_code(text)
    };
    let words = ["env::var", "env::vars", "env::var_os"];
    words
        .iter()
        .flat_map(|word| places(&code, word))
        .map(|(line, _)| format!("{file}:{line}: only config reads the environment"))
        .collect()
}

fn faults_of_form(file: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let lines = own_code(text).lines().count();
    if lines > MOST_LINES && !file.ends_with("/tests.rs") {
        faults.push(format!(
            "{file}: {lines} lines, {MOST_LINES} at most: split it by decision"
        ));
    }
    if !text.starts_with("//!") {
        faults.push(format!(
            "{file}: the first line does not say what the file is for (//!)"
        ));
    }
    let name = file.rsplit('/').next().unwrap_or(file);
    if EMPTY_NAMES.contains(&name) {
        faults.push(format!("{file}: a name that says nothing"));
    }
    faults
}

/// Every Rust file below a folder of the repository, by its path in the repository.
fn sources(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&root.join(folder), &mut files);
    files.sort();
    assert!(!files.is_empty(), "no source in {folder}");
    files
        .into_iter()
        .map(|file| {
            let name = file.strip_prefix(root).unwrap().to_str().unwrap();
            (name.to_owned(), fs::read_to_string(&file).unwrap())
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn check(folders: &[&str], faults_of: fn(&str, &str) -> Vec<String>) {
    let faults: Vec<String> = folders
        .iter()
        .flat_map(|folder| sources(folder))
        .flat_map(|(file, text)| faults_of(&file, &text))
        .collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    check(&["src"], faults_of_form);
}

#[test]
fn rooms_depend_one_way() {
    check(&["src"], faults_of_direction);
}

#[test]
fn only_config_reads_the_environment() {
    check(&["src"], faults_of_environment);
}

#[test]
fn no_test_file_has_a_name_that_says_nothing() {
    check(&["tests"], |file, text| {
        let mut faults = faults_of_form(file, text);
        faults.retain(|fault| fault.ends_with("says nothing"));
        faults
    });
}

#[test]
fn a_wrong_direction_is_found() {
    let grouped = "//! x\nuse crate::{\n    config::{self, Ops},\n    roles,\n};\n";
    let cases = [
        ("src/domain/plan.rs", "use tokio::time;", 1),
        ("src/domain/plan.rs", "use crate::config::Ops;", 1),
        ("src/domain/plan.rs", "use crate::domain::ids;", 0),
        ("src/domain/plan.rs", "// tokio is not for here", 0),
        (
            "src/domain.rs",
            "#[cfg(test)]\nmod tests {\n use tokio::test;\n}",
            0,
        ),
        ("src/broker/amqp.rs", grouped, 1),
        ("src/config.rs", grouped, 1),
        ("src/roles/worker.rs", grouped, 0),
        ("src/simulator/cleeng.rs", "use crate::cleeng;", 1),
        ("src/simulator/cleeng.rs", "use crate::cleeng_like;", 0),
    ];
    for (file, text, faults) in cases {
        let found = faults_of_direction(file, text);
        assert_eq!(found.len(), faults, "{file}: {text}\n{found:?}");
    }
}

#[test]
fn a_fault_of_form_or_environment_is_found() {
    let long = format!("//! x\n{}", "fn f() {}\n".repeat(MOST_LINES));
    assert_eq!(faults_of_form("src/a.rs", &long).len(), 1);
    assert_eq!(faults_of_form("src/a.rs", "use x;\n").len(), 1);
    assert_eq!(faults_of_form("src/a/mod.rs", "//! x\n").len(), 1);
    let reading = "fn f() { std::env::var(\"A\"); }";
    assert_eq!(faults_of_environment("src/cli.rs", reading).len(), 1);
    assert_eq!(faults_of_environment("src/config/env.rs", reading).len(), 0);
}
