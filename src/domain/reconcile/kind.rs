//! The names of disagreements, and what each asks of a person.

/// In what gateway, ledger and Cleeng disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// The gateway has money that the ledger knows nothing of.
    UnknownCharge,
    /// The gateway has money for a payment whose charge, to the ledger, is another one.
    SecondCharge,
    /// Gateway and ledger name different amounts or currencies.
    AmountDiffers,
    /// The ledger has money that the gateway does not show.
    ChargeMissing,
    /// The ledger has a refund or a chargeback that the gateway does not show.
    ReturnMissing,
    /// The gateway is further than the ledger.
    EventMissed,
    /// The gateway has a refund that the ledger does not know so.
    RefundMissed,
    /// The same of a dispute.
    DisputeMissed,
    /// Whether money moved is not known, or the payment has failed.
    Unresolved,
    /// Nothing was ever owed to Cleeng for what the ledger knows.
    NeverOwed,
    /// Cleeng is owed news.
    ConfirmationOwed,
    /// News for Cleeng were given up.
    ConfirmationDead,
    /// Cleeng has no record of what it confirmed to have.
    RecordMissing,
    /// Cleeng counts the cycle as paid by a payment that the ledger does not know.
    PaidByOthers,
}

impl Kind {
    pub(crate) const ALL: [Kind; 14] = [
        Kind::UnknownCharge,
        Kind::SecondCharge,
        Kind::AmountDiffers,
        Kind::ChargeMissing,
        Kind::ReturnMissing,
        Kind::EventMissed,
        Kind::RefundMissed,
        Kind::DisputeMissed,
        Kind::Unresolved,
        Kind::NeverOwed,
        Kind::ConfirmationOwed,
        Kind::ConfirmationDead,
        Kind::RecordMissing,
        Kind::PaidByOthers,
    ];

    /// As reports and a metric's label spell it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Kind::UnknownCharge => "unknown_charge",
            Kind::SecondCharge => "second_charge",
            Kind::AmountDiffers => "amount_differs",
            Kind::ChargeMissing => "charge_missing",
            Kind::ReturnMissing => "return_missing",
            Kind::EventMissed => "event_missed",
            Kind::RefundMissed => "refund_missed",
            Kind::DisputeMissed => "dispute_missed",
            Kind::Unresolved => "unresolved",
            Kind::NeverOwed => "never_owed",
            Kind::ConfirmationOwed => "confirmation_owed",
            Kind::ConfirmationDead => "confirmation_dead",
            Kind::RecordMissing => "record_missing",
            Kind::PaidByOthers => "paid_by_others",
        }
    }

    /// What to do about it.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Kind::UnknownCharge => {
                "find out at the gateway who made it; give it back there, or record it at Cleeng by hand"
            }
            Kind::SecondCharge => {
                "the payer may have paid twice: give one of the two back at the gateway"
            }
            Kind::AmountDiffers => {
                "look at both sides; what was taken is settled at the gateway and at Cleeng by hand"
            }
            Kind::ChargeMissing => {
                "look for it on the gateway's pages, in the right account and mode (live or test)"
            }
            Kind::ReturnMissing => "look for the refund or dispute on the gateway's pages",
            Kind::EventMissed | Kind::RefundMissed | Kind::DisputeMissed => {
                "--repair has it read at the gateway, as its webhook would have"
            }
            Kind::Unresolved => "`payments resolve`, after a look at the gateway's pages",
            Kind::NeverOwed => {
                "Cleeng was never to be told: record it there by hand, and report this as a fault"
            }
            Kind::ConfirmationOwed => {
                "--repair queues it again; is a confirmer running, and Cleeng reachable?"
            }
            Kind::ConfirmationDead => {
                "`dead-letters list` says why; --repair takes it up again, where that cannot double the record"
            }
            Kind::RecordMissing => {
                "look at the order there; record it by hand, or ask Cleeng's support"
            }
            Kind::PaidByOthers => {
                "the subscriber may have paid twice: look at the subscription at Cleeng"
            }
        }
    }
}
