//! The Helm chart, rendered by Helm's own library: it is valid, and what it starts is configured, bounded and shut off as it must be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::Value;

use crate::harness::run;
use crate::harness::tools::{chart, read};

const CHART: &str = "deploy/helm/cleeng-connector";
const EXAMPLES: [&str; 2] = ["full", "minimal"];
const ROLES: [&str; 3] = ["ingest", "worker", "confirmer"];
const SECRETS: &str = "/run/secrets/connector";

/// What Helm makes of the chart with each of its examples; once for all tests.
fn rendered(example: &str) -> &'static [Value] {
    static MADE: OnceLock<BTreeMap<&'static str, Vec<Value>>> = OnceLock::new();
    let made = MADE.get_or_init(|| EXAMPLES.map(|name| (name, render(name))).into());
    made.get(example).unwrap()
}

fn render(example: &str) -> Vec<Value> {
    let values = format!("{CHART}/ci/{example}-values.yaml");
    let made = chart(&["render", &values, "--json"]).unwrap_or_else(|fault| panic!("{fault}"));
    serde_json::from_str(&made).unwrap()
}

fn of_kind<'a>(manifests: &'a [Value], kind: &str) -> Vec<&'a Value> {
    let found = manifests.iter().filter(|one| one["kind"] == kind);
    found.collect()
}

fn deployment<'a>(manifests: &'a [Value], role: &str) -> &'a Value {
    let all = of_kind(manifests, "Deployment").into_iter();
    let mut own = all.filter(|one| component(one) == role);
    own.next().unwrap_or_else(|| panic!("no deployment {role}"))
}

fn component(manifest: &Value) -> &str {
    let label = &manifest["metadata"]["labels"]["app.kubernetes.io/component"];
    label.as_str().unwrap_or_default()
}

fn pod(deployment: &Value) -> &Value {
    &deployment["spec"]["template"]["spec"]
}

fn container(deployment: &Value) -> &Value {
    &pod(deployment)["containers"][0]
}

fn number(value: &Value) -> u64 {
    value
        .as_u64()
        .unwrap_or_else(|| panic!("no number: {value}"))
}

/// The environment that a pod gets, its secrets being files in a folder of ours.
struct Pod {
    env: BTreeMap<String, String>,
    secrets: PathBuf,
}

impl Pod {
    fn of(manifests: &[Value]) -> Pod {
        let secrets = std::env::temp_dir().join(format!("connector-it-{}", uuid::Uuid::new_v4()));
        fs::create_dir_all(&secrets).unwrap();
        let data = of_kind(manifests, "ConfigMap")[0]["data"]
            .as_object()
            .unwrap();
        let mut env = BTreeMap::new();
        for (name, value) in data {
            let value = value.as_str().unwrap();
            let moved = value.replace(SECRETS, secrets.to_str().unwrap());
            if moved != value {
                fs::write(&moved, secret(name)).unwrap();
            }
            env.insert(name.clone(), moved);
        }
        Pod { env, secrets }
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.secrets).unwrap_or_default();
    }
}

/// Something of the right form.
fn secret(variable: &str) -> String {
    match variable {
        "CONNECTOR_BROKER__URL_FILE" => "amqp://user:password@rabbitmq:5672/%2f".to_owned(),
        "CONNECTOR_LEDGER__URL_FILE" => {
            "postgres://user:password@postgres:5432/connector".to_owned()
        }
        "CONNECTOR_AUTH__API_KEY_HASHES_FILE" => "a".repeat(64),
        name if name.contains("STRIPE__SECRET_KEY") => "sk_test_of_no_account".to_owned(),
        name if name.contains("STRIPE__WEBHOOK_SECRET") => "whsec_of_no_account".to_owned(),
        _ => "a-secret-of-thirty-two-characters".to_owned(),
    }
}

#[test]
fn helm_and_the_schemas_of_kubernetes_find_no_fault() {
    let answer = chart(&["check"]).unwrap_or_else(|fault| panic!("{fault}"));
    for example in EXAMPLES {
        assert!(
            answer.contains(&format!("{example}-values.yaml")),
            "{answer}"
        );
    }
}

/// The image's tag follows from it.
#[test]
fn the_chart_is_of_this_version() {
    let chart: Value = serde_saphyr::from_str(&read(&format!("{CHART}/Chart.yaml"))).unwrap();
    assert_eq!(chart["appVersion"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn what_a_pod_gets_is_a_good_configuration() {
    for example in EXAMPLES {
        let pod = Pod::of(rendered(example));
        let (code, shown, complaint) = run(&["check-config"], &pod.env);
        assert_eq!(code, 0, "{example}: {complaint}");
        assert!(!shown.contains("password"), "{shown}");
    }
}

#[test]
fn each_role_is_a_deployment_of_its_own_and_mounts_its_secrets() {
    for example in EXAMPLES {
        let manifests = rendered(example);
        assert_eq!(of_kind(manifests, "Deployment").len(), ROLES.len());
        for role in ROLES {
            let deployment = deployment(manifests, role);
            let started = container(deployment);
            assert_eq!(started["args"], serde_json::json!(["run", "--role", role]));
            assert_eq!(started.get("env"), None, "{role}: secrets are files");
            let mount = &started["volumeMounts"][0];
            assert_eq!(mount["mountPath"], SECRETS);
            let secret = &pod(deployment)["volumes"][0]["secret"];
            assert_eq!(secret["secretName"], "connector");
            let given: BTreeSet<String> = secret["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| format!("{SECRETS}/{}", item["path"].as_str().unwrap()))
                .collect();
            let data = of_kind(manifests, "ConfigMap")[0]["data"]
                .as_object()
                .unwrap();
            let wanted = data.values().filter_map(Value::as_str);
            let wanted: BTreeSet<String> = wanted
                .filter(|value| value.starts_with(SECRETS))
                .map(str::to_owned)
                .collect();
            assert_eq!(given, wanted, "{role}");
        }
    }
}

#[test]
fn no_pod_is_root_or_can_become_more_than_it_is() {
    let manifests = rendered("minimal");
    for role in ROLES {
        let deployment = deployment(manifests, role);
        let whole = &pod(deployment)["securityContext"];
        assert_eq!(whole["runAsNonRoot"], true, "{role}");
        assert_eq!(whole["seccompProfile"]["type"], "RuntimeDefault", "{role}");
        let image = read("Dockerfile");
        let user = number(&whole["runAsUser"]);
        assert!(image.contains(&format!("\nUSER {user}:")), "{role}: {user}");
        let own = &container(deployment)["securityContext"];
        assert_eq!(own["readOnlyRootFilesystem"], true, "{role}");
        assert_eq!(own["allowPrivilegeEscalation"], false, "{role}");
        assert_eq!(
            own["capabilities"]["drop"],
            serde_json::json!(["ALL"]),
            "{role}"
        );
        assert_eq!(
            pod(deployment)["automountServiceAccountToken"],
            false,
            "{role}"
        );
        assert!(container(deployment)["resources"]["limits"]["memory"].is_string());
    }
}

#[test]
fn a_pod_has_time_to_drain_and_ingest_waits_for_the_load_balancers() {
    for example in EXAMPLES {
        let manifests = rendered(example);
        let data = &of_kind(manifests, "ConfigMap")[0]["data"];
        let grace = data["CONNECTOR_SHUTDOWN__GRACE"].as_str().unwrap();
        let grace: u64 = grace.strip_suffix('s').unwrap().parse().unwrap();
        for role in ROLES {
            let deployment = deployment(manifests, role);
            let wait = container(deployment).pointer("/lifecycle/preStop/sleep/seconds");
            assert_eq!(wait.is_some(), role == "ingest", "{role}");
            let wait = wait.map_or(0, number);
            let limit = number(&pod(deployment)["terminationGracePeriodSeconds"]);
            assert!(limit >= grace + wait + 10, "{example}, {role}: {limit} s");
        }
    }
}

#[test]
fn probes_ask_the_ops_port_and_nobody_outside_can() {
    let manifests = rendered("full");
    for role in ROLES {
        let container = container(deployment(manifests, role));
        for (probe, path) in [("livenessProbe", "/livez"), ("readinessProbe", "/readyz")] {
            let asked = &container[probe]["httpGet"];
            assert_eq!(asked["path"], path, "{role}");
            assert_eq!(asked["port"], "ops", "{role}");
        }
    }
    let services = of_kind(manifests, "Service");
    let (ops, public): (Vec<&Value>, Vec<&Value>) = services
        .into_iter()
        .partition(|service| component(service) == "ops");
    assert_eq!(ops[0]["spec"]["clusterIP"], "None");
    assert_eq!(public[0]["spec"]["ports"].as_array().unwrap().len(), 1);
    assert_eq!(public[0]["spec"]["ports"][0]["targetPort"], "public");
    let paths = &of_kind(manifests, "Ingress")[0]["spec"]["rules"][0]["http"]["paths"];
    assert_eq!(paths.as_array().unwrap().len(), 1);
    assert_eq!(paths[0]["path"], "/v1");
    assert_eq!(
        paths[0]["backend"]["service"]["name"],
        public[0]["metadata"]["name"]
    );
    for policy in of_kind(manifests, "NetworkPolicy") {
        for rule in policy["spec"]["ingress"].as_array().unwrap() {
            let open = rule.get("from").is_none();
            let ops = rule["ports"][0]["port"] == "ops";
            assert!(!(open && ops), "{policy}");
        }
    }
}

#[test]
fn a_drained_node_takes_one_pod_of_a_role_at_a_time() {
    let manifests = rendered("minimal");
    for role in ROLES {
        let deployment = deployment(manifests, role);
        let budgets = of_kind(manifests, "PodDisruptionBudget").into_iter();
        let own = budgets.clone().find(|one| component(one) == role).unwrap();
        assert_eq!(own["spec"]["maxUnavailable"], 1);
        assert_eq!(own["spec"]["selector"], deployment["spec"]["selector"]);
        assert_eq!(budgets.len(), ROLES.len());
        let spread = &pod(deployment)["topologySpreadConstraints"];
        assert_eq!(spread.as_array().unwrap().len(), 2, "{role}");
    }
}

#[test]
fn workers_and_confirmers_grow_with_their_queues_those_in_hand_included_and_with_the_lag() {
    let manifests = rendered("full");
    let pod = Pod::of(manifests);
    let (code, topology, complaint) = run(&["topology", "print", "--json"], &pod.env);
    assert_eq!(code, 0, "{complaint}");
    let topology: Value = serde_json::from_str(&topology).unwrap();
    let exist = topology["queues"].as_array().unwrap().iter();
    let exist: BTreeSet<&str> = exist.map(|queue| queue["name"].as_str().unwrap()).collect();
    let authentication = of_kind(manifests, "TriggerAuthentication")[0];
    let mut asked = BTreeSet::new();
    for scaled in of_kind(manifests, "ScaledObject") {
        let role = component(scaled);
        let target = deployment(manifests, role);
        let named = &scaled["spec"]["scaleTargetRef"]["name"];
        assert_eq!(named, &target["metadata"]["name"]);
        assert_eq!(
            target["spec"].get("replicas"),
            None,
            "{role}: two would set it"
        );
        assert!(number(&scaled["spec"]["minReplicaCount"]) >= 1, "{role}");
        let triggers = scaled["spec"]["triggers"].as_array().unwrap();
        for trigger in triggers.iter().filter(|one| one["type"] == "rabbitmq") {
            let how = &trigger["metadata"];
            assert_eq!(
                how["protocol"], "http",
                "AMQP does not tell what is in hand"
            );
            assert_eq!(how["mode"], "QueueLength");
            assert_eq!(how["excludeUnacknowledged"], "false");
            let by = &trigger["authenticationRef"]["name"];
            assert_eq!(by, &authentication["metadata"]["name"]);
            asked.insert(how["queueName"].as_str().unwrap());
        }
        let lag: Vec<&Value> = triggers
            .iter()
            .filter(|one| one["type"] == "prometheus")
            .collect();
        assert_eq!(lag.len(), 1, "{role}");
        let query = lag[0]["metadata"]["query"].as_str().unwrap();
        let recorded = read("config/prometheus/rules/recording.yml");
        let name = query.trim_start_matches("max(").split('{').next().unwrap();
        assert!(recorded.contains(&format!("record: {name}\n")), "{query}");
        // KEDA reads every value of a trigger as text.
        let texts = triggers
            .iter()
            .flat_map(|one| one["metadata"].as_object().unwrap().values());
        assert!(texts.clone().all(Value::is_string), "{role}");
    }
    let consumed: BTreeSet<&str> = exist
        .into_iter()
        .filter(|name| !name.contains(".delay.") && !name.ends_with(".dead"))
        .collect();
    assert_eq!(asked, consumed);
}

#[test]
fn the_operators_rules_are_the_repositorys() {
    let manifests = rendered("full");
    let groups = of_kind(manifests, "PrometheusRule")[0]["spec"]["groups"].clone();
    let mut wanted = Vec::new();
    for file in ["alerts", "recording"] {
        let rules = read(&format!("config/prometheus/rules/{file}.yml"));
        let rules: Value = serde_saphyr::from_str(&rules).unwrap();
        wanted.extend(rules["groups"].as_array().unwrap().clone());
    }
    assert_eq!(groups, Value::Array(wanted));
    let scraped = &of_kind(manifests, "ServiceMonitor")[0]["spec"]["endpoints"][0];
    assert_eq!(scraped["honorLabels"], true);
    assert_eq!(scraped["relabelings"][0]["replacement"], "connector");
}

#[test]
fn values_that_would_not_do_are_refused_with_the_key() {
    let folder = std::env::temp_dir().join(format!("connector-it-{}", uuid::Uuid::new_v4()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("values.yaml");
    for (values, named) in [
        ("{}", "secret"),
        (
            "secret: { name: x }\nsettings: { BROKER__URL: amqp://in-clear }",
            "BROKER__URL",
        ),
        ("secret: { name: x }\nworker: { replicas: 0 }", "replicas"),
        ("secret: { name: x }\nworkers: { replicas: 2 }", "workers"),
        (
            "secret: { name: x }\nworker: { autoscaling: { enabled: true } }",
            "keda.rabbitmq.secretName",
        ),
        ("secret: { name: x }\ningress: { enabled: true }", "host"),
    ] {
        fs::write(&file, values).unwrap();
        let refused = chart(&["render", file.to_str().unwrap()]).unwrap_err();
        assert!(refused.contains(named), "{values}: {refused}");
    }
    fs::remove_dir_all(&folder).unwrap();
}
