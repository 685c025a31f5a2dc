//! Pausing and resuming, the log of what operators did, and what Cleeng asked for.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Shared;
use super::bodies::{self, SideBody};
use super::problem::Problem;
use crate::domain::demand::DemandState;
use crate::domain::pause::Side;
use crate::operator::{document, pausing};

const PAGE: i64 = 50;
const LONGEST_PAGE: i64 = 200;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogAsked {
    /// Only what is older than this entry.
    before: Option<Uuid>,
    limit: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DemandsAsked {
    /// open, done or kept; all without it.
    state: Option<String>,
}

pub(super) async fn pauses(State(console): State<Shared>) -> Result<Json<Value>, Problem> {
    let pauses = console.ledger()?.pauses().await?;
    let listed: Vec<Value> = pauses.iter().map(document::pause).collect();
    Ok(Json(json!({ "pauses": listed })))
}

pub(super) async fn pause(
    State(console): State<Shared>,
    body: Result<Json<SideBody>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let body = bodies::body(body)?;
    let (side, operator) = (body.side()?, body.operator()?);
    if let Side::Gateway(name) = &side
        && !console.gateways.contains_key(name)
    {
        let why = format!("gateway: {name} is not configured here.");
        return Err(Problem::Invalid(why));
    }
    let because = Some(operator.because());
    let done = pausing::pause(console.ledger()?, &side, because, &operator).await?;
    console.forget_snapshot().await;
    Ok(Json(json!({
        "side": side.to_string(), "paused": true, "anew": done.anew, "since": done.since.rfc3339(),
    })))
}

/// A gateway that is no longer configured may still be paused.
pub(super) async fn resume(
    State(console): State<Shared>,
    body: Result<Json<SideBody>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let body = bodies::body(body)?;
    let (side, operator) = (body.side()?, body.operator()?);
    let ended = pausing::resume(console.ledger()?, &side, &operator).await?;
    console.forget_snapshot().await;
    Ok(Json(
        json!({ "side": side.to_string(), "paused": false, "wasPaused": ended }),
    ))
}

pub(super) async fn log(
    State(console): State<Shared>,
    asked: Result<Query<LogAsked>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let asked = bodies::query(asked)?;
    let limit = asked.limit.unwrap_or(PAGE).clamp(1, LONGEST_PAGE);
    let mut found = console
        .ledger()?
        .deeds(asked.before, limit.saturating_add(1))
        .await?;
    let there_are_more = i64::try_from(found.len()).is_ok_and(|count| count > limit);
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let last = found.last().map(|deed| deed.id);
    let deeds: Vec<Value> = found.iter().map(document::deed).collect();
    Ok(Json(
        json!({ "deeds": deeds, "next": last.filter(|_| there_are_more) }),
    ))
}

pub(super) async fn demands(
    State(console): State<Shared>,
    asked: Result<Query<DemandsAsked>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let asked = bodies::query(asked)?;
    let unknown = || Problem::Invalid("state: open, done or kept.".to_owned());
    let state = asked
        .state
        .map(|word| DemandState::from_label(&word).ok_or_else(unknown))
        .transpose()?;
    let found = console.ledger()?.demands(state, LONGEST_PAGE).await?;
    let demands: Vec<Value> = found.iter().map(document::demand).collect();
    Ok(Json(json!({ "demands": demands, "limit": LONGEST_PAGE })))
}
