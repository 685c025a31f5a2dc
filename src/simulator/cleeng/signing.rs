//! The keys that the simulated Cleeng signs customers' tokens with. Made when first asked for: it takes a moment.

use num_bigint::BigUint;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use ring::rsa::{KeyPairComponents, PublicKeyComponents};
use ring::signature::{RsaEncoding, RsaKeyPair};

/// Of each of the two primes.
const PRIME_BYTES: usize = 128;
const EXPONENT: u32 = 65_537;
/// A candidate is divided by the primes below this before it is tested.
const SIEVE: u32 = 4_000;
/// Rounds of Miller and Rabin: for a number that nobody chose to deceive us, more than enough.
const ROUNDS: usize = 8;

/// One key pair and its name.
pub(crate) struct SigningKey {
    pub(crate) kid: String,
    pub(crate) modulus: Vec<u8>,
    pair: RsaKeyPair,
}

/// Those of one Cleeng: what it signs with, and what it publishes.
#[derive(Default)]
pub(crate) struct Keys {
    made: u64,
    /// The last one signs.
    published: Vec<SigningKey>,
}

impl Keys {
    /// The key that signs; made now, when there is none.
    pub(crate) fn current(&mut self, seed: u64) -> Option<&SigningKey> {
        if self.published.is_empty() {
            self.add(seed);
        }
        self.published.last()
    }

    /// All that are published.
    pub(crate) fn published(&mut self, seed: u64) -> &[SigningKey] {
        self.current(seed);
        &self.published
    }

    /// From now on another one signs. The old ones stay published only if they are kept.
    pub(crate) fn rotate(&mut self, seed: u64, keep: bool) {
        self.current(seed);
        if !keep {
            self.published.clear();
        }
        self.add(seed);
    }

    fn add(&mut self, seed: u64) {
        self.made = self.made.saturating_add(1);
        let dice = StdRng::seed_from_u64(seed.rotate_left(32) ^ self.made);
        self.published
            .extend(SigningKey::make(format!("key-{}", self.made), dice));
    }
}

impl SigningKey {
    /// Nothing only if ring found fault with the numbers; the tests show that it does not.
    fn make(kid: String, mut dice: StdRng) -> Option<SigningKey> {
        loop {
            let (one, other) = (prime(&mut dice), prime(&mut dice));
            let (p, q) = (one.clone().max(other.clone()), one.min(other));
            if let Some(pair) = pair(&p, &q) {
                return Some(SigningKey {
                    kid,
                    modulus: (p * q).to_bytes_be(),
                    pair,
                });
            }
        }
    }

    /// Empty only when ring cannot get at any randomness.
    pub(crate) fn sign(&self, how: &'static dyn RsaEncoding, text: &str) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        let random = ring::rand::SystemRandom::new();
        match self
            .pair
            .sign(how, &random, text.as_bytes(), &mut signature)
        {
            Ok(()) => signature,
            Err(_) => Vec::new(),
        }
    }

    /// What everybody may know, in the form that a careless verifier takes for a secret.
    pub(crate) fn public_der(&self) -> &[u8] {
        self.pair.public().as_ref()
    }
}

fn pair(p: &BigUint, q: &BigUint) -> Option<RsaKeyPair> {
    let one = BigUint::from(1_u32);
    let e = BigUint::from(EXPONENT);
    let (p_less, q_less) = (p - &one, q - &one);
    let d = e.modinv(&(&p_less * &q_less))?;
    let components = KeyPairComponents {
        public_key: PublicKeyComponents {
            n: (p * q).to_bytes_be(),
            e: e.to_bytes_be(),
        },
        d: d.to_bytes_be(),
        p: p.to_bytes_be(),
        q: q.to_bytes_be(),
        dP: (&d % p_less).to_bytes_be(),
        dQ: (&d % q_less).to_bytes_be(),
        qInv: q.modinv(p)?.to_bytes_be(),
    };
    RsaKeyPair::from_components(&components).ok()
}

/// A prime of 1024 bits whose two highest bits are set: the product of two has 2048.
fn prime(dice: &mut StdRng) -> BigUint {
    let small: Vec<u32> = (3..SIEVE)
        .step_by(2)
        .filter(|n| is_small_prime(*n))
        .collect();
    let mut candidate = odd(dice);
    loop {
        let divisible = small
            .iter()
            .any(|prime| &candidate % *prime == BigUint::ZERO);
        if !divisible && is_prime(&candidate, dice) {
            return candidate;
        }
        candidate += 2_u32;
    }
}

fn odd(dice: &mut StdRng) -> BigUint {
    let mut bytes = [0_u8; PRIME_BYTES];
    dice.fill(&mut bytes);
    let mut number = BigUint::from_bytes_be(&bytes);
    for bit in [0, 1022, 1023] {
        number.set_bit(bit, true);
    }
    number
}

fn is_small_prime(number: u32) -> bool {
    (2..)
        .take_while(|divisor| divisor * divisor <= number)
        .all(|divisor| !number.is_multiple_of(divisor))
}

/// Miller and Rabin's test.
fn is_prime(number: &BigUint, dice: &mut StdRng) -> bool {
    let one = BigUint::from(1_u32);
    let last = number - &one;
    let twos = last.trailing_zeros().unwrap_or(0);
    let odd_part = &last >> twos;
    (0..ROUNDS).all(|_| {
        let base = BigUint::from(dice.random_range(2_u64..u64::MAX));
        let mut power = base.modpow(&odd_part, number);
        if power == one || power == last {
            return true;
        }
        (1..twos).any(|_| {
            power = &power * &power % number;
            power == last
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaPublicKeyComponents};

    #[test]
    fn a_key_signs_what_its_public_half_verifies_and_rotates_out() {
        let mut keys = Keys::default();
        let first = keys.current(7).unwrap();
        assert_eq!(first.modulus.len(), 256);
        let signature = first.sign(&RSA_PKCS1_SHA256, "text");
        let modulus = first.modulus.clone();
        let verifies = |text: &str| {
            let e = vec![1, 0, 1];
            let key = RsaPublicKeyComponents { n: &modulus, e: &e };
            key.verify(&RSA_PKCS1_2048_8192_SHA256, text.as_bytes(), &signature)
                .is_ok()
        };
        assert!(verifies("text") && !verifies("texts"));
        keys.rotate(7, true);
        let kids: Vec<&str> = keys
            .published(7)
            .iter()
            .map(|key| key.kid.as_str())
            .collect();
        assert_eq!(kids, ["key-1", "key-2"]);
        assert_ne!(keys.published[0].modulus, keys.published[1].modulus);
    }
}
