//! What the last reconciliation found, as metrics. Its log lines are those of the process that made it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::metrics::Metrics;
use crate::domain::moment::Moment;
use crate::domain::reconcile::{Evidence, Kind};

impl Metrics {
    /// What the last reconciliation found, whichever process made it: by kind of disagreement, and by what Cleeng's reads
    /// could say. The labels are the ledger's, and only those that this build knows are taken.
    pub(crate) fn reconciled(
        &self,
        disagreements: &BTreeMap<String, u64>,
        evidence: &BTreeMap<String, u64>,
        took: Duration,
        ended: Moment,
    ) {
        let count = |of: &BTreeMap<String, u64>, label: &str| {
            let count = of.get(label).copied().unwrap_or(0);
            i64::try_from(count).unwrap_or(i64::MAX)
        };
        for kind in Kind::ALL {
            self.gauges
                .reconcile_disagreements
                .with_label_values(&[kind.label()])
                .set(count(disagreements, kind.label()));
        }
        for one in Evidence::ALL {
            self.gauges
                .reconcile_records
                .with_label_values(&[one.label()])
                .set(count(evidence, one.label()));
        }
        self.gauges
            .reconcile_last_run_timestamp_seconds
            .set(ended.unix_seconds());
        self.gauges
            .reconcile_last_run_seconds
            .set(took.as_secs_f64());
    }
}

#[cfg(test)]
impl Metrics {
    pub(super) fn reconciled_unused(&self) {
        let nothing = BTreeMap::new();
        self.reconciled(&nothing, &nothing, Duration::ZERO, Moment(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_shown_and_a_word_of_another_build_is_not() {
        let metrics = Metrics::new([]).unwrap();
        let disagreements = BTreeMap::from([
            ("unknown_charge".to_owned(), 2),
            ("of_another_build".to_owned(), 5),
        ]);
        let evidence = BTreeMap::from([("proved".to_owned(), 7)]);
        let took = Duration::from_millis(1500);
        metrics.reconciled(&disagreements, &evidence, took, Moment(9_000));
        let text = metrics.encode().unwrap();
        for line in [
            "connector_reconcile_disagreements{kind=\"unknown_charge\"} 2",
            "connector_reconcile_disagreements{kind=\"event_missed\"} 0",
            "connector_reconcile_records{evidence=\"proved\"} 7",
            "connector_reconcile_last_run_timestamp_seconds 9",
            "connector_reconcile_last_run_seconds 1.5",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert!(!text.contains("of_another_build"));
    }
}
