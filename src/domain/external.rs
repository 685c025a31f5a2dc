//! Purchases that a gateway bills by itself: what one of its events says, and what Cleeng has of it.

pub(crate) mod plan;

use serde::{Deserialize, Serialize};

use super::ids::{CleengPaymentId, GatewayRef};
use super::moment::Moment;
use super::money::Money;

/// One event of a subscription that its gateway bills, with all that Cleeng has to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExternalEvent {
    /// The gateway's own id of its subscription; Cleeng keeps it as `externalId`.
    pub(crate) subscription: String,
    /// Whose it is now, by Cleeng's id.
    pub(crate) customer_id: u64,
    pub(crate) offer_id: String,
    /// Cleeng's payment method for what this gateway bills itself.
    pub(crate) payment_method_id: u64,
    pub(crate) happened_at: Moment,
    pub(crate) happened: Happened,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Happened {
    Paid {
        bill: Bill,
        /// None: a cycle of the offer's.
        paid_until: Option<Moment>,
    },
    Unpaid {
        bill: Bill,
        reason: String,
    },
    /// It runs to its end.
    Cancelled,
    /// Its access ends now.
    Ended(Cause),
    /// It has another owner: the event's customer.
    Transferred,
}

/// One try of the gateway to take money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bill {
    pub(crate) payment: GatewayRef,
    pub(crate) turn: Turn,
    /// Without tax.
    pub(crate) net: Money,
    pub(crate) tax: Option<Money>,
    pub(crate) country: Option<String>,
}

/// Which of a subscription's bills it is: access is given by the first, and made longer by the later ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Turn {
    First,
    Later,
}

/// Why it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cause {
    Unpaid,
    Asked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccessKind {
    Subscription,
    Pass,
}

/// What Cleeng gives the customer, by Cleeng's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) kind: AccessKind,
    pub(crate) id: u64,
}

/// Access as Cleeng has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) access: Access,
    pub(crate) standing: Standing,
    pub(crate) paid_until: Option<Moment>,
    /// The gateway's id of its latest payment.
    pub(crate) last_payment: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Active,
    /// It runs to its end.
    Stopped,
    Ended,
    Other,
}

/// Which access stands for the gateway's subscription, and how far it was paid when we last knew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Linked {
    pub(crate) access: Access,
    pub(crate) last_payment: Option<String>,
    pub(crate) paid_until: Option<Moment>,
    /// When the gateway ended it.
    pub(crate) ended_at: Option<Moment>,
}

/// How far Cleeng's record of an event's payment is. Nothing: it was never sent, or surely not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Progress {
    /// Written down as being sent: from here on an answer may have been lost.
    Sending {
        since: Moment,
    },
    Recorded {
        payment: CleengPaymentId,
    },
}

/// What the ledger knows of an event beside the event itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) progress: Option<Progress>,
    /// An earlier event of the same subscription is not done yet.
    pub(crate) is_earlier_open: bool,
    pub(crate) linked: Option<Linked>,
}

impl ExternalEvent {
    /// The payment that Cleeng has to have a record of.
    pub(crate) fn bill(&self) -> Option<&Bill> {
        match &self.happened {
            Happened::Paid { bill, .. } | Happened::Unpaid { bill, .. } => Some(bill),
            Happened::Cancelled | Happened::Ended(_) | Happened::Transferred => None,
        }
    }
}

impl AccessKind {
    /// None: nothing of Cleeng's that could be renewed or ended.
    pub(crate) fn of_offer(offer_id: &str) -> Option<AccessKind> {
        match offer_id.chars().next() {
            Some('S') => Some(AccessKind::Subscription),
            Some('P') => Some(AccessKind::Pass),
            Some(_) | None => None,
        }
    }

    pub(crate) fn label(self) -> &'static str {
        match self {
            AccessKind::Subscription => "subscription",
            AccessKind::Pass => "pass",
        }
    }

    pub(crate) fn from_label(text: &str) -> Option<AccessKind> {
        [AccessKind::Subscription, AccessKind::Pass]
            .into_iter()
            .find(|kind| kind.label() == text)
    }
}

impl From<Held> for Linked {
    fn from(held: Held) -> Linked {
        Linked {
            access: held.access,
            last_payment: held.last_payment,
            paid_until: held.paid_until,
            ended_at: None,
        }
    }
}
