//! Who names a metric, names one that there is: the rules, the dashboard, the documents.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::every_family;

/// What RabbitMQ's plugin and Prometheus itself call theirs, as far as we ask for it. `scripts/check-dashboards` sees them answer.
const OTHERS: [&str; 15] = [
    "rabbitmq_alarms_file_descriptor_limit",
    "rabbitmq_alarms_free_disk_space_watermark",
    "rabbitmq_alarms_memory_used_watermark",
    "rabbitmq_detailed_queue_consumers",
    "rabbitmq_detailed_queue_messages",
    "rabbitmq_detailed_queue_messages_ready",
    "rabbitmq_detailed_queue_messages_unacked",
    "rabbitmq_global_messages_acknowledged_total",
    "rabbitmq_global_messages_received_confirm_total",
    "rabbitmq_global_messages_unroutable_returned_total",
    "rabbitmq_process_resident_memory_bytes",
    "rabbitmq_resident_memory_limit_bytes",
    "rabbitmq_connections",
    "rabbitmq_disk_space_available_bytes",
    "rabbitmq_disk_space_available_limit_bytes",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect()
}

/// The names of all families, as `/metrics` shows them once everything has happened, and of their parts.
fn ours() -> BTreeSet<String> {
    let text = every_family().encode().unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let names = lines.map(|line| line.split(['{', ' ']).next().unwrap().to_owned());
    names.collect()
}

/// The words of a text that can only be metrics.
fn named(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':');
    words
        .filter(|word| {
            ["connector_", "process_", "rabbitmq_"]
                .iter()
                .any(|prefix| word.starts_with(prefix) && word.len() > prefix.len())
        })
        .collect()
}

#[test]
fn rules_and_dashboard_ask_for_metrics_that_there_are() {
    let ours = ours();
    let folders = [
        "config/prometheus/rules",
        "config/prometheus/tests",
        "config/grafana/dashboards",
    ];
    let mut unknown = BTreeSet::new();
    let mut used = BTreeSet::new();
    for file in folders.into_iter().flat_map(files) {
        let text = std::fs::read_to_string(&file).unwrap();
        for name in named(&text) {
            match ours.contains(name) || OTHERS.contains(&name) {
                true => used.insert(name.to_owned()),
                false => unknown.insert(format!("{}: {name}", file.display())),
            };
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
    assert!(used.len() > 40, "{used:#?}");
}

/// A rule's own name has colons; who asks for one asks for one that is recorded.
#[test]
fn who_asks_for_a_recorded_rule_asks_for_one_that_there_is() {
    let recorded =
        std::fs::read_to_string(root().join("config/prometheus/rules/recording.yml")).unwrap();
    let names = recorded
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("- record: "));
    let names: BTreeSet<&str> = names.collect();
    let alerts =
        std::fs::read_to_string(root().join("config/prometheus/rules/alerts.yml")).unwrap();
    let words = alerts.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':');
    let asked: BTreeSet<&str> = words
        .filter(|word| word.contains(":connector_") || word.starts_with("connector:"))
        .collect();
    let unknown: Vec<_> = asked.difference(&names).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert!(asked.len() > 8, "{asked:?}");
}

#[test]
fn the_readme_lists_every_metric_and_no_other() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let section = readme.split("\n## Metrics\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let listed: BTreeSet<String> = rows
        .filter_map(|row| row.split('`').next())
        .map(|name| format!("connector_{name}"))
        .collect();
    let families = every_family().registry.gather();
    let ours = families.iter().map(|family| family.name().to_owned());
    let ours: BTreeSet<String> = ours.filter(|name| name.starts_with("connector_")).collect();
    assert_eq!(listed, ours);
}
