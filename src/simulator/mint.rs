//! Ids and dice from one seeded source, so that a run can be repeated.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const ALPHABET: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The seeded source.
pub(crate) struct Mint(Mutex<StdRng>);

impl Mint {
    pub(crate) fn new(seed: u64) -> Self {
        Mint(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    /// A fresh id in the manner of gateways: `pi_` and 24 letters and digits.
    pub(crate) fn id(&self, prefix: &str) -> String {
        let mut dice = self.dice();
        let mut id = prefix.to_owned();
        for _ in 0..24 {
            let at = dice.random_range(0..ALPHABET.len());
            id.extend(ALPHABET.chars().nth(at));
        }
        id
    }

    /// A whole number in `from..to`.
    pub(crate) fn number(&self, from: u64, to: u64) -> u64 {
        self.dice().random_range(from..to)
    }

    /// True in `probability` of all cases; anything outside 0..=1 is the nearer of the two.
    pub(crate) fn chance(&self, probability: f64) -> bool {
        self.dice().random_bool(probability.clamp(0.0, 1.0))
    }

    /// A draw from the standard normal distribution (Box and Muller's way).
    pub(crate) fn normal(&self) -> f64 {
        let mut dice = self.dice();
        let radius: f64 = dice.random_range(f64::MIN_POSITIVE..1.0);
        let angle: f64 = dice.random_range(0.0..std::f64::consts::TAU);
        (-2.0 * radius.ln()).sqrt() * angle.cos()
    }

    fn dice(&self) -> MutexGuard<'_, StdRng> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
