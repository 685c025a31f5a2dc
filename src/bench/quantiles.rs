//! Percentiles of exact samples, by nearest rank: each is a value that was measured.

use serde::Serialize;

/// The percentiles that are told, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Quantiles {
    pub(crate) samples: usize,
    pub(crate) p50: u32,
    pub(crate) p99: u32,
    pub(crate) p999: u32,
    pub(crate) max: u32,
}

impl Quantiles {
    /// Nothing when there are no samples.
    pub(crate) fn of(mut samples: Vec<u32>) -> Option<Quantiles> {
        samples.sort_unstable();
        Some(Quantiles {
            samples: samples.len(),
            p50: nearest_rank(&samples, 500)?,
            p99: nearest_rank(&samples, 990)?,
            p999: nearest_rank(&samples, 999)?,
            max: *samples.last()?,
        })
    }
}

/// The smallest sample that `per_mille` of all are not above; `sorted` is in rising order.
fn nearest_rank(sorted: &[u32], per_mille: usize) -> Option<u32> {
    let rank = sorted.len().saturating_mul(per_mille).div_ceil(1000);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples_of_the_nearest_rank() {
        let thousand: Vec<u32> = (1..=1000).rev().collect();
        let found = Quantiles::of(thousand).unwrap();
        assert_eq!(
            (found.p50, found.p99, found.p999, found.max),
            (500, 990, 999, 1000)
        );
        let five = Quantiles::of(vec![50, 10, 40, 20, 30]).unwrap();
        assert_eq!((five.p50, five.p99, five.p999), (30, 50, 50));
        let one = Quantiles::of(vec![7]).unwrap();
        assert_eq!((one.p50, one.p99, one.p999, one.samples), (7, 7, 7, 1));
        assert_eq!(Quantiles::of(Vec::new()), None);
    }
}
