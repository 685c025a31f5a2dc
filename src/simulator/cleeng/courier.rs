//! Keeps Cleeng's time: does what is due as the clock comes to it, delivers the webhooks, and moves the clock when a test says so.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::agenda::Due;
use super::hooks;
use super::letter::{Letter, Luck};
use crate::domain::moment::Moment;
use crate::simulator::fault::{Fault, Mail};
use crate::simulator::operation::Operation;
use crate::simulator::{Party, Sim};

/// The clock is looked at no less often than this.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// How many webhooks are under way at once.
const AT_ONCE: usize = 16;

/// How often a report is looked for while the clock stands still.
const LOOK: Duration = Duration::from_millis(5);

/// Runs until the stop.
pub(crate) async fn keep_time(sim: Arc<Sim>) {
    while !sim.stop.is_cancelled() {
        {
            let _hand = sim.hand.lock().await;
            work(&sim).await;
        }
        let sleep = match sim.cleeng().agenda.next() {
            Some((at, _)) => at.since(sim.clock.now()).min(LONGEST_SLEEP),
            None => LONGEST_SLEEP,
        };
        tokio::select! {
            () = tokio::time::sleep(sleep) => {}
            () = sim.bell.notified() => {}
            () = sim.stop.cancelled() => {}
        }
    }
}

/// Where the clock is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    By(Duration),
    /// To the next thing that is due.
    ToNext,
}

/// Moves the clock from one thing that is due to the next. At each it stands still until the webhooks are answered and
/// what they ask for is reported, or until `patience` is over. Tells how many webhooks were taken.
pub(crate) async fn advance(sim: &Arc<Sim>, how: Move, patience: Duration) -> usize {
    let _hand = sim.hand.lock().await;
    let desk = sim.cleeng_desk();
    sim.cleeng().keep_schedule(&desk);
    let mut taken = stop_over(sim, patience).await;
    let next = |sim: &Sim| sim.cleeng().agenda.next().map(|(at, _)| at);
    let target = match how {
        Move::By(span) => sim.clock.now().plus(span),
        Move::ToNext => next(sim).unwrap_or_else(|| sim.clock.now()),
    };
    while let Some(at) = next(sim).filter(|at| *at <= target) {
        if sim.stop.is_cancelled() {
            return taken;
        }
        sim.clock.reach(at);
        taken = taken.saturating_add(stop_over(sim, patience).await);
    }
    sim.clock.reach(target);
    taken
}

async fn stop_over(sim: &Arc<Sim>, patience: Duration) -> usize {
    let taken = work(sim).await;
    let end = Instant::now().checked_add(patience);
    while sim.cleeng().is_awaiting()
        && end.is_some_and(|end| Instant::now() < end)
        && !sim.stop.is_cancelled()
    {
        tokio::time::sleep(LOOK).await;
    }
    // What did not come by now is not waited for again.
    sim.cleeng().awaited.clear();
    taken
}

/// Does everything that is due now. Returns how many webhooks were taken.
async fn work(sim: &Arc<Sim>) -> usize {
    let mut taken: usize = 0;
    loop {
        let desk = sim.cleeng_desk();
        let letters = sim.cleeng().due_letters(&desk);
        if letters.is_empty() || sim.stop.is_cancelled() {
            return taken;
        }
        let tries = letters.into_iter().map(|letter| deliver(sim, letter));
        let done: Vec<Option<u16>> = futures_util::stream::iter(tries)
            .buffered(AT_ONCE)
            .collect()
            .await;
        let fresh = done.iter().filter(|status| **status == Some(200)).count();
        taken = taken.saturating_add(fresh);
    }
}

/// One try, or what a fault makes of it.
async fn deliver(sim: &Sim, letter: Letter) -> Option<u16> {
    let fault = draw(sim, &letter);
    match fault.and_then(|fault| fault.mail()) {
        Some(Mail::Lost) => {
            sim.cleeng().lose(letter.id);
            None
        }
        Some(Mail::Delay) => {
            let delay = fault.map_or(Duration::ZERO, |fault| fault.delay);
            let until = sim.clock.now().plus(delay);
            sim.cleeng().put_off(letter.id, until);
            None
        }
        // Cleeng does not wait for a webhook before it answers.
        Some(Mail::First) | None => settle(sim, &letter).await,
        Some(Mail::Duplicate) => {
            attempt(sim, &letter).await;
            settle(sim, &letter).await
        }
        Some(Mail::Stale) => {
            let earlier = sim.cleeng().earlier(&letter);
            let status = settle(sim, &letter).await;
            if let Some(earlier) = earlier {
                attempt(sim, &earlier).await;
            }
            status
        }
    }
}

/// The fault of this letter; it is drawn once, at its first try.
fn draw(sim: &Sim, letter: &Letter) -> Option<Fault> {
    if letter.luck == Luck::Drawn {
        return None;
    }
    sim.cleeng().draw(letter.id);
    sim.post.open(Party::Cleeng, &name(letter.id), &letter.body);
    let mentions = |text: &str| letter.body.contains(text);
    sim.faults
        .strike(Operation::CleengWebhook, mentions, &sim.mint)
}

async fn settle(sim: &Sim, letter: &Letter) -> Option<u16> {
    let status = attempt(sim, letter).await;
    sim.cleeng().note(sim.clock.now(), letter.id, status);
    status
}

async fn attempt(sim: &Sim, letter: &Letter) -> Option<u16> {
    sim.count(Operation::CleengWebhook);
    let hooks = &sim.settings.cleeng_webhooks;
    let mut request = sim
        .post
        .client()
        .post(letter.endpoint.url.clone())
        .header(CONTENT_TYPE, "application/json")
        .body(letter.body.clone());
    if let Some(secret) = &letter.endpoint.secret {
        let signature = hooks::sign(secret, hooks.encoding, &letter.body);
        request = request.header(hooks.header.as_str(), signature);
    }
    let status = tokio::select! {
        sent = request.send() => sent.ok().map(|response| response.status().as_u16()),
        () = sim.stop.cancelled() => None,
    };
    sim.post.note(&name(letter.id), status);
    status
}

/// The name under which `GET /_webhooks` shows it; it is not on the wire.
fn name(id: u64) -> String {
    format!("cleeng_{id}")
}

/// The letter of that name.
pub(crate) fn number(name: &str) -> Option<u64> {
    name.strip_prefix("cleeng_")?.parse().ok()
}

/// `GET /_clock`.
pub(crate) fn show(sim: &Sim) -> Value {
    let now: Moment = sim.clock.now();
    let world = sim.cleeng();
    let next = world.agenda.next().map(|(at, due)| {
        let (what, id) = match due {
            Due::Subscription(id) => ("subscription", id),
            Due::Letter(id) => ("webhook", id),
        };
        json!({ "at": at.rfc3339(), "unixSeconds": at.unix_seconds(), "what": what, "id": id })
    });
    json!({
        "now": now.rfc3339(),
        "unixSeconds": now.unix_seconds(),
        "aheadSeconds": sim.clock.span().as_secs(),
        "due": world.agenda.len(),
        "next": next,
    })
}

impl Sim {
    /// Wakes whoever keeps the time, if something is due.
    pub(crate) fn ring(&self, next: Option<Moment>, now: Moment) {
        if next.is_some_and(|at| at <= now) {
            self.bell.notify_one();
        }
    }
}
