//! Looks at the dead letters, one at a time: RabbitMQ shows a message that somebody holds to nobody else. One look serves several
//! viewers for a moment.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, timeout};

use super::Console;
use super::problem::Problem;
use crate::broker::Queue;
use crate::domain::ids::PaymentId;
use crate::domain::moment::Moment;
use crate::operator::desk::{Desk, Read};
use crate::operator::groups::{grouped, groups_as_json};

/// How many messages are looked at.
pub(super) const SCAN: usize = 1000;
/// How long one waits for another's look to end.
const PATIENCE: Duration = Duration::from_secs(10);
/// How old a look may be for a list of dead letters, and for a payment's story.
const FRESH: Duration = Duration::from_secs(2);
const GOOD_ENOUGH: Duration = Duration::from_secs(15);

/// Whose turn it is, with what was seen last.
#[derive(Default)]
pub(super) struct Looks(Mutex<Option<(Instant, Arc<Look>)>>);

/// What was seen.
pub(super) struct Look {
    /// `GET /admin/dead-letters`.
    pub(super) document: Value,
    complete: bool,
    letters: Vec<(Option<PaymentId>, Option<Moment>, Value)>,
}

/// The dead letters about one payment.
pub(super) struct About {
    /// Whether the dead letters could be looked at, all of them.
    pub(super) looked: bool,
    pub(super) found: Vec<(Option<Moment>, Value)>,
}

/// A turn at the dead letters. What was seen before counts no more after it.
pub(super) struct Turn<'a>(MutexGuard<'a, Option<(Instant, Arc<Look>)>>);

impl Turn<'_> {
    pub(super) fn forget(&mut self) {
        *self.0 = None;
    }
}

impl Console {
    /// Waits until nobody else is at the dead letters.
    pub(super) async fn turn(&self) -> Result<Turn<'_>, Problem> {
        let turn = timeout(PATIENCE, self.looks.0.lock()).await;
        turn.map(Turn).map_err(|_| Problem::Busy)
    }

    /// A session with the dead letters, for whoever has the turn.
    pub(super) async fn desk(&self) -> Result<Desk, Problem> {
        let ledger = self.ledger()?.clone();
        let letters = self.plan.letters().await?;
        Ok(Desk::new(self.plan.clone(), letters, ledger))
    }

    pub(super) async fn look_at_letters(&self) -> Result<Arc<Look>, Problem> {
        self.look_no_older(FRESH).await
    }

    /// An empty queue is not looked into; one that cannot be is said to be so.
    pub(super) async fn letters_about(&self, payment: PaymentId) -> About {
        if self.depth(&Queue::Dead).await == Some(0) {
            return About {
                looked: true,
                found: Vec::new(),
            };
        }
        let Ok(look) = self.look_no_older(GOOD_ENOUGH).await else {
            return About {
                looked: false,
                found: Vec::new(),
            };
        };
        let about = look
            .letters
            .iter()
            .filter(|(of, _, _)| *of == Some(payment));
        About {
            looked: look.complete,
            found: about.map(|(_, at, letter)| (*at, letter.clone())).collect(),
        }
    }

    async fn look_no_older(&self, age: Duration) -> Result<Arc<Look>, Problem> {
        let mut turn = self.turn().await?;
        if let Some((at, look)) = turn.0.as_ref()
            && at.elapsed() < age
        {
            return Ok(Arc::clone(look));
        }
        let mut desk = self.desk().await?;
        let read = desk.read(SCAN).await;
        desk.close().await;
        let look = Arc::new(Look::of(&read?));
        *turn.0 = Some((Instant::now(), Arc::clone(&look)));
        Ok(look)
    }
}

impl Look {
    fn of(read: &Read) -> Look {
        let groups = grouped(&read.letters);
        let mut listed = groups_as_json(&groups);
        for (document, group) in listed.iter_mut().zip(groups.values()) {
            let letters: Vec<Value> = group.letters.iter().map(|one| one.summary()).collect();
            if let Value::Object(fields) = document {
                fields.insert("letters".to_owned(), letters.into());
            }
        }
        let letters = read.letters.iter();
        Look {
            document: json!({
                "groups": listed, "total": read.letters.len(), "complete": read.complete, "scan": SCAN,
            }),
            complete: read.complete,
            letters: letters
                .map(|one| (one.payment, one.dead.parked_at, one.summary()))
                .collect(),
        }
    }
}
