//! Payments in the order of their acceptance, a page at a time, for whoever holds them against another book.

use tokio::time::timeout_at;
use uuid::Uuid;

use super::page::{Argument, Page};
use super::{Ledger, LedgerError};
use crate::domain::ids::PaymentId;
use crate::domain::moment::Moment;
use crate::domain::payment::Known;

/// The most payments of one page.
const PAGE: i64 = 200;

/// Which payments. Every one of them has an index: identifiers grow with the time of acceptance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PaymentFeed {
    /// All that were accepted at this moment or later.
    AcceptedSince(Moment),
    /// Those accepted before it that have not settled, or have failed.
    UnsettledBefore(Moment),
    /// Those accepted before it whose money is only reserved.
    AuthorizedBefore(Moment),
}

impl Ledger {
    /// The payments after `last`, or the first ones; at most 200. Fewer, also none, are the end.
    pub(crate) async fn feed(
        &self,
        feed: PaymentFeed,
        last: Option<PaymentId>,
    ) -> Result<Vec<Known>, LedgerError> {
        let page = page(feed, last);
        let mut session = self.session().await?;
        let work = page.read(&mut session.conn, self.backend);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }
}

fn page(feed: PaymentFeed, last: Option<PaymentId>) -> Page {
    let text = |id: PaymentId| Argument::Text(id.to_string());
    let nil = PaymentId(Uuid::nil());
    match feed {
        PaymentFeed::AcceptedSince(since) => {
            let after = last.unwrap_or_else(|| first_of(since));
            Page::oldest("id > $1", vec![text(after)], PAGE)
        }
        PaymentFeed::UnsettledBefore(before) => Page::oldest(
            "unsettled AND id > $1 AND id < $2",
            vec![text(last.unwrap_or(nil)), text(first_of(before))],
            PAGE,
        ),
        PaymentFeed::AuthorizedBefore(before) => Page::oldest(
            "reserved AND id > $1 AND id < $2",
            vec![text(last.unwrap_or(nil)), text(first_of(before))],
            PAGE,
        ),
    }
}

/// Before every id of this millisecond: the time is the first 48 bits of a UUIDv7, and no id is without its version.
fn first_of(moment: Moment) -> PaymentId {
    let millis = u128::try_from(moment.0).unwrap_or(0);
    PaymentId(Uuid::from_u128(millis << 80))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stands_between_the_firsts_of_its_millisecond_and_the_next() {
        let millis = 1_767_323_045_678;
        let seconds = u64::try_from(millis / 1000).unwrap();
        let id = Uuid::new_v7(uuid::Timestamp::from_unix(
            uuid::NoContext,
            seconds,
            678_000_000,
        ));
        let of = |millis| first_of(Moment(millis)).to_string();
        let id = id.to_string();
        assert!(of(millis) < id && id < of(millis + 1), "{id}");
        assert_eq!(first_of(Moment(-1)).0, Uuid::nil());
    }
}
