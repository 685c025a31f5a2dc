//! Grafana's dashboard: it says what it shows, asks what Prometheus can read, and is where Grafana looks for it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use crate::harness::tools::{files, promtool, read};

const FOLDER: &str = "config/grafana/dashboards";
const SOURCE: &str = "${datasource}";
/// The width of Grafana's grid.
const WIDTH: u64 = 24;
/// What Grafana itself puts in for a variable.
const BUILT_IN: [&str; 2] = ["__rate_interval", "__all"];

fn dashboards() -> Vec<(String, Value)> {
    let paths = files(FOLDER, ".json");
    assert!(!paths.is_empty());
    let parsed = |path: &String| serde_json::from_str(&read(path)).unwrap();
    paths
        .iter()
        .map(|path| (path.clone(), parsed(path)))
        .collect()
}

fn panels(dashboard: &Value) -> Vec<&Value> {
    dashboard["panels"].as_array().unwrap().iter().collect()
}

fn shown(dashboard: &Value) -> Vec<&Value> {
    let all = panels(dashboard).into_iter();
    all.filter(|panel| panel["type"] != "row").collect()
}

fn word<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("no {key} in {value}"))
}

fn targets(panel: &Value) -> Vec<&Value> {
    let targets = panel.get("targets").and_then(Value::as_array);
    targets.into_iter().flatten().collect()
}

/// As Grafana would ask with everything chosen and a window of five minutes.
fn filled(expr: &str) -> String {
    let mut text = expr.replace("$__rate_interval", "5m");
    for name in ["gateway", "role", "instance"] {
        text = text.replace(&format!("${name}"), ".*");
    }
    text
}

/// The names behind a `$` in a text.
fn variables(text: &str) -> BTreeSet<String> {
    let after = text.split('$').skip(1);
    let names = after.map(|rest| {
        let rest = rest.trim_start_matches('{');
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        rest[..end.unwrap_or(rest.len())].to_owned()
    });
    // "$1" in label_replace.
    names
        .filter(|name| name.chars().any(|c| c.is_ascii_alphabetic()))
        .collect()
}

#[test]
fn every_panel_says_what_it_shows_and_in_which_unit() {
    for (file, dashboard) in dashboards() {
        let mut titles = BTreeSet::new();
        for panel in shown(&dashboard) {
            let title = word(panel, "title");
            assert!(titles.insert(title.to_owned()), "{file}: twice {title}");
            let said = word(panel, "description");
            assert!(said.len() > 15 && said.ends_with('.'), "{title}: {said}");
            let unit = panel.pointer("/fieldConfig/defaults/unit");
            assert!(unit.is_some_and(Value::is_string), "{title}: no unit");
            assert_eq!(panel["datasource"]["uid"], SOURCE, "{title}");
            let asks = !targets(panel).is_empty();
            assert_eq!(asks, panel["type"] != "text", "{title}");
            let mut letters = BTreeSet::new();
            for target in targets(panel) {
                assert_eq!(target["datasource"]["uid"], SOURCE, "{title}");
                assert!(letters.insert(word(target, "refId")), "{title}");
            }
        }
        assert!(titles.len() > 30, "{file}: {}", titles.len());
    }
}

#[test]
fn panels_lie_in_the_grid_and_not_on_each_other() {
    for (file, dashboard) in dashboards() {
        let mut taken = BTreeMap::new();
        let mut ids = BTreeSet::new();
        for panel in panels(&dashboard) {
            let title = word(panel, "title");
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}");
            let at = |key: &str| panel["gridPos"][key].as_u64().unwrap();
            assert!(at("x") + at("w") <= WIDTH, "{file}: {title} is too wide");
            for x in at("x")..at("x") + at("w") {
                for y in at("y")..at("y") + at("h") {
                    let other = taken.insert((x, y), title);
                    assert_eq!(other, None, "{file}: {title} lies on it");
                }
            }
        }
    }
}

#[test]
fn every_variable_that_is_used_can_be_chosen() {
    for (file, dashboard) in dashboards() {
        let known = dashboard["templating"]["list"].as_array().unwrap();
        let known: BTreeSet<&str> = known.iter().map(|one| word(one, "name")).collect();
        for name in ["datasource", "gateway", "role", "instance"] {
            assert!(known.contains(name), "{file}: {name}");
        }
        let mut used = BTreeSet::new();
        for panel in shown(&dashboard) {
            for target in targets(panel) {
                used.extend(variables(word(target, "expr")));
            }
        }
        for name in used {
            let good = known.contains(name.as_str()) || BUILT_IN.contains(&name.as_str());
            assert!(good, "{file}: ${name}");
        }
    }
}

#[test]
fn prometheus_can_read_what_every_panel_asks() {
    let mut rules = String::from("groups:\n  - name: dashboard\n    rules:\n");
    let mut asked = 0;
    for (_, dashboard) in dashboards() {
        for panel in shown(&dashboard) {
            for target in targets(panel) {
                let expr = serde_json::to_string(&filled(word(target, "expr"))).unwrap();
                asked += 1;
                writeln!(
                    rules,
                    "      - record: asked:{asked}:by_panel\n        expr: {expr}"
                )
                .unwrap();
            }
        }
    }
    assert!(asked > 50, "{asked}");
    let file = std::env::temp_dir().join(format!("connector-it-{}.yml", uuid::Uuid::new_v4()));
    fs::write(&file, rules).unwrap();
    let answer = promtool(&["check", "rules", file.to_str().unwrap()]);
    fs::remove_file(&file).unwrap();
    let answer = answer.unwrap_or_else(|fault| panic!("{fault}"));
    assert!(answer.contains(&format!("{asked} rules found")), "{answer}");
}

#[test]
fn grafana_finds_the_dashboard_and_prometheus() {
    let compose: Value = serde_saphyr::from_str(&read("docker-compose.yml")).unwrap();
    let provider: Value = serde_saphyr::from_str(&read(
        "config/grafana/provisioning/dashboards/connector.yml",
    ))
    .unwrap();
    let source: Value = serde_saphyr::from_str(&read(
        "config/grafana/provisioning/datasources/prometheus.yml",
    ))
    .unwrap();
    let mounts = compose["services"]["grafana"]["volumes"]
        .as_array()
        .unwrap();
    let mounted = |from: &str, to: &str| {
        let wanted = format!("./{from}:{to}:ro");
        assert!(mounts.iter().any(|mount| mount == &wanted), "{wanted}");
    };
    mounted("config/grafana/provisioning", "/etc/grafana/provisioning");
    let path = provider.pointer("/providers/0/options/path").unwrap();
    mounted(FOLDER, path.as_str().unwrap());
    let url = source.pointer("/datasources/0/url").unwrap();
    assert_eq!(url, "http://prometheus:9090");
    assert!(compose["services"]["prometheus"].is_object());
    let config: Value = serde_saphyr::from_str(&read("config/prometheus/prometheus.yml")).unwrap();
    let interval = source.pointer("/datasources/0/jsonData/timeInterval");
    assert_eq!(interval, config.pointer("/global/scrape_interval"));
}
