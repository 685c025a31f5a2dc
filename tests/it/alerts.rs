//! The rules for Prometheus: they are read, their own tests pass and leave no alert out, and the runbook explains each.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use serde_json::Value;

use crate::harness::tools::{at_root, files, promtool, read};

const RULES: &str = "config/prometheus/rules";
const TESTS: &str = "config/prometheus/tests";
const RUNBOOK: &str = "docs/runbook.md";
/// What a section of the runbook has to say.
const PARTS: [&str; 4] = ["**Money.**", "**Look.**", "**Do.**", "**Don't**"];

fn yaml(file: &str) -> Value {
    serde_saphyr::from_str(&read(file)).unwrap()
}

fn list(value: &Value, key: &str) -> Vec<Value> {
    let found = value.get(key).and_then(Value::as_array);
    found
        .unwrap_or_else(|| panic!("no list {key} in {value}"))
        .clone()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no {pointer} in {value}"))
}

/// By name.
fn alerts() -> BTreeMap<String, Value> {
    let groups = list(&yaml(&format!("{RULES}/alerts.yml")), "groups");
    let rules = groups.iter().flat_map(|group| list(group, "rules"));
    let named: Vec<_> = rules
        .map(|rule| (text(&rule, "/alert").to_owned(), rule))
        .collect();
    let alerts: BTreeMap<_, _> = named.iter().cloned().collect();
    assert_eq!(alerts.len(), named.len(), "two alerts have one name");
    alerts
}

/// The sections of the runbook that are about an alert, with their text.
fn sections(runbook: &str) -> BTreeMap<&str, &str> {
    let sections = runbook.split("\n### ").skip(1);
    sections
        .filter_map(|section| section.split_once('\n'))
        .collect()
}

#[test]
fn prometheus_reads_its_configuration_and_the_rules() {
    let config = at_root("config/prometheus/prometheus.yml");
    let arguments = ["check".as_ref(), "config".as_ref(), config.as_os_str()];
    let answer = promtool(&arguments).unwrap_or_else(|fault| panic!("{fault}"));
    assert!(answer.contains("2 rule files found"), "{answer}");
}

#[test]
fn the_tests_of_the_rules_pass() {
    let runs = files(TESTS, ".yml").into_iter().map(|file| {
        thread::spawn(move || {
            promtool(&["test", "rules", &file]).map_err(|fault| format!("{file}: {fault}"))
        })
    });
    let runs: Vec<_> = runs.collect();
    assert!(runs.len() > 3);
    for run in runs {
        run.join()
            .unwrap()
            .unwrap_or_else(|fault| panic!("{fault}"));
    }
}

#[test]
fn every_alert_has_a_case_that_fires_it_and_one_that_does_not() {
    let (mut fired, mut silent) = (BTreeSet::new(), BTreeSet::new());
    for file in files(TESTS, ".yml") {
        for test in list(&yaml(&file), "tests") {
            for case in list(&test, "alert_rule_test") {
                let name = text(&case, "/alertname").to_owned();
                match list(&case, "exp_alerts").is_empty() {
                    true => silent.insert(name),
                    false => fired.insert(name),
                };
            }
        }
    }
    let all: BTreeSet<String> = alerts().into_keys().collect();
    assert_eq!(fired, all, "those that are seen firing");
    assert_eq!(silent, all, "those that are seen not firing");
}

#[test]
fn every_alert_says_what_it_is_and_leads_to_its_section() {
    for (name, alert) in alerts() {
        assert!(name.starts_with("Connector"), "{name}");
        let severity = text(&alert, "/labels/severity");
        assert!(
            ["critical", "warning"].contains(&severity),
            "{name}: {severity}"
        );
        for annotation in ["summary", "description"] {
            let said = text(&alert, &format!("/annotations/{annotation}"));
            assert!(said.len() > 12, "{name}: {annotation}");
        }
        let url = text(&alert, "/annotations/runbook_url");
        let anchor = format!("{RUNBOOK}#{}", name.to_lowercase());
        assert_eq!(url, anchor, "{name}");
    }
}

#[test]
fn the_runbook_explains_every_alert_and_no_other() {
    let runbook = read(RUNBOOK);
    let sections = sections(&runbook);
    let names: BTreeSet<&str> = sections.keys().copied().collect();
    let alerts = alerts();
    let wanted: BTreeSet<&str> = alerts.keys().map(String::as_str).collect();
    assert_eq!(names, wanted);
    for (name, section) in sections {
        for part in PARTS {
            assert!(section.contains(part), "{name} lacks {part}");
        }
    }
}

/// The commands in the runbook are ours, as the program names them.
#[test]
fn the_runbooks_commands_are_the_programs() {
    let runbook = read(RUNBOOK);
    let blocks = runbook.split("```sh\n").skip(1);
    let lines = blocks.flat_map(|block| block.split("```").next().unwrap().lines());
    let ours: Vec<&str> = lines
        .filter_map(|line| line.strip_prefix("cleeng-connector "))
        .collect();
    assert!(ours.len() > 15, "{ours:#?}");
    for line in ours {
        let command = line.split('#').next().unwrap();
        let words: Vec<&str> = command
            .split_whitespace()
            .take_while(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
            .take_while(|word| !word.starts_with("--"))
            .chain(["--help"])
            .collect();
        let (code, help, complaint) = crate::harness::run(&words, &BTreeMap::new());
        assert_eq!(code, 0, "{line}: {complaint}");
        for flag in command
            .split_whitespace()
            .filter(|word| word.starts_with("--"))
        {
            assert!(help.contains(flag), "{line}: {flag} is not in its help");
        }
    }
}
