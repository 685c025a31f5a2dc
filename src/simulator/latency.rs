//! How long a gateway takes over a call: log-normal, as payment gateways are, given by its middle and its tail.

use std::str::FromStr;
use std::time::Duration;

use crate::config::span;

/// The standard normal distribution's 99th percentile.
const Z_99: f64 = 2.326_347_874;

/// A log-normal latency; the default is none at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Latency {
    p50: Duration,
    p99: Duration,
}

impl Latency {
    /// The latency at a point of the standard normal distribution.
    pub(crate) fn at(self, normal: f64) -> Duration {
        let (middle, tail) = (self.p50.as_secs_f64(), self.p99.as_secs_f64());
        if middle <= 0.0 {
            return Duration::ZERO;
        }
        let sigma = (tail / middle).ln() / Z_99;
        Duration::try_from_secs_f64(middle * (sigma * normal).exp()).unwrap_or(self.p99)
    }
}

impl FromStr for Latency {
    type Err = String;

    /// `none`, or the median and the 99th percentile: `120ms/380ms`.
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Latency {
                p50: Duration::ZERO,
                p99: Duration::ZERO,
            });
        }
        let (p50, p99) = text
            .split_once('/')
            .ok_or("write none, or the median and the 99th percentile, such as 120ms/380ms")?;
        let (p50, p99) = (span(p50)?, span(p99)?);
        if p50.is_zero() || p99 < p50 {
            return Err("the 99th percentile lies above the median, and both above 0".to_owned());
        }
        Ok(Latency { p50, p99 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_percentiles_are_where_they_were_asked_for() {
        let latency: Latency = "120ms/380ms".parse().unwrap();
        let millis = |normal| latency.at(normal).as_millis();
        assert_eq!((millis(0.0), millis(Z_99 + 1e-9)), (120, 380));
        assert!(millis(-2.0) < 60);
        let none: Latency = "none".parse().unwrap();
        assert_eq!(none.at(3.0), Duration::ZERO);
    }

    #[test]
    fn a_latency_that_makes_no_sense_is_refused() {
        for text in ["", "120ms", "0ms/1s", "380ms/120ms", "a/b"] {
            assert!(text.parse::<Latency>().is_err(), "{text}");
        }
    }
}
