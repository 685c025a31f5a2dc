//! `/admin/dead-letters`: grouped, each, what a replay would do, and doing it. The same hands as the command line's.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Shared;
use super::bodies::{self, DiscardBody, ReplayBody};
use super::looks::SCAN;
use super::problem::Problem;
use crate::domain::deed::Operator;
use crate::operator::desk::Desk;
use crate::operator::letter::{Letter, time, without_quotations};
use crate::operator::outlook::Outlook;
use crate::operator::replay::{Fate, Wish};

pub(super) async fn list(State(console): State<Shared>) -> Result<Json<Value>, Problem> {
    let look = console.look_at_letters().await?;
    Ok(Json(look.document.clone()))
}

/// One message. The bytes of one that cannot be read are not shown: nobody knows what is in them.
pub(super) async fn one(
    State(console): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let id: Uuid = id.parse().map_err(|_| Problem::UnknownLetter)?;
    let _turn = console.turn().await?;
    let mut desk = console.desk().await?;
    let read = desk.read(SCAN).await;
    desk.close().await;
    let letters = read?.letters;
    let letter = letters.iter().find(|one| one.id() == id);
    letter
        .map(|letter| Json(whole(letter)))
        .ok_or(Problem::UnknownLetter)
}

pub(super) async fn replay(
    State(console): State<Shared>,
    body: Result<Json<ReplayBody>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let body = bodies::body(body)?;
    bodies::some_ids(&body.ids)?;
    let operator = match body.dry_run {
        true => None,
        false => Some(body.operator()?),
    };
    let mut turn = console.turn().await?;
    let mut desk = console.desk().await?;
    let messages = match &operator {
        None => foretell(&mut desk, &body).await,
        Some(operator) => send_back(&mut desk, &body, operator).await,
    };
    desk.close().await;
    if operator.is_some() {
        turn.forget();
        console.forget_snapshot().await;
    }
    Ok(Json(answer(&messages?, body.dry_run)))
}

pub(super) async fn discard(
    State(console): State<Shared>,
    body: Result<Json<DiscardBody>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let body = bodies::body(body)?;
    bodies::some_ids(&body.ids)?;
    let operator = body.operator()?;
    let mut turn = console.turn().await?;
    let mut desk = console.desk().await?;
    let messages = remove(&mut desk, &body.ids, &operator).await;
    desk.close().await;
    turn.forget();
    console.forget_snapshot().await;
    Ok(Json(answer(&messages?, false)))
}

async fn foretell(desk: &mut Desk, body: &ReplayBody) -> Result<Vec<Value>, Problem> {
    let letters = desk.read(SCAN).await?.letters;
    let mut lines = missing(&body.ids, &letters);
    for letter in letters.iter().filter(|one| body.ids.contains(&one.id())) {
        let outlook = Outlook::of(desk, letter, body.force).await?;
        lines.push(outlook.as_json(letter));
    }
    Ok(lines)
}

async fn send_back(
    desk: &mut Desk,
    body: &ReplayBody,
    operator: &Operator,
) -> Result<Vec<Value>, Problem> {
    let wish = Wish {
        operator,
        force: body.force,
        named: true,
    };
    let letters = desk.read(SCAN).await?.letters;
    let mut lines = missing(&body.ids, &letters);
    for letter in letters.iter().filter(|one| body.ids.contains(&one.id())) {
        let outlook = Outlook::of(desk, letter, body.force).await?;
        let fate = desk.replay(letter, &outlook, &wish).await;
        let stopped = matches!(fate, Fate::Stopped(_));
        let (word, why) = fate.told();
        lines.push(line(letter.id(), word, why));
        if stopped {
            break;
        }
    }
    Ok(lines)
}

/// What fails is told beside what was done: the rest is not begun.
async fn remove(desk: &mut Desk, ids: &[Uuid], operator: &Operator) -> Result<Vec<Value>, Problem> {
    let letters = desk.read(SCAN).await?.letters;
    let mut lines = missing(ids, &letters);
    for letter in letters.iter().filter(|one| ids.contains(&one.id())) {
        match desk.discard(letter, operator).await {
            Ok(_) => lines.push(line(letter.id(), "discarded", None)),
            Err(cause) => {
                let why = crate::telemetry::chain::error_chain(&cause);
                lines.push(line(letter.id(), "failed", Some(why)));
                break;
            }
        }
    }
    Ok(lines)
}

fn missing(ids: &[Uuid], letters: &[Letter]) -> Vec<Value> {
    let there = |id: &Uuid| letters.iter().any(|letter| letter.id() == *id);
    let why = "it is not among the dead letters (any more)";
    ids.iter()
        .filter(|id| !there(id))
        .map(|id| line(*id, "skipped", Some(why.to_owned())))
        .collect()
}

fn line(id: Uuid, result: &str, why: Option<String>) -> Value {
    json!({ "messageId": id, "result": result, "why": why })
}

fn answer(messages: &[Value], dry_run: bool) -> Value {
    let count = |word: &str| {
        messages
            .iter()
            .filter(|one| one.get("result").is_some_and(|result| result == word))
            .count()
    };
    json!({
        "dryRun": dry_run, "messages": messages, "replayed": count("replayed"), "discarded": count("discarded"),
        "failed": count("failed"), "skipped": count("skipped"),
    })
}

fn whole(letter: &Letter) -> Value {
    let headers = &letter.dead.headers;
    let error = |text: &Option<String>| text.as_deref().map(without_quotations);
    json!({
        "messageId": letter.id(),
        "paymentId": letter.payment,
        "gateway": letter.gateway,
        "parkedAt": time(letter.dead.parked_at),
        "reason": letter.reason(),
        "source": letter.source(),
        "failures": headers.failures,
        "firstFailedAt": time(headers.first_failed_at),
        "firstError": error(&headers.first_error),
        "lastError": error(&headers.last_error),
        "traceparent": headers.traceparent,
        "replayed": headers.replayed,
        "message": letter.envelope,
        "bytes": letter.dead.body.len(),
    })
}
