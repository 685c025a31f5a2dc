//! What a gateway lists of its own accord: everything since a moment, a page at a time. Not every gateway can.

use async_trait::async_trait;

use super::limited::Limited;
use crate::domain::failure::CallError;
use crate::domain::ids::GatewayRef;
use crate::domain::moment::Moment;
use crate::domain::money_back::{Dispute, Refund};
use crate::domain::reconcile::Charge;

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feed {
    Charges,
    Refunds,
    Disputes,
}

/// One entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Listed {
    Charge(Charge),
    Refund {
        of: GatewayRef,
        refund: Refund,
    },
    Dispute {
        of: GatewayRef,
        dispute: Dispute,
    },
    /// Something that this build cannot read; its id where there is one.
    Unreadable(Option<GatewayRef>),
    /// Of a kind that is about no payment of ours.
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    /// The newest first, as the gateway made them.
    pub(crate) entries: Vec<Listed>,
    /// Where the next page begins; none after the last.
    pub(crate) next: Option<Cursor>,
}

/// The gateway's own id of the last entry of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor(pub(crate) String);

/// A gateway that can list.
#[async_trait]
pub(crate) trait Lists: Send + Sync {
    /// One page of what was made at `since` or later. Read after write: what the gateway has answered is listed.
    ///
    /// # Errors
    /// `NotDone` when it could not be read now; never `Unknown`. A page that is not whole is `Refused`.
    async fn page(
        &self,
        feed: Feed,
        since: Moment,
        after: Option<&Cursor>,
    ) -> Result<Page, CallError>;
}

#[async_trait]
impl Lists for Limited {
    async fn page(
        &self,
        feed: Feed,
        since: Moment,
        after: Option<&Cursor>,
    ) -> Result<Page, CallError> {
        let Some(lists) = self.inner.lists() else {
            return Err(CallError::Refused {
                code: "no_lists".to_owned(),
            });
        };
        let _turn = self.pace.turn().await?;
        lists.page(feed, since, after).await
    }
}
