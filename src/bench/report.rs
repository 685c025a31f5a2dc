//! What a run says at its end, as values: one row for each scenario, and everything needed to repeat it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::quantiles::Quantiles;
use super::tally::{Counts, Window};
use super::usage::{Measure, Party, float};
use super::verify::Verification;

/// One scenario.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    pub(crate) scenario: String,
    /// Payments a second, where a rate was kept.
    pub(crate) offered_per_second: Option<f64>,
    pub(crate) seconds: f64,
    pub(crate) sent: u64,
    pub(crate) accepted: u64,
    /// By status.
    pub(crate) refused: BTreeMap<u16, u64>,
    pub(crate) lost: u64,
    pub(crate) confirmed: u64,
    pub(crate) accepted_per_second: f64,
    pub(crate) confirmed_per_second: f64,
    /// At the gateway, where a scenario is about that alone.
    pub(crate) charged_per_second: Option<f64>,
    /// Recorded at Cleeng, where a batch of them goes on beside the payments.
    pub(crate) renewals_per_second: Option<f64>,
    /// How much longer than idle a payment took meanwhile, from when it was due to Cleeng.
    pub(crate) times_idle: Option<TimesIdle>,
    /// Microseconds, from when a payment was due to its 202.
    pub(crate) accept_micros: Option<Quantiles>,
    pub(crate) accepted_to_confirmed_micros: Option<Quantiles>,
    pub(crate) due_to_confirmed_micros: Option<Quantiles>,
    pub(crate) cpu_seconds_per_thousand: BTreeMap<Party, Measure>,
    pub(crate) peak_mib: BTreeMap<Party, Measure>,
    /// Confirmed a second, as a share of the floor's.
    pub(crate) share_of_floor: Option<f64>,
    /// Everything accepted was confirmed in the end.
    pub(crate) drained: bool,
}

/// Latencies as multiples of those of an idle connector.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TimesIdle {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// What surrounds the numbers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Circumstances {
    pub(crate) version: &'static str,
    pub(crate) build: &'static str,
    pub(crate) profile: &'static str,
    pub(crate) gateway: &'static str,
    pub(crate) gateway_latency: String,
    pub(crate) cores: usize,
    pub(crate) memory_mib: Option<u64>,
    pub(crate) processor: Option<String>,
    pub(crate) durability: BTreeMap<&'static str, String>,
    pub(crate) warm_up_seconds: f64,
    pub(crate) seconds: f64,
    pub(crate) submitters: usize,
    /// Accepted and not yet confirmed, at most, in the closed model.
    pub(crate) in_flight: usize,
    pub(crate) start_up_seconds: f64,
}

/// The whole report.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    pub(crate) circumstances: Circumstances,
    pub(crate) scenarios: Vec<Row>,
    pub(crate) verification: Verification,
}

impl Row {
    pub(crate) fn new(
        scenario: String,
        offered: Option<f64>,
        window: Window,
        counts: Counts,
    ) -> Row {
        let seconds = window.seconds();
        let rate = |count: u64| {
            if seconds > 0.0 {
                float(count) / seconds
            } else {
                0.0
            }
        };
        Row {
            scenario,
            offered_per_second: offered,
            seconds,
            sent: counts.sent,
            accepted: counts.accepted,
            refused: counts.refused,
            lost: counts.lost,
            confirmed: counts.confirmed,
            accepted_per_second: rate(counts.accepted),
            confirmed_per_second: rate(counts.confirmed),
            charged_per_second: None,
            renewals_per_second: None,
            times_idle: None,
            accept_micros: Quantiles::of(counts.accept),
            accepted_to_confirmed_micros: Quantiles::of(counts.accepted_to_confirmed),
            due_to_confirmed_micros: Quantiles::of(counts.due_to_confirmed),
            cpu_seconds_per_thousand: BTreeMap::new(),
            peak_mib: BTreeMap::new(),
            share_of_floor: None,
            drained: true,
        }
    }

    /// Compares with the row of an idle connector; nothing when either has no payment.
    pub(crate) fn compare(&mut self, idle: &Row) {
        let pair = self
            .due_to_confirmed_micros
            .zip(idle.due_to_confirmed_micros);
        let times = |now: u32, idle: u32| f64::from(now) / f64::from(idle.max(1));
        self.times_idle = pair.map(|(now, idle)| TimesIdle {
            p50: times(now.p50, idle.p50),
            p99: times(now.p99, idle.p99),
        });
    }

    /// All parties together; nothing when one of them could not be measured.
    pub(crate) fn cpu_of_all(&self) -> Option<f64> {
        self.cpu_seconds_per_thousand
            .values()
            .try_fold(0.0, |sum, measure| match measure {
                Measure::Measured(seconds) => Some(sum + seconds),
                Measure::InConnector => Some(sum),
                Measure::NotMeasured => None,
            })
    }
}

impl Report {
    /// Fills in the shares, from the floor of this run.
    pub(crate) fn set_shares(&mut self) {
        let floor = self.scenarios.iter().find(|row| row.scenario == "floor");
        let Some(floor) = floor
            .map(|row| row.confirmed_per_second)
            .filter(|rate| *rate > 0.0)
        else {
            return;
        };
        for row in &mut self.scenarios {
            row.share_of_floor = Some(row.confirmed_per_second / floor);
        }
    }

    /// Nothing was lost, doubled or left over.
    pub(crate) fn is_sound(&self) -> bool {
        self.verification.violations == 0
    }
}
