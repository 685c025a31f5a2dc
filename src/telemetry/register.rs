//! Makes metrics under one prefix in one registry, so that none is made and forgotten.

use prometheus::{
    Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, Result,
};

const PREFIX: &str = "connector";

/// Every fn makes a metric, registers it, and fails only on a name that is taken or misspelt.
pub(super) struct Register<'a>(pub(super) &'a Registry);

impl Register<'_> {
    pub(super) fn counter(&self, name: &str, help: &str) -> Result<IntCounter> {
        let made = IntCounter::with_opts(opts(name, help))?;
        self.0.register(Box::new(made.clone()))?;
        Ok(made)
    }

    pub(super) fn counters(
        &self,
        name: &str,
        labels: &[&str],
        help: &str,
    ) -> Result<IntCounterVec> {
        let made = IntCounterVec::new(opts(name, help), labels)?;
        self.0.register(Box::new(made.clone()))?;
        Ok(made)
    }

    pub(super) fn gauge(&self, name: &str, help: &str) -> Result<IntGauge> {
        let made = IntGauge::with_opts(opts(name, help))?;
        self.0.register(Box::new(made.clone()))?;
        Ok(made)
    }

    pub(super) fn fraction(&self, name: &str, help: &str) -> Result<Gauge> {
        let made = Gauge::with_opts(opts(name, help))?;
        self.0.register(Box::new(made.clone()))?;
        Ok(made)
    }

    pub(super) fn gauges(&self, name: &str, labels: &[&str], help: &str) -> Result<IntGaugeVec> {
        let made = IntGaugeVec::new(opts(name, help), labels)?;
        self.0.register(Box::new(made.clone()))?;
        Ok(made)
    }

    pub(super) fn histogram(&self, name: &str, buckets: &[f64], help: &str) -> Result<Histogram> {
        let made = Histogram::with_opts(histogram_opts(name, buckets, help))?;
        self.0.register(Box::new(made.clone()))?;
        Ok(made)
    }

    pub(super) fn histograms(
        &self,
        name: &str,
        labels: &[&str],
        buckets: &[f64],
        help: &str,
    ) -> Result<HistogramVec> {
        let made = HistogramVec::new(histogram_opts(name, buckets, help), labels)?;
        self.0.register(Box::new(made.clone()))?;
        Ok(made)
    }
}

fn opts(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace(PREFIX)
}

fn histogram_opts(name: &str, buckets: &[f64], help: &str) -> HistogramOpts {
    HistogramOpts::new(name, help)
        .namespace(PREFIX)
        .buckets(buckets.to_vec())
}
