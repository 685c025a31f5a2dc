//! Every metric of the process, in a registry of its own. What counts them is in `happenings`.

use prometheus::{Registry, TextEncoder};

use super::families::{Counters, Gauges, Times};
use super::labels::{
    CallerRefusal, CleengCall, DemandKind, DemandResult, JwksFetch, Refusal, Reported, Route,
    SpanResult, StatusClass, WebhookResult,
};
use super::register::Register;
use crate::domain::confirmation::Report;
use crate::domain::dead::DeadReason;
use crate::domain::ids::GatewayName;

/// The metrics; one for the process, handed to the rooms behind an `Arc`.
pub(crate) struct Metrics {
    registry: Registry,
    pub(super) counters: Counters,
    pub(super) times: Times,
    pub(super) gauges: Gauges,
}

impl Metrics {
    /// Makes and registers all of them. Those that alerts watch begin at zero for each gateway: a first failure is a rise then.
    ///
    /// # Errors
    /// Only when two metrics have one name, which the tests exclude.
    pub(crate) fn new<'a>(
        gateways: impl IntoIterator<Item = &'a GatewayName>,
    ) -> prometheus::Result<Metrics> {
        let registry = Registry::new();
        process_metrics(&registry)?;
        let r = Register(&registry);
        build_info(&r)?;
        let metrics = Metrics {
            counters: Counters::new(&r)?,
            times: Times::new(&r)?,
            gauges: Gauges::new(&r)?,
            registry,
        };
        metrics.begin_at_zero(gateways);
        Ok(metrics)
    }

    /// The text that Prometheus reads.
    ///
    /// # Errors
    /// Only when a collector gives what cannot be written.
    pub(crate) fn encode(&self) -> prometheus::Result<String> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }

    fn begin_at_zero<'a>(&self, gateways: impl IntoIterator<Item = &'a GatewayName>) {
        for gateway in gateways {
            let name = gateway.as_str();
            self.moves_begin_at_zero(name);
            self.counters.accepted.with_label_values(&[name]);
            for result in WebhookResult::ALL {
                self.counters
                    .webhooks
                    .with_label_values(&[name, result.label()]);
            }
            for failed in ["not_done", "unknown", "refused", "broken"] {
                self.counters.outcomes.with_label_values(&[name, failed]);
            }
        }
        for kind in DemandKind::ALL {
            for result in DemandResult::ALL {
                self.counters
                    .demands
                    .with_label_values(&[kind.label(), result.label()]);
            }
        }
        for result in SpanResult::ALL {
            self.counters.spans.with_label_values(&[result.label()]);
        }
        for reason in Refusal::ALL {
            self.counters.refused.with_label_values(&[reason.label()]);
        }
        for reason in CallerRefusal::ALL {
            let labels = [reason.label()];
            self.counters.callers_refused.with_label_values(&labels);
        }
        for result in JwksFetch::ALL {
            let labels = [result.label()];
            self.counters.jwks_fetches.with_label_values(&labels);
        }
        for route in Route::ALL {
            for class in StatusClass::ALL {
                self.times
                    .http_seconds
                    .with_label_values(&[route.label(), class.label()]);
            }
        }
        for call in CleengCall::ALL {
            self.times.cleeng_seconds.with_label_values(&[call.label()]);
        }
        for result in Reported::ALL {
            self.times
                .confirmation_age_seconds
                .with_label_values(&[result.label()]);
        }
        for report in Report::ALL {
            for result in Reported::ALL {
                self.counters
                    .confirmations
                    .with_label_values(&[report.label(), result.label()]);
            }
        }
        for kind in ["checkout", "billing", "gateway_events", "confirmations"] {
            self.counters.retries.with_label_values(&[kind]);
            self.times.waited_seconds.with_label_values(&[kind]);
            for reason in DeadReason::ALL {
                self.counters
                    .dead_letters
                    .with_label_values(&[kind, reason.label()]);
            }
        }
    }
}

fn build_info(register: &Register<'_>) -> prometheus::Result<()> {
    register
        .gauges(
            "build_info",
            &["version"],
            "Always 1; the label is the version that runs",
        )?
        .with_label_values(&[env!("CARGO_PKG_VERSION")])
        .set(1);
    Ok(())
}

/// Memory, processor time and open files, as dashboards know them (`process_…`).
#[cfg(target_os = "linux")]
fn process_metrics(registry: &Registry) -> prometheus::Result<()> {
    use prometheus::process_collector::ProcessCollector;
    registry.register(Box::new(ProcessCollector::for_self()))
}

#[cfg(not(target_os = "linux"))]
fn process_metrics(_: &Registry) -> prometheus::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    mod named;

    use prometheus::proto::MetricType;

    use super::*;

    /// Metrics of which each has counted something.
    fn every_family() -> Metrics {
        let gateway: GatewayName = "stripe".parse().unwrap();
        let metrics = Metrics::new([&gateway]).unwrap();
        crate::telemetry::happenings::touch_all(&metrics, &gateway);
        crate::telemetry::callers::touch_all(&metrics);
        metrics
    }

    #[test]
    fn every_metric_keeps_the_naming_conventions() {
        let metrics = every_family();
        let families = metrics.registry.gather();
        let ours: Vec<_> = families
            .iter()
            .filter(|family| family.name().starts_with("connector_"))
            .collect();
        for family in &families {
            let name = family.name();
            assert!(
                name.starts_with("connector_") || name.starts_with("process_"),
                "{name}"
            );
            assert!(!family.help().is_empty(), "{name}");
        }
        for family in &ours {
            let name = family.name();
            let counter = family.get_field_type() == MetricType::COUNTER;
            assert_eq!(counter, name.ends_with("_total"), "{name}");
            let histogram = family.get_field_type() == MetricType::HISTOGRAM;
            assert!(!histogram || name.ends_with("_seconds"), "{name}");
        }
        // All fields of the families, and build_info.
        assert_eq!(ours.len(), 38, "a metric is made and never counted");
    }

    #[test]
    fn failures_begin_at_zero_so_that_the_first_is_a_rise() {
        let text = Metrics::new([&"stripe".parse().unwrap()])
            .unwrap()
            .encode()
            .unwrap();
        for line in [
            "connector_outcomes_total{gateway=\"stripe\",outcome=\"unknown\"} 0",
            "connector_dead_letters_total{queue_kind=\"confirmations\",reason=\"too_old\"} 0",
            concat!(
                "connector_build_info{version=\"",
                env!("CARGO_PKG_VERSION"),
                "\"} 1"
            ),
        ] {
            assert!(text.contains(line), "{line}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_process_shows_its_memory() {
        let text = Metrics::new([]).unwrap().encode().unwrap();
        assert!(text.contains("process_resident_memory_bytes "));
    }
}
