//! Texts into credentials. A key in the wrong place is recognised by its first letters, and never repeated.

use secrecy::SecretString;

use super::value::Wrong;

/// Keys whose value is never shown, by their last word or in full. A publishable key is none, but what stands in its place
/// by mistake may well be.
pub(super) const SECRET: [&str; 12] = [
    "publisher_token",
    "admin_token",
    "secret_key",
    "publishable_key",
    "webhook_secret",
    "api_key_hashes",
    "client_key",
    // A key by mistake.
    "broker.ca",
    "client_certificate",
    "broker.url",
    "ledger.url",
    "traces.headers",
];
/// How the kinds of Stripe's keys begin, and what each is called.
const KINDS: [(&str, &str); 4] = [
    ("sk_", "a secret key"),
    ("rk_", "a restricted key"),
    ("pk_", "a publishable key"),
    ("whsec_", "a webhook secret"),
];

const SHORTEST_ADMIN_TOKEN: usize = 16;

/// Whether a key's value is never shown.
pub(super) fn is_secret(key: &str) -> bool {
    let last = key.rsplit('.').next().unwrap_or(key);
    SECRET.contains(&key) || SECRET.contains(&last)
}

/// A token as it goes into a header: visible ASCII, at least one character.
pub(super) fn token(text: &str) -> Result<SecretString, Wrong> {
    visible(text)?;
    Ok(SecretString::from(text))
}

/// A gateway's secret key.
pub(super) fn secret_key(text: &str) -> Result<SecretString, Wrong> {
    not_of_kind(text, &["pk_", "whsec_"], "sk_… or rk_…")?;
    token(text)
}

/// The key that front ends are given: whoever puts a secret one here would publish it.
pub(super) fn publishable_key(text: &str) -> Result<String, Wrong> {
    not_of_kind(text, &["sk_", "rk_", "whsec_"], "pk_…")?;
    visible(text)?;
    Ok(text.to_owned())
}

/// One signing secret or several, separated by commas.
pub(super) fn webhook_secrets(text: &str) -> Result<Vec<SecretString>, Wrong> {
    text.split(',')
        .map(|one| {
            let one = one.trim();
            not_of_kind(one, &["sk_", "rk_", "pk_"], "whsec_…")?;
            token(one)
        })
        .collect()
}

/// One secret of Cleeng's webhooks or several, separated by commas; an empty text is none.
pub(super) fn cleeng_secrets(text: &str) -> Result<Vec<SecretString>, Wrong> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    text.split(',')
        .map(|one| {
            let one = one.trim();
            not_of_kind(
                one,
                &["sk_", "rk_", "pk_", "whsec_"],
                "the secret that Cleeng signs with",
            )?;
            token(one)
        })
        .collect()
}

/// What the console is opened with, or several separated by commas; an empty text is none. Short ones could be guessed.
pub(super) fn admin_tokens(text: &str) -> Result<Vec<SecretString>, Wrong> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let remedy =
        "choose one, such as `openssl rand -hex 32` prints; several are separated by commas";
    text.split(',')
        .map(|one| {
            let one = one.trim();
            visible(one)?;
            if one.len() < SHORTEST_ADMIN_TOKEN {
                let problem = format!("shorter than {SHORTEST_ADMIN_TOKEN} characters");
                return Err(Wrong::new(problem, remedy));
            }
            Ok(SecretString::from(one))
        })
        .collect()
}

/// SHA-256 hashes in hexadecimal digits, separated by commas or, in a file, one a line; an empty text is none. What follows a `#`
/// in a line is a note.
pub(super) fn hashes(text: &str) -> Result<Vec<[u8; 32]>, Wrong> {
    let lines = text
        .lines()
        .map(|line| line.split_once('#').map_or(line, |(before, _)| before))
        .filter(|line| !line.trim().is_empty());
    lines
        .flat_map(|line| line.split(','))
        .enumerate()
        .map(|(place, one)| {
            let mut hash = [0; 32];
            hex::decode_to_slice(one.trim(), &mut hash).map_err(|_| {
                Wrong::new(
                    format!("number {} is not a SHA-256", place.saturating_add(1)),
                    "write 64 hexadecimal digits for each key: printf %s \"$KEY\" | sha256sum",
                )
            })?;
            Ok(hash)
        })
        .collect()
}

/// Whether a key of Stripe's moves real money; unknown for a key of another shape.
pub(super) fn is_live(key: &str) -> Option<bool> {
    let (_, rest) = key.split_once('_')?;
    match rest.split_once('_')?.0 {
        "live" => Some(true),
        "test" => Some(false),
        _ => None,
    }
}

fn visible(text: &str) -> Result<(), Wrong> {
    let problem = if text.is_empty() {
        "empty"
    } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        "a space, a line break or a character that is not ASCII is in it"
    } else {
        return Ok(());
    };
    Err(Wrong::new(
        problem,
        "copy it again, in full and without quotes around it",
    ))
}

fn not_of_kind(text: &str, wrong: &[&str], right: &str) -> Result<(), Wrong> {
    let found = KINDS
        .iter()
        .find(|(start, _)| wrong.contains(start) && text.starts_with(start));
    found.map_or(Ok(()), |(start, name)| {
        Err(Wrong::new(
            format!("{name} ({start}…) in the wrong place"),
            format!("give the one that reads {right}"),
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_the_wrong_place_is_recognised() {
        assert!(
            secret_key("sk_test_1").is_ok()
                && secret_key("rk_live_1").is_ok()
                && secret_key("other").is_ok()
        );
        assert!(secret_key("pk_test_1").is_err() && secret_key("whsec_1").is_err());
        assert!(publishable_key("pk_test_1").is_ok());
        assert!(publishable_key("sk_test_1").is_err() && publishable_key("rk_test_1").is_err());
        assert!(webhook_secrets("whsec_1").is_ok() && webhook_secrets("sk_test_1").is_err());
    }

    #[test]
    fn a_token_is_visible_ascii() {
        assert!(token("abc-123").is_ok());
        for bad in ["", " ", "a b", "a\nb", "a\n", "é"] {
            assert!(token(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn several_webhook_secrets_are_separated_by_commas() {
        assert_eq!(webhook_secrets("whsec_1, whsec_2").unwrap().len(), 2);
        for bad in ["", "whsec_1,", ",whsec_1", "whsec_1 whsec_2"] {
            assert!(webhook_secrets(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn without_a_secret_of_cleengs_there_is_none_and_half_a_list_is_a_fault() {
        let count = |text: &str| cleeng_secrets(text).map(|secrets| secrets.len()).ok();
        for (text, secrets) in [
            ("", Some(0)),
            ("old", Some(1)),
            ("old, new", Some(2)),
            ("old,", None),
            (",", None),
            (" ", None),
            ("whsec_1", None),
        ] {
            assert_eq!(count(text), secrets, "{text:?}");
        }
    }

    #[test]
    fn an_admin_token_is_none_or_long_enough() {
        let count = |text: &str| admin_tokens(text).map(|tokens| tokens.len()).ok();
        for (text, tokens) in [
            ("", Some(0)),
            ("0123456789abcdef", Some(1)),
            ("0123456789abcdef, fedcba9876543210", Some(2)),
            ("0123456789abcde", None),
            ("0123456789abcdef,", None),
            ("0123456789abcdef,short", None),
            ("0123456789 abcdef", None),
        ] {
            assert_eq!(count(text), tokens, "{text:?}");
        }
    }

    #[test]
    fn a_hash_has_64_hexadecimal_digits() {
        let one = "ab".repeat(32);
        assert_eq!(hashes(&one).unwrap(), [[0xab; 32]]);
        assert_eq!(hashes(&format!("{one}, {one}")).unwrap().len(), 2);
        assert!(hashes("").unwrap().is_empty() && hashes("\n # none\n").unwrap().is_empty());
        let lines = format!("# the shop\n{one} # until July\n\n  {one},{one}\r\n");
        assert_eq!(hashes(&lines).unwrap().len(), 3);
        for bad in ["ab", "zz", &format!("{one},"), &format!("{one}00")] {
            assert!(hashes(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_live_key_is_told_from_a_test_key() {
        assert_eq!(is_live("sk_live_1"), Some(true));
        assert_eq!(is_live("pk_test_1"), Some(false));
        assert_eq!(is_live("whatever"), None);
    }
}
