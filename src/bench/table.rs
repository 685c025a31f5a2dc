//! The report as a table for people. Pure.

use super::quantiles::Quantiles;
use super::report::{Report, Row};
use super::usage::{Measure, Party};

const HEADS: [&str; 18] = [
    "scenario",
    "offered/s",
    "accepted/s",
    "refused",
    "confirmed/s",
    "accept p50",
    "p99",
    "p99.9",
    "to Cleeng p50",
    "p99",
    "p99.9",
    "connector",
    "broker",
    "database",
    "rest",
    "all",
    "peak MiB",
    "of floor",
];

/// A line of words above the heads, each over the column at that place.
const GROUPS: [(usize, &str); 3] = [(5, "ms"), (8, "ms"), (11, "CPU s per 1,000 payments")];

pub(crate) fn table(report: &Report) -> String {
    let mut rows: Vec<Vec<String>> = vec![HEADS.iter().map(|head| (*head).to_owned()).collect()];
    rows.extend(report.scenarios.iter().map(cells));
    let widths: Vec<usize> = (0..HEADS.len())
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let lines = rows.iter().map(|row| align(row, &widths));
    let mut text = vec![head(report), String::new(), groups(&widths)];
    text.extend(lines);
    text.push(String::new());
    text.extend(report.scenarios.iter().filter_map(beside_renewals));
    text.extend(verdict(report));
    text.join("\n")
}

fn head(report: &Report) -> String {
    let about = &report.circumstances;
    let durability: Vec<String> = about
        .durability
        .iter()
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    format!(
        "cleeng-connector {} ({}), {}, gateway {} with latency {}, {} cores, ready after {:.0} ms\n{}",
        about.version,
        about.build,
        about.profile,
        about.gateway,
        about.gateway_latency,
        about.cores,
        about.start_up_seconds * 1000.0,
        durability.join("; "),
    )
}

fn groups(widths: &[usize]) -> String {
    let mut line = String::new();
    for (column, group) in GROUPS {
        let before = widths
            .iter()
            .take(column)
            .map(|width| width.saturating_add(2));
        let at = before.fold(0_usize, usize::saturating_add);
        let missing = at.saturating_sub(line.chars().count());
        line.push_str(&" ".repeat(missing));
        line.push_str(group);
    }
    line
}

fn align(row: &[String], widths: &[usize]) -> String {
    let cells = row
        .iter()
        .zip(widths)
        .enumerate()
        .map(|(column, (cell, width))| {
            if column == 0 {
                format!("{cell:<width$}")
            } else {
                format!("{cell:>width$}")
            }
        });
    cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

fn cells(row: &Row) -> Vec<String> {
    let none = || "-".to_owned();
    let refused = row
        .refused
        .values()
        .fold(0_u64, |sum, count| sum.saturating_add(*count));
    let mut cells = vec![
        row.charged_per_second
            .or(row.renewals_per_second)
            .map_or_else(
                || row.scenario.clone(),
                |rate| format!("{} {rate:.0}/s", row.scenario),
            ),
        row.offered_per_second
            .map_or_else(none, |rate| format!("{rate:.0}")),
        format!("{:.0}", row.accepted_per_second),
        refused.to_string(),
        format!("{:.0}", row.confirmed_per_second),
    ];
    for quantiles in [&row.accept_micros, &row.accepted_to_confirmed_micros] {
        cells.extend(latencies(quantiles.as_ref()));
    }
    let cpu = |party: Party| row.cpu_seconds_per_thousand.get(&party).copied();
    cells.extend([Party::Connector, Party::Broker, Party::Database].map(|party| spent(cpu(party))));
    let rest = match (cpu(Party::Simulator), cpu(Party::Load)) {
        (Some(Measure::Measured(simulator)), Some(Measure::Measured(load))) => {
            Some(Measure::Measured(simulator + load))
        }
        _ => None,
    };
    cells.push(spent(rest));
    cells.push(
        row.cpu_of_all()
            .map_or_else(|| "?".to_owned(), |all| format!("{all:.2}")),
    );
    cells.push(match row.peak_mib.get(&Party::Connector) {
        Some(Measure::Measured(mib)) => format!("{mib:.0}"),
        Some(Measure::InConnector | Measure::NotMeasured) | None => "?".to_owned(),
    });
    cells.push(
        row.share_of_floor
            .map_or_else(none, |share| format!("{:.1} %", share * 100.0)),
    );
    cells
}

fn latencies(quantiles: Option<&Quantiles>) -> [String; 3] {
    quantiles.map_or_else(
        || ["-", "-", "-"].map(str::to_owned),
        |found| {
            [found.p50, found.p99, found.p999]
                .map(|micros| format!("{:.1}", f64::from(micros) / 1000.0))
        },
    )
}

fn spent(measure: Option<Measure>) -> String {
    match measure {
        Some(Measure::Measured(seconds)) => format!("{seconds:.2}"),
        Some(Measure::InConnector) => "within".to_owned(),
        Some(Measure::NotMeasured) | None => "?".to_owned(),
    }
}

/// How payers fared while renewals went on.
fn beside_renewals(row: &Row) -> Option<String> {
    let (times, found) = row.times_idle.zip(row.due_to_confirmed_micros)?;
    let millis = |micros: u32| f64::from(micros) / 1000.0;
    Some(format!(
        "{}: a payment took {:.1} ms (p50) and {:.1} ms (p99) from when it was due to Cleeng, {:.2} and {:.2} times as long as idle.",
        row.scenario,
        millis(found.p50),
        millis(found.p99),
        times.p50,
        times.p99,
    ))
}

fn verdict(report: &Report) -> Vec<String> {
    let found = &report.verification;
    let ledger = found
        .delivered
        .map_or_else(|| "not read".to_owned(), |delivered| delivered.to_string());
    let mut lines = vec![
        "Connector: peak MiB is its own. rest: simulators and load generator. within: inside the connector. ?: not measured."
            .to_owned(),
        format!(
            "{} accepted, {} renewals, {} charges at the gateway, {} records at Cleeng, {ledger} delivered in the ledger; \
             {} refused, {} without an answer ({} of them charged and recorded).",
            found.accepted, found.renewals, found.taken, found.recorded, found.refused, found.lost, found.lost_and_found
        ),
    ];
    if report.is_sound() {
        lines.push("Verified: every accepted payment and every renewal is in both books once, with its amount, and nothing else is.".to_owned());
    } else {
        lines.push(format!(
            "NOT SOUND: {} violations, the first of them:",
            found.violations
        ));
        lines.extend(found.listed.iter().map(|text| format!("  {text}")));
    }
    lines
}
