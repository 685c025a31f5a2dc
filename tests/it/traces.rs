//! The trace of a payment, from the browser to Cleeng, as a collector gets it; and what a collector that is away may not do.

mod collector;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::{Value, json};

use self::collector::{CREDENTIAL, Collector, Seen};
use crate::harness::{Answer, Pair, Setup, World, body, run};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const BROWSER: &str = "b7ad6b7169203331";

fn exporting(endpoint: &str, more: &[(&'static str, &str)]) -> Setup {
    let mut env = vec![
        ("CONNECTOR_TRACES__ENDPOINT", endpoint.to_owned()),
        ("CONNECTOR_TRACES__HEADERS", CREDENTIAL.to_owned()),
    ];
    env.extend(
        more.iter()
            .map(|(name, value)| (*name, (*value).to_owned())),
    );
    Setup {
        env,
        no_webhooks: true,
        ..Setup::default()
    }
}

/// Pays as a browser does that is in a trace.
async fn pay_within(world: &World, traceparent: &str) -> String {
    let order = world.order("simulated").await;
    let key = format!("key-{order}");
    let headers = [
        ("Idempotency-Key", key.as_str()),
        ("traceparent", traceparent),
    ];
    let url = format!("{}/v1/payments", world.base);
    let answer: Answer = world
        .http
        .post_with(&url, &headers, &body(order, "simulated", "tok_ok"))
        .await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// The spans of that name, the earliest first where they are deliveries.
fn named<'a>(spans: &'a [Seen], name: &str) -> Vec<&'a Seen> {
    let mut found: Vec<&Seen> = spans.iter().filter(|span| span.name == name).collect();
    found.sort_by_key(|span| {
        let number = |name: &str| span.attribute(name).parse::<u64>().unwrap_or(0);
        (number("delivery.replayed"), number("delivery.attempt"))
    });
    found
}

fn below<'a>(spans: &'a [Seen], parent: &Seen, name: &str) -> Vec<&'a Seen> {
    let mut found = named(spans, name);
    found.retain(|span| span.parent == parent.span);
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_is_one_trace_through_three_processes_a_retry_and_a_replay() {
    let collector = Collector::start().await;
    let more = [
        ("CONNECTOR_CONFIRMER__MAX_AGE", "1s"),
        (
            "CONNECTOR_TRACES__ATTRIBUTES",
            "deployment.environment.name=test",
        ),
    ];
    let world = World::without_roles(exporting(&collector.url, &more)).await;
    for (operation, times) in [
        ("simulated.charge", json!({ "times": 1 })),
        ("cleeng.payment", json!({ "probability": 1.0 })),
    ] {
        let mut rule = json!({ "operation": operation, "fault": "rate_limited" });
        rule.as_object_mut()
            .unwrap()
            .extend(times.as_object().unwrap().clone());
        world.fault(rule).await;
    }
    let mut roles = ["ingest", "worker", "confirmer"].map(|role| world.role(role));
    for role in &roles {
        world.ready(&role.ops).await;
    }
    let id = pay_within(&world, &format!("00-{TRACE}-{BROWSER}-01")).await;
    world.settled(&id, "captured", "dead_lettered").await;
    world.clear_faults().await;
    let replay = ["dead-letters", "replay", "--reason", "too_old"];
    world
        .eventually("the dead letter is replayed", async |world| {
            run(&replay, &world.env)
                .1
                .contains("1 replayed")
                .then_some(())
        })
        .await;
    world.settled(&id, "captured", "delivered").await;
    // A process exports what it still has before it ends.
    for role in &mut roles {
        role.process.terminate();
        assert!(role.process.wait(Duration::from_secs(10)).success());
    }
    let spans = collector.trace(TRACE);
    the_way_in(&spans, &id);
    the_charge(&spans, &id);
    the_report(&spans, &id);
    for span in collector.all() {
        let about = span.attribute("payment.id");
        assert!(
            about != id || span.trace == TRACE,
            "another trace: {span:?}"
        );
        assert_eq!(span.resource["service.name"], "cleeng-connector");
        assert_eq!(span.resource["deployment.environment.name"], "test");
        let told = format!("{span:?}");
        for secret in [
            "tok_ok",
            "canary",
            "simulated-secret-key",
            "simulated-publisher-token",
            "test:test",
        ] {
            assert!(!told.contains(secret), "{secret}: {told}");
        }
    }
    let processes: std::collections::BTreeSet<&str> = spans.iter().map(Seen::instance).collect();
    assert_eq!(processes.len(), 3, "{spans:#?}");
}

fn one<'a>(found: Vec<&'a Seen>, what: &str) -> &'a Seen {
    assert_eq!(found.len(), 1, "{what}: {found:#?}");
    found[0]
}

fn the_way_in(spans: &[Seen], id: &str) {
    let request = one(named(spans, "POST /v1/payments"), "the request");
    assert_eq!(
        (request.parent.as_str(), request.kind),
        (BROWSER, SpanKind::Server)
    );
    assert_eq!(request.attribute("payment.id"), id);
    assert_eq!(request.attribute("http.response.status_code"), "202");
    one(below(spans, request, "ledger accept"), "the ledger");
    let published = below(spans, request, "publish commands.simulated.checkout");
    assert_eq!(one(published, "the command").kind, SpanKind::Producer);
}

fn the_charge(spans: &[Seen], id: &str) {
    let published = one(
        named(spans, "publish commands.simulated.checkout"),
        "the command",
    );
    let tries = below(spans, published, "process commands.simulated.checkout");
    let seen: Vec<(&str, &str, bool)> = tries
        .iter()
        .map(|one| {
            (
                one.attribute("delivery.attempt"),
                one.attribute("delivery.verdict"),
                one.failed,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [("1", "later", true), ("2", "done", false)],
        "{tries:#?}"
    );
    for (taken, answer) in tries.iter().zip(["not_done", "captured"]) {
        assert_eq!(taken.kind, SpanKind::Consumer);
        assert_eq!(taken.attribute("payment.id"), id);
        let call = one(
            below(spans, taken, "simulated charge"),
            "the gateway's call",
        );
        assert_eq!(
            (call.attribute("answer"), call.kind),
            (answer, SpanKind::Client)
        );
        assert_eq!(
            (call.attribute("gateway"), call.attribute("payment.id")),
            ("simulated", id)
        );
        assert!(!below(spans, taken, "ledger commit").is_empty());
    }
    one(below(spans, tries[0], "cleeng order"), "the order");
    one(below(spans, tries[1], "publish confirmations"), "the news");
}

fn the_report(spans: &[Seen], id: &str) {
    let published = one(named(spans, "publish confirmations"), "the news");
    let tries = below(spans, published, "process confirmations");
    let (last, earlier) = tries.split_last().unwrap();
    assert_eq!(last.attribute("delivery.replayed"), "1", "{tries:#?}");
    assert_eq!(last.attribute("delivery.verdict"), "done");
    let verdicts: Vec<&str> = earlier
        .iter()
        .map(|one| one.attribute("delivery.verdict"))
        .collect();
    assert_eq!(verdicts.last(), Some(&"park"), "{tries:#?}");
    assert!(
        verdicts.len() > 1,
        "no retry through the ladder: {tries:#?}"
    );
    let call = one(below(spans, last, "cleeng report"), "Cleeng's call");
    assert_eq!(
        (call.attribute("answer"), call.attribute("payment.id")),
        ("done", id)
    );
    assert_eq!(call.instance(), last.instance());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_callers_flag_decides_what_is_recorded_and_the_ratio_only_of_new_traces() {
    let collector = Collector::start().await;
    let none_of_ours = exporting(&collector.url, &[("CONNECTOR_TRACES__SAMPLE_RATIO", "0")]);
    let mut world = World::start_with(Pair::Embedded, none_of_ours).await;
    let recorded = pay_within(&world, &format!("00-{TRACE}-{BROWSER}-01")).await;
    let unrecorded = pay_within(
        &world,
        "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
    )
    .await;
    let (new, _) = world.pay("simulated", "tok_ok").await;
    for id in [&recorded, &unrecorded, &new] {
        world.settled(id, "captured", "delivered").await;
    }
    let process = world.roles.get_mut("all").unwrap();
    process.terminate();
    assert!(process.wait(Duration::from_secs(10)).success());
    let spans = collector.all();
    assert!(!named(&spans, "cleeng report").is_empty(), "{spans:#?}");
    for span in &spans {
        assert_eq!(span.trace, TRACE, "{span:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_does_not_answer_delays_neither_payments_nor_the_end() {
    // It takes connections and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let mut world = World::start_with(Pair::Embedded, exporting(&endpoint, &[])).await;
    for _ in 0..5 {
        let begun = Instant::now();
        let (id, _) = world.pay("simulated", "tok_ok").await;
        world.settled(&id, "captured", "delivered").await;
        assert!(
            begun.elapsed() < Duration::from_secs(3),
            "{:?}",
            begun.elapsed()
        );
    }
    let lost = |text: &str, result: &str| {
        let line = format!("connector_spans_total{{result=\"{result}\"}} ");
        let value = text
            .lines()
            .find_map(|found| found.strip_prefix(&line))
            .unwrap()
            .to_owned();
        value.parse::<u64>().unwrap()
    };
    world
        .eventually("spans are given up", async |world| {
            (lost(&world.metrics().await, "failed") > 0).then_some(())
        })
        .await;
    assert_eq!(lost(&world.metrics().await, "exported"), 0);
    let (id, _) = world.pay("simulated", "tok_ok").await;
    world.settled(&id, "captured", "delivered").await;
    let process = world.roles.get_mut("all").unwrap();
    let begun = Instant::now();
    process.terminate();
    assert!(process.wait(Duration::from_secs(10)).success());
    assert!(
        begun.elapsed() < Duration::from_secs(6),
        "{:?}",
        begun.elapsed()
    );
    let told = world.logs().matches("spans were not exported").count();
    assert!((1..=2).contains(&told), "{told} times: {}", world.logs());
}

/// Log lines about a payment at level INFO, in their order.
fn lines_about<'a>(log: &'a str, id: &str) -> Vec<&'a str> {
    log.lines()
        .filter(|line| line.contains(id) && line.contains("INFO"))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_has_one_line_per_payment_and_state_and_each_has_the_trace() {
    let states = [
        "payment accepted",
        "payment moved",
        "payment reported to Cleeng",
    ];
    for format in ["json", "pretty"] {
        let setup = Setup {
            env: vec![("CONNECTOR_LOG__FORMAT", format.to_owned())],
            no_webhooks: true,
            ..Setup::default()
        };
        let world = World::start_with(Pair::Embedded, setup).await;
        let id = pay_within(&world, &format!("00-{TRACE}-{BROWSER}-01")).await;
        world.settled(&id, "captured", "delivered").await;
        let log = std::fs::read_to_string(world.folder.join("all.log")).unwrap();
        let lines = lines_about(&log, &id);
        assert_eq!(lines.len(), states.len(), "{format}: {lines:#?}");
        for (line, state) in lines.iter().zip(states) {
            assert!(
                line.contains(state) && line.contains(TRACE),
                "{format}: {line}"
            );
            assert!(!line.contains("otel."), "{line}");
            if format == "json" {
                let line: BTreeMap<String, Value> = serde_json::from_str(line).unwrap();
                let field = |name: &str| {
                    line.get(name)
                        .or_else(|| line.get("span")?.get(name))
                        .cloned()
                };
                assert_eq!(field("trace.id"), Some(json!(TRACE)), "{line:?}");
                assert_eq!(field("payment.id"), Some(json!(id)), "{line:?}");
            }
        }
    }
}
