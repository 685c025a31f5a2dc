//! What is around the API, as front ends and proxies meet it: request ids, origins, compression, and each client's rate.

use std::io::Read;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Answer, Pair, Setup, World, body};

const SHOP: &str = "https://shop.example";

async fn world(env: &[(&'static str, &str)]) -> World {
    let env = env.iter().map(|(name, value)| (*name, (*value).to_owned()));
    let setup = Setup {
        env: env.collect(),
        no_webhooks: true,
        ..Setup::default()
    };
    World::start_with(Pair::Embedded, setup).await
}

fn unknown(world: &World) -> String {
    format!(
        "{}/v1/payments/01890a5d-ac96-774b-bcce-b302099a8057",
        world.base
    )
}

#[tokio::test]
async fn every_answer_has_a_request_id_that_is_in_the_log() {
    let world = world(&[]).await;
    let url = format!("{}/v1/payments", world.base);
    let with_id = [("X-Request-Id", "front-42:a/b"), ("Idempotency-Key", "k")];
    let refused = world.http.post_with(&url, &with_id, &json!({})).await;
    assert_eq!(refused.status, 422);
    assert_eq!(refused.header("x-request-id"), Some("front-42:a/b"));
    let line = world
        .eventually(
            "the refusal is in the log with the request's id",
            async |world| {
                let logs = world.logs();
                let mut lines = logs
                    .lines()
                    .filter_map(|line| serde_json::from_str::<Value>(line).ok());
                lines.find(|line| line["span"]["request.id"] == "front-42:a/b")
            },
        )
        .await;
    assert_eq!(line["message"], "request refused", "{line}");
    let mut made = Vec::new();
    for given in ["payer@shop.example", "two words", "", &"x".repeat(129)] {
        let answer = world
            .http
            .get_with(&unknown(&world), &[("X-Request-Id", given)])
            .await;
        assert_eq!(answer.status, 404);
        let id = answer.header("x-request-id").unwrap().to_owned();
        assert_eq!(
            uuid::Uuid::parse_str(&id).unwrap().get_version_num(),
            7,
            "{given}"
        );
        made.push(id);
    }
    made.dedup();
    assert_eq!(made.len(), 4);
    // What is at no path is marked as well, and what came through.
    for path in ["/nowhere", "/docs", "/openapi.json"] {
        let (answer, _) = world
            .http
            .raw("GET", &format!("{}{path}", world.base), &[])
            .await;
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
        assert!(answer.header("x-request-id").is_some(), "{path}");
    }
    let taken = world
        .submit(
            "good",
            &body(world.order("simulated").await, "simulated", "tok_ok"),
        )
        .await;
    assert_eq!(taken.status, 202, "{}", taken.text);
}

#[tokio::test]
async fn a_page_of_a_named_origin_may_call_and_no_other() {
    let other_shop = "http://localhost:3000";
    let origins = format!("{SHOP},{other_shop}");
    let world = world(&[("CONNECTOR_HTTP__ALLOWED_ORIGINS", &origins)]).await;
    let url = format!("{}/v1/payments", world.base);
    let preflight = |origin: &'static str| {
        let headers = [
            ("Origin", origin),
            ("Access-Control-Request-Method", "POST"),
            (
                "Access-Control-Request-Headers",
                "authorization,content-type,idempotency-key",
            ),
        ];
        let (http, url) = (world.http.clone(), url.clone());
        async move { http.raw("OPTIONS", &url, &headers).await.0 }
    };
    for origin in [SHOP, other_shop] {
        let answer = preflight(origin).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        assert_eq!(answer.header("vary"), Some("origin"));
        assert!(
            answer
                .header("access-control-max-age")
                .unwrap()
                .parse::<u32>()
                .unwrap()
                > 0
        );
        assert_named(&answer, "access-control-allow-methods", &["GET", "POST"]);
        let needed = [
            "authorization",
            "content-type",
            "idempotency-key",
            "last-event-id",
            "x-request-id",
        ];
        assert_named(&answer, "access-control-allow-headers", &needed);
    }
    for origin in [
        "https://evil.example",
        "https://shop.example:8443",
        "https://shop.example.evil.example",
        "null",
    ] {
        let answer = preflight(origin).await;
        assert_eq!(
            answer.header("access-control-allow-origin"),
            None,
            "{origin}"
        );
        assert_eq!(answer.header("vary"), Some("origin"), "{origin}");
    }
    // The answers themselves, refusals among them: a page may read what was wrong, and when to come again.
    let order = world.order("simulated").await;
    let headers = [("Origin", SHOP), ("Idempotency-Key", "cross")];
    let taken = world
        .http
        .post_with(&url, &headers, &body(order, "simulated", "tok_ok"))
        .await;
    assert_eq!(taken.status, 202, "{}", taken.text);
    assert_readable(&taken);
    let refused = world.http.post_with(&url, &headers, &json!({})).await;
    assert_eq!(refused.status, 422);
    assert_readable(&refused);
    let id = taken.json()["id"].as_str().unwrap().to_owned();
    let events = format!("{url}/{id}/events");
    let mut stream = world.http.stream(&events, &[("Origin", SHOP)]).await;
    assert_eq!(stream.headers()["access-control-allow-origin"], SHOP);
    let first = stream.chunk().await.unwrap().unwrap();
    assert!(first.starts_with(b"event: payment"), "{first:?}");
}

fn assert_named(answer: &Answer, header: &str, names: &[&str]) {
    let named: Vec<String> = answer
        .header(header)
        .unwrap_or_default()
        .split(',')
        .map(|name| name.trim().to_lowercase())
        .collect();
    for name in names {
        assert!(
            named.contains(&name.to_lowercase()),
            "{name} is not in {header}: {named:?}"
        );
    }
}

fn assert_readable(answer: &Answer) {
    assert_eq!(answer.header("access-control-allow-origin"), Some(SHOP));
    assert_eq!(answer.header("vary"), Some("origin"));
    let needed = [
        "location",
        "idempotent-replayed",
        "retry-after",
        "ratelimit",
        "ratelimit-policy",
        "x-request-id",
    ];
    assert_named(answer, "access-control-expose-headers", &needed);
}

#[tokio::test]
async fn without_a_list_no_page_may_call() {
    let world = world(&[]).await;
    let asked = [("Origin", SHOP), ("Access-Control-Request-Method", "POST")];
    let (preflight, _) = world.http.raw("OPTIONS", &unknown(&world), &asked).await;
    let answer = world
        .http
        .get_with(&unknown(&world), &[("Origin", SHOP)])
        .await;
    assert_eq!((preflight.status, answer.status), (405, 404));
    for answer in [preflight, answer] {
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
}

#[tokio::test]
async fn long_answers_are_compressed_for_who_asks_and_streams_never() {
    let world = world(&[]).await;
    let gzip = [("Accept-Encoding", "gzip, br")];
    let url = format!("{}/openapi.json", world.base);
    let plain = world.http.get(&url).await;
    assert_eq!(plain.header("content-encoding"), None);
    let (packed, bytes) = world.http.raw("GET", &url, &gzip).await;
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert_eq!(packed.header("vary"), Some("accept-encoding"));
    assert!(
        bytes.len() * 3 < plain.text.len(),
        "{} of {} bytes",
        bytes.len(),
        plain.text.len()
    );
    let mut unpacked = String::new();
    flate2::read::GzDecoder::new(bytes.as_slice())
        .read_to_string(&mut unpacked)
        .unwrap();
    assert_eq!(unpacked, plain.text);
    let (short, _) = world.http.raw("GET", &unknown(&world), &gzip).await;
    assert_eq!(
        (short.status, short.header("content-encoding")),
        (404, None)
    );
    let (id, _) = world.pay("simulated", "tok_ok").await;
    let events = format!("{}/v1/payments/{id}/events", world.base);
    let mut stream = world.http.stream(&events, &gzip).await;
    assert_eq!(stream.headers().get("content-encoding"), None);
    let first = stream.chunk().await.unwrap().unwrap();
    assert!(first.starts_with(b"event: payment"), "{first:?}");
}

/// Limits from which the numbers of the tests below follow.
const LIMIT: [(&str, &str); 2] = [
    ("CONNECTOR_HTTP__RATE_LIMIT", "1"),
    ("CONNECTOR_HTTP__RATE_LIMIT_BURST", "3"),
];

async fn get_as(world: &World, forwarded: &str) -> Answer {
    world
        .http
        .get_with(&unknown(world), &[("X-Forwarded-For", forwarded)])
        .await
}

/// The two numbers of a `RateLimit` header.
fn standing(answer: &Answer) -> (u64, u64) {
    let text = answer.header("ratelimit").unwrap();
    let (left, seconds) = text
        .strip_prefix("\"default\";r=")
        .unwrap()
        .split_once(";t=")
        .unwrap();
    (left.parse().unwrap(), seconds.parse().unwrap())
}

#[tokio::test]
async fn a_client_that_sends_too_fast_is_told_when_to_come_again_and_others_are_not_held_up() {
    let mut env = LIMIT.to_vec();
    env.push(("CONNECTOR_HTTP__TRUSTED_PROXIES", "127.0.0.0/8"));
    let world = world(&env).await;
    // The client may write what it likes before what the proxy adds.
    for (number, spoofed) in ["", "9.9.9.9, ", "8.8.8.8, "].iter().enumerate() {
        let answer = get_as(&world, &format!("{spoofed}198.51.100.1")).await;
        assert_eq!(answer.status, 404);
        assert_eq!(
            answer.header("ratelimit-policy"),
            Some("\"default\";q=3;w=3")
        );
        assert_eq!(standing(&answer).0, 2 - number as u64);
    }
    let asked = Instant::now();
    let refused = get_as(&world, "198.51.100.1").await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (429, "rate-limited")
    );
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    let (left, whole) = standing(&refused);
    assert!(
        (1..=1).contains(&wait) && left == 0 && whole >= wait,
        "{:?}",
        refused.headers
    );
    // Not the payments of others, not webhooks, and not what is no call.
    assert_eq!(get_as(&world, "198.51.100.2").await.status, 404);
    assert_eq!(get_as(&world, "2001:db8:1:2::1").await.status, 404);
    assert_eq!(standing(&get_as(&world, "2001:db8:1:2:ffff::1").await).0, 1);
    let from = [("X-Forwarded-For", "198.51.100.1")];
    for path in ["/v1/webhooks/stripe", "/v1/webhooks/cleeng"] {
        for _ in 0..5 {
            let answer = world
                .http
                .post_with(&format!("{}{path}", world.base), &from, &json!({}))
                .await;
            assert_eq!((answer.status, answer.header("ratelimit")), (400, None));
        }
    }
    assert_eq!(
        world
            .http
            .get_with(&format!("{}/docs", world.base), &from)
            .await
            .status,
        200
    );
    tokio::time::sleep(Duration::from_secs(wait).saturating_sub(asked.elapsed())).await;
    assert_eq!(get_as(&world, "198.51.100.1").await.status, 404);
    let metrics = world.metrics().await;
    assert!(
        metrics.contains("connector_refused_total{reason=\"rate_limited\"} 1"),
        "{metrics}"
    );
}

#[tokio::test]
async fn who_is_no_trusted_proxy_cannot_choose_its_address() {
    let world = world(&LIMIT).await;
    let mut statuses = Vec::new();
    for address in [
        "198.51.100.1",
        "198.51.100.2",
        "198.51.100.3",
        "198.51.100.4",
    ] {
        statuses.push(get_as(&world, address).await.status);
    }
    assert_eq!(statuses, [404, 404, 404, 429]);
    // Whose turn it is does not depend on what is asked for, or on its being right.
    let refused = world.submit("k", &json!({})).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (429, "rate-limited")
    );
}
