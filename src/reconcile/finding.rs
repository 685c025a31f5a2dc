//! One disagreement as a person is told of it: what each of the three says. No secret is in it.

use serde_json::{Value, json};

use crate::domain::confirmation::Delivery;
use crate::domain::ids::{GatewayName, GatewayRef, PaymentId};
use crate::domain::money::Money;
use crate::domain::money_back::{Dispute, DisputeState, MoneyBack, Refund, RefundState};
use crate::domain::payment::Known;
use crate::domain::reconcile::{Charge, ChargeState, Evidence, Kind, Repair, subject};

/// What a gateway shows of one payment, or why it shows nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AtGatewaySide {
    Shows(Charge),
    Lacks,
    NotAsked,
}

/// One disagreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) kind: Kind,
    pub(crate) repair: Option<Repair>,
    pub(crate) gateway: GatewayName,
    /// The ledger's payment, or the one whose id the gateway's object carries.
    pub(crate) payment_id: Option<PaymentId>,
    /// The gateway's id of the payment.
    pub(crate) reference: Option<GatewayRef>,
    pub(crate) at_gateway: String,
    pub(crate) in_ledger: String,
    pub(crate) at_cleeng: String,
}

impl Finding {
    pub(crate) fn line(&self) -> String {
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        format!(
            "{}  payment {}  {} {}\n    gateway: {}; ledger: {}; Cleeng: {}\n    do: {}",
            self.kind.label(),
            or_none(self.payment_id.map(|id| id.to_string())),
            self.gateway,
            or_none(self.reference.as_ref().map(ToString::to_string)),
            self.at_gateway,
            self.in_ledger,
            self.at_cleeng,
            self.kind.advice(),
        )
    }

    pub(crate) fn document(&self) -> Value {
        json!({
            "kind": self.kind.label(), "paymentId": self.payment_id, "gateway": self.gateway,
            "externalPaymentId": self.reference, "atGateway": self.at_gateway, "inLedger": self.in_ledger,
            "atCleeng": self.at_cleeng, "advice": self.kind.advice(), "repairable": self.repair.is_some(),
        })
    }
}

impl AtGatewaySide {
    pub(super) fn reference(&self) -> Option<&GatewayRef> {
        match self {
            AtGatewaySide::Shows(charge) => Some(&charge.reference),
            AtGatewaySide::Lacks | AtGatewaySide::NotAsked => None,
        }
    }

    pub(super) fn carries(&self) -> Option<PaymentId> {
        match self {
            AtGatewaySide::Shows(charge) => charge.carries,
            AtGatewaySide::Lacks | AtGatewaySide::NotAsked => None,
        }
    }

    pub(super) fn told(&self) -> String {
        match self {
            AtGatewaySide::Lacks => "has nothing of this id".to_owned(),
            AtGatewaySide::NotAsked => "was not asked".to_owned(),
            AtGatewaySide::Shows(charge) => match charge.state {
                ChargeState::Open => "begun, no money moved".to_owned(),
                ChargeState::Pending => "works on it".to_owned(),
                ChargeState::Held(money) => format!("holds {}", amount(money)),
                ChargeState::Taken(money) => format!("took {}", amount(money)),
                ChargeState::Ended => "declined or ended, no money".to_owned(),
            },
        }
    }
}

pub(super) fn of_payment(known: Option<&Known>) -> String {
    let Some(known) = known else {
        return "knows no such payment".to_owned();
    };
    let status = known.payment.status.label();
    match &known.payment.order {
        Some(order) => format!("{status}, {}", amount(order.amount)),
        None => status.to_owned(),
    }
}

/// What the ledger keeps beside a payment of what the gateway calls so.
pub(super) fn of_entries(known: Option<&Known>, entries: &[MoneyBack]) -> String {
    let gone = entries.iter().map(|entry| {
        format!(
            "{} of {} {}",
            entry.kind.label(),
            amount(entry.amount),
            entry.state.label()
        )
    });
    let gone: Vec<String> = gone.collect();
    match gone.is_empty() {
        true => format!("{}; nothing went back", of_payment(known)),
        false => format!("{}; {}", of_payment(known), gone.join(", ")),
    }
}

pub(super) fn of_refund(refund: &Refund) -> String {
    let state = match &refund.state {
        RefundState::Done => "done",
        RefundState::Pending => "pending",
        RefundState::Failed { .. } => "failed",
    };
    format!(
        "refund {} of {}, {state}",
        refund.reference.0,
        amount(refund.amount)
    )
}

pub(super) fn of_dispute(dispute: &Dispute) -> String {
    let state = match dispute.state {
        DisputeState::Inquiry => "an inquiry",
        DisputeState::Open => "open",
        DisputeState::Won => "won",
        DisputeState::Lost => "lost",
    };
    format!(
        "dispute {} of {}, {state}",
        dispute.reference.0,
        amount(dispute.amount)
    )
}

pub(super) fn of_cleeng(known: Option<&Known>, evidence: Evidence) -> String {
    let believed = known.and_then(subject).map(|told| match told.delivery {
        Delivery::Delivered {
            cleeng_payment_id: Some(id),
        } => format!("told {} as payment {id}, ", told.report.label()),
        Delivery::Delivered { .. } => format!("told {}, ", told.report.label()),
        Delivery::Queued | Delivery::Sending { .. } | Delivery::DeadLettered => {
            format!("not told {}, ", told.report.label())
        }
    });
    let read = match evidence {
        Evidence::Proved => "a read proves the record",
        Evidence::Contradicted => "a read shows no such record",
        Evidence::PaidByOthers => "another payment, unknown here, stands for the cycle",
        Evidence::CannotBeRead => "no read can tell",
        Evidence::NothingTold => "told nothing yet",
        Evidence::Unread => "could not be read",
    };
    format!("{}{read}", believed.unwrap_or_default())
}

fn amount(money: Money) -> String {
    format!("{} {} (minor units)", money.minor, money.currency)
}
