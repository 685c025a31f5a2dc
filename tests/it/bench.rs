//! The load test as a command: short runs on both pairs of stores, whose counts have to agree.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::harness::{Pair, run, server};

const DONE: i32 = 0;
const FAILED: i32 = 1;

/// Runs the load test; its exit code, its JSON, and what it said.
fn bench(arguments: &[&str]) -> (i32, Value, String) {
    let all: Vec<&str> = ["bench", "--json", "-"]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    let (code, out, said) = run(&all, &BTreeMap::new());
    let json = serde_json::from_str(&out).unwrap_or(Value::Null);
    (code, json, said)
}

fn servers(pair: Pair) -> Vec<String> {
    match pair {
        Pair::Embedded => Vec::new(),
        Pair::Servers => [
            ("--profile", "rabbitmq+postgres".to_owned()),
            ("--broker-url", server("TEST_AMQP_URL")),
            ("--database-url", server("TEST_DATABASE_URL")),
            ("--scenario", "floor".to_owned()),
        ]
        .into_iter()
        .flat_map(|(name, value)| [name.to_owned(), value])
        .collect(),
    }
}

fn count(value: &Value) -> u64 {
    value
        .as_u64()
        .unwrap_or_else(|| panic!("no count: {value}"))
}

fn every_payment_of_a_short_run_is_counted_and_verified(pair: Pair) {
    let chosen = servers(pair);
    let mut arguments: Vec<&str> = chosen.iter().map(String::as_str).collect();
    arguments.extend(["--payments", "120", "--in-flight", "8"]);
    arguments.extend(["--scenario", "saturation", "--scenario", "60/s"]);
    let (code, report, said) = bench(&arguments);
    assert_eq!(code, DONE, "{said}");
    let verified = &report["verification"];
    for number in ["accepted", "taken", "recorded", "delivered"] {
        assert_eq!(count(&verified[number]), 240, "{number} of {verified}");
    }
    assert_eq!(count(&verified["violations"]), 0);
    let rows = report["scenarios"].as_array().unwrap();
    let floors = usize::from(pair == Pair::Servers);
    assert_eq!(rows.len(), 2 + floors);
    for row in rows {
        assert_eq!(count(&row["confirmed"]), 120, "{row}");
        assert_eq!(count(&row["acceptMicros"]["samples"]), 120, "{row}");
        assert!(row["confirmedPerSecond"].as_f64().unwrap() > 1.0, "{row}");
        assert_eq!(
            row["shareOfFloor"].is_number(),
            pair == Pair::Servers,
            "{row}"
        );
    }
    let cpu = &rows[floors]["cpuSecondsPerThousand"];
    assert!(cpu["connector"]["value"].as_f64().unwrap() > 0.0, "{cpu}");
    let wanted = match pair {
        Pair::Embedded => "inConnector",
        // Measured, or on another machine; in no case a zero that nobody measured.
        Pair::Servers if cpu["broker"]["how"] == "notMeasured" => "notMeasured",
        Pair::Servers => "measured",
    };
    assert_eq!(cpu["broker"]["how"], wanted, "{cpu}");
    assert!(
        rows[floors]["peakMib"]["connector"]["value"]
            .as_f64()
            .unwrap()
            > 1.0
    );
}

#[test]
fn every_payment_of_a_short_run_is_counted_and_verified_on_embedded_stores() {
    every_payment_of_a_short_run_is_counted_and_verified(Pair::Embedded);
}

#[test]
fn every_payment_of_a_short_run_is_counted_and_verified_on_servers() {
    every_payment_of_a_short_run_is_counted_and_verified(Pair::Servers);
}

#[test]
fn each_role_of_a_small_backlog_is_measured_by_itself() {
    let chosen = servers(Pair::Servers);
    let mut arguments: Vec<&str> = chosen.iter().map(String::as_str).take(6).collect();
    arguments.extend([
        "--payments",
        "60",
        "--in-flight",
        "4",
        "--scenario",
        "backlog",
    ]);
    let (code, report, said) = bench(&arguments);
    assert_eq!(code, DONE, "{said}");
    let rows = report["scenarios"].as_array().unwrap();
    let names: Vec<&str> = rows
        .iter()
        .map(|row| row["scenario"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "backlog: accepting",
            "backlog: charging",
            "backlog: confirming"
        ]
    );
    assert_eq!(count(&rows[0]["accepted"]), 60);
    assert_eq!(count(&rows[0]["confirmed"]), 0);
    assert_eq!(count(&rows[2]["confirmed"]), 60);
    assert_eq!(count(&report["verification"]["delivered"]), 60);
}

fn renewals_of_a_small_batch_are_counted_beside_the_payments(pair: Pair) {
    let chosen = servers(pair);
    // All but the floor.
    let mut arguments: Vec<&str> = chosen.iter().map(String::as_str).take(6).collect();
    arguments.extend(["--payments", "40", "--seconds", "2"]);
    arguments.extend(["--scenario", "renewals"]);
    let (code, report, said) = bench(&arguments);
    assert_eq!(code, DONE, "{said}");
    let rows = report["scenarios"].as_array().unwrap();
    let names: Vec<&str> = rows
        .iter()
        .map(|row| row["scenario"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["renewals: idle", "renewals: during the batch"]);
    for row in rows {
        assert!(count(&row["dueToConfirmedMicros"]["samples"]) > 0, "{row}");
        assert_eq!(row["drained"], true, "{row}");
    }
    let (idle, batch) = (&rows[0], &rows[1]);
    assert!(idle["renewalsPerSecond"].is_null() && idle["timesIdle"].is_null());
    assert!(batch["renewalsPerSecond"].as_f64().unwrap() > 0.0);
    for quantile in ["p50", "p99"] {
        let times = batch["timesIdle"][quantile].as_f64().unwrap();
        assert!(times > 0.0, "{quantile} of {batch}");
    }
    let verified = &report["verification"];
    assert_eq!(count(&verified["renewals"]), 40);
    assert_eq!(count(&verified["violations"]), 0, "{verified}");
    let all = count(&verified["accepted"]) + 40;
    for number in ["taken", "recorded", "delivered"] {
        assert_eq!(count(&verified[number]), all, "{number} of {verified}");
    }
}

#[test]
fn renewals_of_a_small_batch_are_counted_beside_the_payments_on_embedded_stores() {
    renewals_of_a_small_batch_are_counted_beside_the_payments(Pair::Embedded);
}

#[test]
fn renewals_of_a_small_batch_are_counted_beside_the_payments_on_servers() {
    renewals_of_a_small_batch_are_counted_beside_the_payments(Pair::Servers);
}

#[test]
fn what_cannot_be_measured_is_refused_before_anything_starts() {
    let cases: [&[&str]; 3] = [
        &["--scenario", "floor"],
        &["--scenario", "overload"],
        &["--profile", "rabbitmq+postgres"],
    ];
    for arguments in cases {
        let (code, _, said) = bench(arguments);
        assert_eq!(code, FAILED, "{arguments:?}: {said}");
    }
}
