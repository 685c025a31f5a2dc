//! The id of one request: the caller's own where it can be used, else a new one.

use axum::http::{HeaderMap, HeaderValue};
use uuid::Uuid;

use super::X_REQUEST_ID;

const LONGEST: usize = 128;

/// 1 to 128 of a-z, A-Z, 0-9 and `._:/+=-`: what tracing systems use. There is no `@`, so it is no e-mail address, and nothing that
/// could break a line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RequestId(String);

impl RequestId {
    pub(super) fn of(headers: &HeaderMap) -> RequestId {
        let given = headers.get(&X_REQUEST_ID);
        let usable = given.and_then(|value| value.to_str().ok()).and_then(read);
        usable.unwrap_or_else(|| RequestId(Uuid::now_v7().to_string()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

fn read(text: &str) -> Option<RequestId> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/+=-".contains(&byte);
    let fits = (1..=LONGEST).contains(&text.len()) && text.bytes().all(is_plain);
    fits.then(|| RequestId(text.to_owned()))
}

impl From<RequestId> for HeaderValue {
    fn from(id: RequestId) -> HeaderValue {
        // Only such letters are in it that a header may have.
        HeaderValue::try_from(id.0).unwrap_or(HeaderValue::from_static("unknown"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(value: &[u8]) -> RequestId {
        let mut headers = HeaderMap::new();
        headers.insert(
            X_REQUEST_ID.clone(),
            HeaderValue::from_bytes(value).unwrap(),
        );
        RequestId::of(&headers)
    }

    #[test]
    fn a_usable_id_is_the_callers_own() {
        let long = "x".repeat(128);
        for id in [
            "1",
            "01a20f7b-7904-721e-8800-5516d302ff70",
            "Root=1-67891233-abc/def:9",
            &long,
        ] {
            assert_eq!(of(id.as_bytes()).as_str(), id);
        }
    }

    #[test]
    fn instead_of_any_other_one_is_made() {
        let long = "x".repeat(129);
        for id in ["", "a b", "payer@shop.example", "a\"b", "ä", "{}", &long] {
            let made = of(id.as_bytes());
            assert_eq!(
                Uuid::parse_str(made.as_str()).unwrap().get_version_num(),
                7,
                "{id}"
            );
        }
        assert_ne!(
            RequestId::of(&HeaderMap::new()),
            RequestId::of(&HeaderMap::new())
        );
    }

    proptest! {
        #[test]
        fn whatever_comes_the_answer_has_a_plain_id(value in prop::collection::vec(32u8..127, 0..200)) {
            let id = of(&value);
            prop_assert_eq!(read(id.as_str()), Some(id.clone()));
            let written = HeaderValue::from(id.clone());
            prop_assert_eq!(written.to_str().unwrap(), id.as_str());
        }
    }
}
