//! What Cleeng's answers about externally managed subscriptions and passes say. Pure.

use serde_json::value::RawValue;

use super::{no, wire};
use crate::cleeng::order::{is_cleengs, unix_seconds};
use crate::cleeng::report::refusal;
use crate::domain::external::{Access, AccessKind, Held, Standing};
use crate::domain::failure::{CallError, Cause};
use crate::domain::moment::Moment;
use crate::http::{Answer, Purpose, unreadable};

pub(super) fn listed(
    answer: &Answer,
    kind: AccessKind,
    external_id: &str,
    now: Moment,
) -> Result<Option<Held>, CallError> {
    if !answer.is_success() {
        return Err(refusal(answer, Purpose::Read));
    }
    let list: wire::List =
        serde_json::from_slice(&answer.body).map_err(|_| unreadable(Purpose::Read))?;
    let is_ours = |found: &wire::Access| {
        let named = found
            .subscription_external_id
            .as_ref()
            .or(found.external_id.as_ref());
        named.is_some_and(|named| named == external_id)
    };
    let ours = list.data.into_iter().filter(is_ours);
    let mut held: Vec<Held> = ours.filter_map(|found| read(found, kind, now)).collect();
    held.sort_by_key(|one| one.standing == Standing::Ended);
    Ok(held.into_iter().next())
}

pub(super) fn shown(
    answer: &Answer,
    access: Access,
    now: Moment,
) -> Result<Option<Held>, CallError> {
    if answer.status == 404 && is_cleengs(answer) {
        return Ok(None);
    }
    if !answer.is_success() {
        return Err(refusal(answer, Purpose::Read));
    }
    unwrap(answer)
        .and_then(|found| read(found, access.kind, now))
        .filter(|held| held.access == access)
        .map(Some)
        .ok_or(no("unreadable_access"))
}

pub(super) fn created(answer: &Answer, kind: AccessKind) -> Result<Access, CallError> {
    if !answer.is_success() {
        return Err(refusal(answer, Purpose::Read));
    }
    let said: Option<wire::Wrapper<'_>> = serde_json::from_slice(&answer.body).ok();
    if said.is_some_and(|said| said.success == Some(false)) {
        return Err(no("not_accepted"));
    }
    unwrap(answer)
        .and_then(|found| access(&found, kind))
        .ok_or(CallError::NotDone {
            retry_after: None,
            cause: Cause::Unreadable,
        })
}

fn unwrap(answer: &Answer) -> Option<wire::Access> {
    let text = std::str::from_utf8(&answer.body).ok()?;
    let outer: wire::Wrapper<'_> = serde_json::from_str(text).ok()?;
    let inner = outer.subscription.or(outer.pass).or(outer.data);
    serde_json::from_str(inner.map_or(text, RawValue::get)).ok()
}

fn access(found: &wire::Access, kind: AccessKind) -> Option<Access> {
    let id = match kind {
        AccessKind::Subscription => found.subscription_id,
        AccessKind::Pass => found.pass_id,
    };
    id.or(found.id).map(|id| Access { kind, id })
}

fn read(found: wire::Access, kind: AccessKind, now: Moment) -> Option<Held> {
    let access = access(&found, kind)?;
    let (standing, paid_until) = match kind {
        AccessKind::Subscription => {
            let word = found.status.as_deref()?;
            (standing(word), found.date_to.and_then(unix_seconds))
        }
        AccessKind::Pass => {
            let end = found.expires_at.and_then(unix_seconds);
            match end.is_some_and(|end| end <= now) {
                true => (Standing::Ended, end),
                false => (Standing::Active, end),
            }
        }
    };
    Some(Held {
        access,
        standing,
        paid_until,
        last_payment: found.latest_payment_external_id,
    })
}

fn standing(word: &str) -> Standing {
    match word {
        "active" => Standing::Active,
        "stopped" => Standing::Stopped,
        "terminated" => Standing::Ended,
        _ => Standing::Other,
    }
}
