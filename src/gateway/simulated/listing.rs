//! The simulated gateway's lists of charges, refunds and disputes: newest first, at most 100 a page.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Asked, Simulated, meaning, read, wire};
use crate::domain::failure::CallError;
use crate::domain::ids::GatewayRef;
use crate::domain::moment::Moment;
use crate::domain::money::Money;
use crate::domain::reconcile::{Charge, ChargeState};
use crate::gateway::Probe;
use crate::gateway::listing::{Cursor, Feed, Listed, Lists, Page};
use crate::http::{Answer, Purpose, is_path_segment, join, unreadable};

const PAGE: u32 = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listing<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
    has_more: bool,
}

/// What every object has: its id, and for what hangs on a charge that one's.
#[derive(Deserialize)]
struct Names {
    id: String,
    charge: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListedCharge {
    id: String,
    reference: Option<String>,
    status: wire::Status,
    amount: Money,
    captured_amount: Option<Money>,
}

#[async_trait]
impl Lists for Simulated {
    async fn page(
        &self,
        feed: Feed,
        since: Moment,
        after: Option<&Cursor>,
    ) -> Result<Page, CallError> {
        let path = path(feed, since, after);
        let request = self.http.get(join(&self.base_url, &path));
        page(&self.call(request, Asked::Read).await?, feed)
    }
}

/// The shortest list.
pub(super) async fn probe(simulated: &Simulated) -> Result<Probe, CallError> {
    let url = join(&simulated.base_url, "/charges?limit=1");
    let answer = simulated.call(simulated.http.get(url), Asked::Read).await?;
    page(&answer, Feed::Charges).map(|_| Probe {
        date: answer.date(),
    })
}

fn path(feed: Feed, since: Moment, after: Option<&Cursor>) -> String {
    let what = match feed {
        Feed::Charges => "charges",
        Feed::Refunds => "refunds",
        Feed::Disputes => "disputes",
    };
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("createdFrom", &since.unix_seconds().to_string())
        .append_pair("limit", &PAGE.to_string());
    if let Some(Cursor(last)) = after {
        query.append_pair("startingAfter", last);
    }
    format!("/{what}?{}", query.finish())
}

fn page(answer: &Answer, feed: Feed) -> Result<Page, CallError> {
    if !answer.is_success() {
        return Err(match meaning(answer, Asked::Read) {
            Err(why) => why,
            Ok(_) => unreadable(Purpose::Read),
        });
    }
    let listing: Listing<'_> =
        serde_json::from_slice(&answer.body).map_err(|_| unreadable(Purpose::Read))?;
    let last = listing.data.last().and_then(|raw| names(raw));
    let next = match (listing.has_more, last) {
        (false, _) => None,
        (true, Some(last)) => Some(Cursor(last.id)),
        (true, None) => return Err(unreadable(Purpose::Read)),
    };
    Ok(Page {
        entries: listing.data.iter().map(|raw| entry(raw, feed)).collect(),
        next,
    })
}

fn entry(raw: &RawValue, feed: Feed) -> Listed {
    let read = match feed {
        Feed::Charges => charge(raw),
        Feed::Refunds => serde_json::from_str(raw.get())
            .ok()
            .and_then(read::refund)
            .and_then(|refund| {
                Some(Listed::Refund {
                    of: of(raw)?,
                    refund,
                })
            }),
        Feed::Disputes => serde_json::from_str(raw.get())
            .ok()
            .and_then(read::dispute)
            .and_then(|dispute| {
                Some(Listed::Dispute {
                    of: of(raw)?,
                    dispute,
                })
            }),
    };
    read.unwrap_or_else(|| Listed::Unreadable(names(raw).map(|names| GatewayRef(names.id))))
}

fn charge(raw: &RawValue) -> Option<Listed> {
    let found: ListedCharge = serde_json::from_str(raw.get()).ok()?;
    let state = match found.status {
        wire::Status::Captured => ChargeState::Taken(found.captured_amount.unwrap_or(found.amount)),
        wire::Status::Authorized => ChargeState::Held(found.amount),
        wire::Status::Pending => ChargeState::Pending,
        wire::Status::RequiresAction => ChargeState::Open,
        wire::Status::Declined | wire::Status::Cancelled | wire::Status::Expired => {
            ChargeState::Ended
        }
    };
    is_path_segment(&found.id).then(|| {
        Listed::Charge(Charge {
            reference: GatewayRef(found.id),
            carries: found.reference.and_then(|id| id.parse().ok()),
            state,
        })
    })
}

fn of(raw: &RawValue) -> Option<GatewayRef> {
    names(raw)?
        .charge
        .filter(|id| is_path_segment(id))
        .map(GatewayRef)
}

fn names(raw: &RawValue) -> Option<Names> {
    let names: Names = serde_json::from_str(raw.get()).ok()?;
    is_path_segment(&names.id).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::failure::Cause;
    use crate::domain::money_back::{DisputeState, RefundState};
    use axum::http::HeaderMap;
    use serde_json::json;

    fn read_(status: u16, body: &str, feed: Feed) -> Result<Page, CallError> {
        let answer = Answer::new(status, HeaderMap::new(), body.as_bytes().to_vec());
        page(&answer, feed)
    }

    #[test]
    fn a_page_is_asked_for_by_time_and_goes_on_after_its_last_entry() {
        let since = Moment(1_700_000_000_999);
        assert_eq!(
            path(Feed::Charges, since, None),
            "/charges?createdFrom=1700000000&limit=100"
        );
        let after = Cursor("re_1".to_owned());
        assert_eq!(
            path(Feed::Refunds, since, Some(&after)),
            "/refunds?createdFrom=1700000000&limit=100&startingAfter=re_1"
        );
        let entry = json!({ "id": "ds_1", "charge": "ch_1", "status": "open", "reason": "fraudulent",
            "amount": { "value": 5, "currency": "EUR" } });
        let body = json!({ "data": [entry], "hasMore": true }).to_string();
        let read = read_(200, &body, Feed::Disputes).unwrap();
        assert_eq!(read.next, Some(Cursor("ds_1".to_owned())));
        let [Listed::Dispute { of, dispute }] = read.entries.as_slice() else {
            panic!("{read:?}")
        };
        assert_eq!((of.0.as_str(), dispute.state), ("ch_1", DisputeState::Open));
    }

    #[test]
    fn every_status_has_its_state_and_what_cannot_be_read_is_named() {
        let euro = Money {
            minor: 7,
            currency: "EUR".parse().unwrap(),
        };
        for (status, state) in [
            ("captured", Some(ChargeState::Taken(euro))),
            ("authorized", Some(ChargeState::Held(euro))),
            ("pending", Some(ChargeState::Pending)),
            ("requires_action", Some(ChargeState::Open)),
            ("declined", Some(ChargeState::Ended)),
            ("cancelled", Some(ChargeState::Ended)),
            ("expired", Some(ChargeState::Ended)),
            ("dreaming", None),
        ] {
            let entry = json!({ "id": "ch_1", "reference": crate::gateway::sample::PAYMENT_ID,
                "status": status, "amount": { "value": 7, "currency": "EUR" } });
            let body = json!({ "data": [entry], "hasMore": false }).to_string();
            let read = read_(200, &body, Feed::Charges).unwrap();
            let expected = match state {
                Some(state) => Listed::Charge(Charge {
                    reference: GatewayRef("ch_1".to_owned()),
                    carries: crate::gateway::sample::PAYMENT_ID.parse().ok(),
                    state,
                }),
                None => Listed::Unreadable(Some(GatewayRef("ch_1".to_owned()))),
            };
            assert_eq!(read.entries, [expected], "{status}");
            assert_eq!(read.next, None);
        }
        let entry = json!({ "id": "re_1", "charge": "ch_1", "reference": null, "status": "succeeded",
            "amount": { "value": 7, "currency": "EUR" }, "failure": null });
        let body = json!({ "data": [entry], "hasMore": false }).to_string();
        let read = read_(200, &body, Feed::Refunds).unwrap();
        let [Listed::Refund { refund, .. }] = read.entries.as_slice() else {
            panic!("{read:?}")
        };
        assert_eq!((refund.id, &refund.state), (None, &RefundState::Done));
    }

    #[test]
    fn a_page_that_is_not_whole_is_no_page() {
        let refused = |code: &str| Err(CallError::Refused { code: code.into() });
        for (status, body, expected) in [
            (200, "{}", refused("unreadable")),
            (200, r#"{"data":[],"hasMore":true}"#, refused("unreadable")),
            (
                401,
                r#"{"error":{"code":"unauthorized"}}"#,
                Err(CallError::Broken {
                    code: "unauthorized".to_owned(),
                }),
            ),
            (
                503,
                "",
                Err(CallError::NotDone {
                    cause: Cause::ServerError,
                    retry_after: None,
                }),
            ),
        ] {
            assert_eq!(read_(status, body, Feed::Charges), expected, "{status}");
        }
    }
}
