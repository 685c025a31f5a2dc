//! Webhook signatures of the form `t=<unix>,v1=<hex HMAC-SHA256 of "t.body">`, as Stripe and the simulated gateway send them.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use super::BadEvent;
use crate::domain::moment::Moment;

/// Further off than this, in either direction, a delivery may be a replay.
const TOLERANCE: Duration = Duration::from_secs(300);

/// Accepts `body` when any `v1` of `header` was made with any of `secrets`, near `now`.
///
/// Other schemes in the header (`v0`) are not looked at: they would be a way down to something weaker.
///
/// # Errors
/// `NoSignature`, `WrongSignature` or `OutOfTime`; without a secret nothing is ever accepted.
pub(super) fn check(
    header: Option<&str>,
    body: &[u8],
    secrets: &[SecretString],
    now: Moment,
) -> Result<(), BadEvent> {
    let (stamp, offered) = parts(header.ok_or(BadEvent::NoSignature)?)?;
    let seconds: i64 = stamp.parse().map_err(|_| BadEvent::NoSignature)?;
    let matches = secrets.iter().any(|secret| {
        offered
            .iter()
            .any(|tag| is_signed(secret.expose_secret(), stamp, body, tag))
    });
    if !matches {
        return Err(BadEvent::WrongSignature);
    }
    if seconds.abs_diff(now.unix_seconds()) > TOLERANCE.as_secs() {
        return Err(BadEvent::OutOfTime);
    }
    Ok(())
}

/// The time stamp as it is written, and every `v1`, decoded.
fn parts(header: &str) -> Result<(&str, Vec<Vec<u8>>), BadEvent> {
    let mut stamp = None;
    let mut offered = Vec::new();
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", text)) => stamp = stamp.or(Some(text)),
            Some(("v1", text)) => offered.extend(hex::decode(text).ok()),
            _ => {}
        }
    }
    match stamp {
        Some(stamp) if !offered.is_empty() => Ok((stamp, offered)),
        _ => Err(BadEvent::NoSignature),
    }
}

/// Compares in constant time.
fn is_signed(secret: &str, stamp: &str, body: &[u8], tag: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return false;
    };
    mac.update(stamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.verify_slice(tag).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_test_webhook","object":"event"}"#;
    const V1: &str = "d95c6b7477fbd7e9f90b1b0ef5f9c7ac25abca5382460e0d988c2b2a5b71b990";
    const AT: i64 = 1_700_000_000;

    fn verdict(header: &str, secrets: &[&str], at: i64) -> Result<(), BadEvent> {
        let secrets: Vec<SecretString> = secrets.iter().map(|s| (*s).into()).collect();
        let now = Moment::from_unix_seconds(at);
        check(Some(header), BODY, &secrets, now)
    }

    #[test]
    fn the_known_vector_is_accepted_whatever_stands_beside_it() {
        let other = "0".repeat(64);
        let secret = "whsec_test_secret";
        for (header, secrets) in [
            (format!("t={AT},v1={V1}"), vec![secret]),
            (format!("t={AT},v1={V1},v0=ignored"), vec![secret]),
            (format!("t={AT},v1={other},v1={V1}"), vec![secret]),
            (format!("t={AT}, v1={V1}"), vec!["whsec_old", secret]),
        ] {
            assert_eq!(verdict(&header, &secrets, AT), Ok(()), "{header}");
        }
    }

    #[test]
    fn what_is_not_signed_with_our_secret_is_refused() {
        let secret = ["whsec_test_secret"];
        let good = format!("t={AT},v1={V1}");
        for (header, secrets, why) in [
            (
                format!("t={AT},v1={}", "0".repeat(64)),
                &secret[..],
                BadEvent::WrongSignature,
            ),
            (
                format!("t={AT},v1=d9"),
                &secret[..],
                BadEvent::WrongSignature,
            ),
            (
                format!("t={},v1={V1}", AT + 1),
                &secret[..],
                BadEvent::WrongSignature,
            ),
            (good.clone(), &["whsec_other"][..], BadEvent::WrongSignature),
            (good.clone(), &[][..], BadEvent::WrongSignature),
            (
                format!("t={AT},v0={V1}"),
                &secret[..],
                BadEvent::NoSignature,
            ),
            (format!("v1={V1}"), &secret[..], BadEvent::NoSignature),
            (format!("t=now,v1={V1}"), &secret[..], BadEvent::NoSignature),
            (format!("t={AT},v1=zz"), &secret[..], BadEvent::NoSignature),
            (String::new(), &secret[..], BadEvent::NoSignature),
        ] {
            assert_eq!(verdict(&header, secrets, AT), Err(why), "{header}");
        }
        assert_eq!(
            check(
                None,
                BODY,
                &[secret[0].into()],
                Moment::from_unix_seconds(AT)
            ),
            Err(BadEvent::NoSignature)
        );
    }

    #[test]
    fn a_signature_is_good_for_300_seconds_in_both_directions() {
        let header = format!("t={AT},v1={V1}");
        let secret = ["whsec_test_secret"];
        for (at, verdict_) in [
            (AT + 300, Ok(())),
            (AT - 300, Ok(())),
            (AT + 301, Err(BadEvent::OutOfTime)),
            (AT - 301, Err(BadEvent::OutOfTime)),
        ] {
            assert_eq!(verdict(&header, &secret, at), verdict_, "{at}");
        }
    }
}
