//! What a search means, by what its text looks like: a payment's id, a number of Cleeng's, or a gateway's id.

use crate::domain::ids::PaymentId;
use crate::ledger::SearchBy;

/// No id of a gateway is longer.
const LONGEST: usize = 255;

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sought {
    Payment(PaymentId),
    /// In each of these ways, each under its word.
    By(Vec<(&'static str, SearchBy)>),
}

impl Sought {
    /// Nothing when the text can be no id at all.
    pub(super) fn of(text: &str) -> Option<Sought> {
        let text = text.trim();
        if text.is_empty() || text.len() > LONGEST || text.contains(char::is_whitespace) {
            return None;
        }
        if let Ok(id) = text.parse() {
            return Some(Sought::Payment(id));
        }
        let mut ways = vec![("externalId", SearchBy::Reference(text.to_owned()))];
        if text.bytes().all(|byte| byte.is_ascii_digit())
            && let Ok(number) = text.parse()
        {
            ways.extend([
                ("order", SearchBy::Order(number)),
                ("customer", SearchBy::Customer(number)),
                ("subscription", SearchBy::Subscription(number)),
            ]);
        }
        Some(Sought::By(ways))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&'static str> {
        match Sought::of(text) {
            None => Vec::new(),
            Some(Sought::Payment(_)) => vec!["payment"],
            Some(Sought::By(ways)) => ways.into_iter().map(|(word, _)| word).collect(),
        }
    }

    #[test]
    fn a_text_is_looked_for_as_what_it_can_be() {
        let id = "01a20f7b-7904-721e-8800-5516d302ff70";
        assert_eq!(words(id), ["payment"]);
        assert_eq!(words(&format!("  {id}\n")), ["payment"]);
        assert_eq!(words("pi_3C9qnrGDgmBbpz7NqrtTbD3xg"), ["externalId"]);
        let number = ["externalId", "order", "customer", "subscription"];
        assert_eq!(words("489697895"), number);
        // Too large for a number of Cleeng's, and still an id that a gateway may give.
        assert_eq!(words("99999999999999999999"), ["externalId"]);
        for nothing in ["", "  ", "two words", &"x".repeat(256)] {
            assert!(words(nothing).is_empty(), "{nothing:?}");
        }
    }
}
