//! Who may use the console: whoever sends one of the configured tokens. Wrong ones are counted, and made to wait.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use super::Shared;
use super::problem::Problem;

/// How long the answer to a wrong token takes.
const PENANCE: Duration = Duration::from_secs(1);
/// How many wrong ones may wait at once. While all do, no token is looked at: so many guesses a second, and no more.
const WAITING: usize = 4;

/// Knows the tokens by their hashes.
pub(super) struct Door {
    tokens: Vec<[u8; 32]>,
    tries: Semaphore,
}

impl Door {
    pub(super) fn new(tokens: &[SecretString]) -> Door {
        let hash = |token: &SecretString| Sha256::digest(token.expose_secret().as_bytes()).into();
        Door {
            tokens: tokens.iter().map(hash).collect(),
            tries: Semaphore::new(WAITING),
        }
    }

    pub(super) fn is_on(&self) -> bool {
        !self.tokens.is_empty()
    }

    /// # Errors
    /// Turned away; after a wrong token only when its time is over.
    async fn admit(&self, bearer: Option<&str>) -> Result<(), Problem> {
        if !self.is_on() {
            return Err(Problem::Off);
        }
        let token = bearer.ok_or(Problem::Unauthorized)?;
        // A right one holds its place for no time at all.
        let place = self
            .tries
            .try_acquire()
            .map_err(|_| Problem::TooManyTries)?;
        if self.knows(token) {
            return Ok(());
        }
        sleep(PENANCE).await;
        drop(place);
        Err(Problem::WrongToken)
    }

    fn knows(&self, token: &str) -> bool {
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        // Every hash is compared: the time taken does not tell which one matched.
        self.tokens
            .iter()
            .fold(false, |found, known| found | bool::from(known.ct_eq(&hash)))
    }
}

/// Lets nobody through without a token. It comes in a header alone, which no other page's form or link can make a browser send.
pub(super) async fn require(
    State(console): State<Shared>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let bearer = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    match console.door.admit(bearer).await {
        Ok(()) => Ok(next.run(request).await),
        Err(turned_away) => {
            if matches!(turned_away, Problem::WrongToken | Problem::TooManyTries) {
                console.metrics.admin_refused();
            }
            Err(turned_away)
        }
    }
}

pub(super) async fn only_where_it_is_on(
    State(console): State<Shared>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    match console.door.is_on() {
        true => Ok(next.run(request).await),
        false => Err(Problem::Off),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use tokio::time::Instant;

    use super::*;

    fn door(tokens: &[&str]) -> Door {
        let tokens: Vec<SecretString> = tokens.iter().map(|one| SecretString::from(*one)).collect();
        Door::new(&tokens)
    }

    #[tokio::test(start_paused = true)]
    async fn each_of_several_tokens_opens_at_once_and_no_other_one() {
        let door = door(&["old-token-0123456789", "new-token-0123456789"]);
        let begun = Instant::now();
        for right in ["old-token-0123456789", "new-token-0123456789"] {
            assert_eq!(door.admit(Some(right)).await, Ok(()));
        }
        assert_eq!(door.admit(None).await, Err(Problem::Unauthorized));
        assert_eq!(begun.elapsed(), Duration::ZERO);
        for wrong in ["", "old-token-012345678", "old-token-0123456789 "] {
            assert_eq!(door.admit(Some(wrong)).await, Err(Problem::WrongToken));
        }
        assert_eq!(begun.elapsed(), 3 * PENANCE);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_token_it_is_off_for_everybody() {
        let door = door(&[]);
        assert_eq!(door.admit(None).await, Err(Problem::Off));
        assert_eq!(door.admit(Some("")).await, Err(Problem::Off));
    }

    #[tokio::test(start_paused = true)]
    async fn many_guesses_at_once_are_not_looked_at() {
        let door = door(&["the-right-0123456789"]);
        let guesses = (0..20).map(|number| {
            let guess = format!("guess-{number}");
            let door = &door;
            async move { door.admit(Some(&guess)).await }
        });
        let (answers, right) =
            tokio::join!(join_all(guesses), door.admit(Some("the-right-0123456789")));
        let looked_at = answers
            .iter()
            .filter(|answer| **answer == Err(Problem::WrongToken));
        assert_eq!(looked_at.count(), WAITING);
        assert_eq!(right, Err(Problem::TooManyTries));
        assert_eq!(door.admit(Some("the-right-0123456789")).await, Ok(()));
    }
}
