//! The deployment files hold together: what compose starts exists, scales, is pinned, and speaks our configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::run;
use crate::harness::tools::packaged;

const ROLES: [&str; 3] = ["ingest", "worker", "confirmer"];
const SCALED: [&str; 2] = ["worker", "confirmer"];

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

fn yaml(file: &str) -> Value {
    serde_saphyr::from_str(&read(file)).unwrap()
}

fn service(compose: &Value, name: &str) -> Value {
    let found = compose.pointer(&format!("/services/{name}"));
    found
        .unwrap_or_else(|| panic!("docker-compose.yml has no service {name}"))
        .clone()
}

fn words(list: &Value) -> Vec<String> {
    let list = list
        .as_array()
        .unwrap_or_else(|| panic!("not a list: {list}"));
    list.iter()
        .map(|word| word.as_str().unwrap().to_owned())
        .collect()
}

/// Every `CONNECTOR_` variable that any service sets.
fn variables(compose: &Value) -> BTreeSet<String> {
    let services = compose.pointer("/services").and_then(Value::as_object);
    services
        .unwrap()
        .values()
        .filter_map(|service| service.get("environment").and_then(Value::as_object))
        .flat_map(|environment| environment.keys().cloned())
        .filter(|name| name.starts_with("CONNECTOR_"))
        .collect()
}

/// `CONNECTOR_BROKER__URL` is the key `broker.url`; with `_FILE` at its end it names a file that holds the value. A gateway
/// has the name that its owner gives it; the keys are documented for Stripe.
fn key_of(variable: &str) -> String {
    let name = variable.trim_start_matches("CONNECTOR_");
    let name = name.strip_suffix("_FILE").unwrap_or(name);
    let key = name.to_lowercase().replace("__", ".");
    match key.split('.').collect::<Vec<_>>()[..] {
        ["gateways", _, setting] => format!("gateways.stripe.{setting}"),
        _ => key,
    }
}

/// The keys that a configuration file names, those in comments too: a secret has no default, so its line is one.
fn documented_keys(toml: &str) -> BTreeSet<String> {
    let mut section = String::new();
    let mut keys = BTreeSet::new();
    for line in toml.lines() {
        let line = line.trim_start_matches(['#', ' ']);
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
            .map(|(name, _)| name)
        {
            section = format!("{name}.");
        } else if let Some((key, _)) = line.split_once(" = ")
            && key
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.')
        {
            keys.insert(format!("{section}{key}"));
        }
    }
    keys
}

fn undocumented(compose: &Value, toml: &str) -> Vec<String> {
    let documented = documented_keys(toml);
    let variables = variables(compose).into_iter();
    variables
        .filter(|variable| !documented.contains(&key_of(variable)))
        .collect()
}

#[test]
fn compose_starts_every_role_and_what_the_roles_need() {
    let compose = yaml("docker-compose.yml");
    for role in ROLES {
        let command = words(service(&compose, role).get("command").unwrap());
        assert_eq!(command, ["run", "--role", role]);
    }
    for other in ["simulator", "rabbitmq", "postgres", "prometheus", "grafana"] {
        service(&compose, other);
    }
}

/// What a role has in its environment.
fn environment(compose: &Value, role: &str) -> BTreeMap<String, String> {
    let service = service(compose, role);
    let environment = service.get("environment").and_then(Value::as_object);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let pairs = environment.unwrap().iter();
    pairs
        .map(|(name, value)| (name.clone(), text(value)))
        .collect()
}

#[test]
fn the_configuration_of_compose_is_good() {
    let compose = yaml("docker-compose.yml");
    for role in ROLES {
        let (code, _, complaint) = run(&["check-config"], &environment(&compose, role));
        assert_eq!(code, 0, "{role}: {complaint}");
    }
}

#[test]
fn the_simulator_of_compose_takes_the_credentials_of_the_roles() {
    let compose = yaml("docker-compose.yml");
    let environment = environment(&compose, "worker");
    let command = words(service(&compose, "simulator").get("command").unwrap());
    for (flag, key) in [
        ("--publisher-token", "CLEENG__PUBLISHER_TOKEN"),
        ("--publisher-id", "CLEENG__PUBLISHER_ID"),
        ("--cleeng-webhook-secret", "CLEENG__WEBHOOK_SECRET"),
        ("--payment-method-id", "GATEWAYS__STRIPE__PAYMENT_METHOD_ID"),
        ("--stripe-secret-key", "GATEWAYS__STRIPE__SECRET_KEY"),
        (
            "--stripe-webhook-secret",
            "GATEWAYS__STRIPE__WEBHOOK_SECRET",
        ),
        ("--simulated-secret-key", "GATEWAYS__SIMULATED__SECRET_KEY"),
        (
            "--simulated-webhook-secret",
            "GATEWAYS__SIMULATED__WEBHOOK_SECRET",
        ),
    ] {
        let given = command
            .iter()
            .find_map(|word| word.strip_prefix(flag)?.strip_prefix('='));
        let wanted = environment.get(&format!("CONNECTOR_{key}"));
        assert_eq!(given, wanted.map(String::as_str), "{flag}");
    }
}

#[test]
fn the_roles_can_be_scaled() {
    let compose = yaml("docker-compose.yml");
    for role in ROLES {
        let service = service(&compose, role);
        assert_eq!(service.get("container_name"), None, "{role}");
        assert_eq!(
            service.get("ports").is_none(),
            SCALED.contains(&role),
            "{role}: a host port is taken by the first replica"
        );
    }
}

#[test]
fn what_is_published_is_published_on_loopback_only() {
    let compose = yaml("docker-compose.yml");
    let services = compose.pointer("/services").and_then(Value::as_object);
    for (name, service) in services.unwrap() {
        for port in service.get("ports").map(words).unwrap_or_default() {
            assert!(port.starts_with("127.0.0.1:"), "{name} publishes {port}");
        }
    }
}

#[test]
fn images_are_pinned_to_a_major_version() {
    for file in ["docker-compose.yml", "scripts/servers.compose.yml"] {
        let compose = yaml(file);
        let services = compose.pointer("/services").and_then(Value::as_object);
        for (name, service) in services.unwrap() {
            let image = service.get("image").and_then(Value::as_str).unwrap();
            if service.get("build").is_some() {
                continue; // made here, from this very tree
            }
            let tag = image.split_once(':').map(|(_, tag)| tag);
            let major = tag.and_then(|tag| tag.trim_start_matches('v').chars().next());
            assert!(
                major.is_some_and(|c| c.is_ascii_digit()),
                "{file}: {name} runs {image}"
            );
        }
    }
    for image in stages(&read("Dockerfile")) {
        assert!(
            image.contains(|c: char| c.is_ascii_digit()),
            "Dockerfile: from {image}"
        );
    }
}

fn stages(dockerfile: &str) -> Vec<String> {
    let froms = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("FROM "));
    froms
        .filter_map(|rest| rest.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_role_has_more_time_to_stop_than_it_takes_to_drain() {
    let compose = yaml("docker-compose.yml");
    for role in ROLES {
        let service = service(&compose, role);
        let period = service.get("stop_grace_period").and_then(Value::as_str);
        let grace = service
            .pointer("/environment/CONNECTOR_SHUTDOWN__GRACE")
            .and_then(Value::as_str);
        let seconds = |text: Option<&str>| -> u32 {
            text.unwrap().strip_suffix('s').unwrap().parse().unwrap()
        };
        assert!(seconds(period) > seconds(grace), "{role}");
    }
}

#[test]
fn the_image_does_not_run_as_root() {
    let dockerfile = read("Dockerfile");
    let last_stage = dockerfile.rsplit("\nFROM ").next().unwrap();
    let user = last_stage
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("USER "))
        .unwrap_or("root");
    let id = user.split(':').next().unwrap();
    assert!(id.parse::<u32>().is_ok_and(|id| id > 0), "USER {user}");
}

#[test]
fn prometheus_looks_for_every_role() {
    let prometheus = yaml("config/prometheus/prometheus.yml");
    let names = prometheus.pointer("/scrape_configs/0/dns_sd_configs/0/names");
    assert_eq!(words(names.unwrap()), ROLES);
}

#[test]
fn docker_composes_own_reader_takes_the_file() {
    let file = ["--file", "docker-compose.yml", "config", "--format", "json"];
    let read = packaged("docker-compose", &file).unwrap_or_else(|fault| panic!("{fault}"));
    let read: Value = serde_json::from_str(&read).unwrap();
    let names = read
        .pointer("/services")
        .and_then(Value::as_object)
        .unwrap();
    let compose = yaml("docker-compose.yml");
    let wanted = compose.pointer("/services").and_then(Value::as_object);
    let keys = |map: &serde_json::Map<String, Value>| map.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(keys(names), keys(wanted.unwrap()));
}

#[test]
fn hadolint_finds_no_fault_in_the_dockerfile() {
    packaged("hadolint", &["Dockerfile"]).unwrap_or_else(|fault| panic!("{fault}"));
}

#[test]
fn every_service_is_hardened_and_says_when_it_is_healthy() {
    let compose = yaml("docker-compose.yml");
    let services = compose.pointer("/services").and_then(Value::as_object);
    for name in services.unwrap().keys() {
        let service = service(&compose, name);
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(words(&service["cap_drop"]), ["ALL"], "{name}");
        let options = words(&service["security_opt"]);
        assert_eq!(options, ["no-new-privileges:true"], "{name}");
        assert!(service["healthcheck"]["test"].is_array(), "{name}");
        // Our own image names its user itself.
        let user = service.get("user").and_then(Value::as_str);
        let is_root = |user: &str| user.starts_with("root") || user.split(':').next() == Some("0");
        match service.get("build") {
            Some(_) => assert_eq!(user, None, "{name}"),
            None => assert!(user.is_some_and(|user| !is_root(user)), "{name}: {user:?}"),
        }
    }
}

#[test]
fn every_file_that_compose_mounts_is_there() {
    let compose = yaml("docker-compose.yml");
    let services = compose.pointer("/services").and_then(Value::as_object);
    let mut seen = 0;
    for (name, service) in services.unwrap() {
        for volume in service.get("volumes").map(words).unwrap_or_default() {
            let Some(rest) = volume.strip_prefix("./") else {
                continue;
            };
            let file = rest.split(':').next().unwrap();
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
            assert!(path.exists(), "{name} mounts {file}");
            assert!(volume.ends_with(":ro"), "{name} may write {file}");
            seen += 1;
        }
    }
    assert!(seen >= 4, "{seen}");
}

#[test]
fn every_variable_of_compose_is_a_documented_key() {
    let documented = read("config/default.toml");
    documented.parse::<toml::Table>().unwrap();
    assert_eq!(
        undocumented(&yaml("docker-compose.yml"), &documented),
        [""; 0]
    );
}

#[test]
fn a_variable_without_a_documented_key_is_found() {
    let compose = serde_json::json!({"services": {"ingest": {"environment": {
        "CONNECTOR_BROKER__URL": "", "CONNECTOR_CLEENG__PUBLISHER_TOKEN_FILE": "",
        "CONNECTOR_GATEWAYS__STRIPE__SECRET_KEY": "", "CONNECTOR_BROKER__URI": "", "OTHER": "",
    }}}});
    let toml = "[broker]\n# Where it is.\nurl = \"embedded\"\n\n[cleeng]\n# publisher_token = \"…\"\n\n# [gateways.stripe]\n# secret_key = \"sk_…\"\n";
    assert_eq!(undocumented(&compose, toml), ["CONNECTOR_BROKER__URI"]);
}
