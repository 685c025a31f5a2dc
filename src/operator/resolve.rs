//! An operator's word about a payment that nothing else can settle, held against what its gateway says where that can be read.

use std::sync::Arc;

use uuid::Uuid;

use crate::clock;
use crate::domain::attempt::AttemptState;
use crate::domain::confirmation::{Confirmation, ConfirmationId};
use crate::domain::deed::{Deed, DeedKind, Operator};
use crate::domain::failure::CallError;
use crate::domain::ids::{GatewayName, GatewayRef, PaymentId};
use crate::domain::money::Money;
use crate::domain::outcome::Outcome;
use crate::domain::payment::{self, Known, NotResolvable, Resolution, Status};
use crate::gateway::Gateways;
use crate::ledger::{Change, Committed, Ledger, LedgerError};

/// Others may write to the payment at the same time; then it is read and decided again, this often.
const TRIES: usize = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The gateway's own pages show that the money was taken.
    Captured,
    /// They show that no money was taken and none can be any more.
    NotCharged,
}

impl Verdict {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Verdict::Captured => "captured",
            Verdict::NotCharged => "not-charged",
        }
    }

    pub(crate) fn from_label(text: &str) -> Option<Verdict> {
        [Verdict::Captured, Verdict::NotCharged]
            .into_iter()
            .find(|verdict| verdict.label() == text)
    }
}

/// What an operator says about one payment.
#[derive(Debug, Clone)]
pub(crate) struct Word {
    pub(crate) verdict: Verdict,
    /// The payment's id at the gateway, where the connector does not know it.
    pub(crate) reference: Option<GatewayRef>,
    /// The gateway is not asked whether it agrees.
    pub(crate) unchecked: bool,
}

/// What the payment is now.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) status: Status,
    /// What Cleeng has to be told: written down, and to be put into its queue by the caller.
    pub(crate) owed: Option<Confirmation>,
}

/// Why an operator's word is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResolveError {
    #[error("{0}: the ledger has no such payment")]
    UnknownPayment(PaymentId),
    #[error("--external-id {given}: the payment is known as {own} at its gateway")]
    OtherReference { given: GatewayRef, own: GatewayRef },
    #[error("--external-id: say the payment's id at the gateway; Cleeng needs it for refunds")]
    NeedsReference,
    #[error("the gateway took {} {}, which is not the order's amount", .0.minor, .0.currency)]
    OtherAmount(Money),
    #[error("the gateway says that the payment is {0}; --unchecked takes your word all the same")]
    Disagrees(&'static str),
    #[error("{reference}: the gateway cannot be read; --unchecked takes your word for it")]
    Unreadable {
        reference: GatewayRef,
        #[source]
        source: CallError,
    },
    #[error("no gateway {0} is configured here")]
    UnknownGateway(GatewayName),
    #[error(transparent)]
    NotResolvable(#[from] NotResolvable),
    #[error("{0}: the payment changes all the time; try again")]
    Busy(PaymentId),
    #[error("the ledger cannot be used")]
    Ledger(#[from] LedgerError),
}

/// # Errors
/// Nothing was changed; the operator log may have an entry too many.
pub(crate) async fn resolve(
    ledger: &Ledger,
    gateways: &Gateways,
    id: PaymentId,
    word: &Word,
    operator: &Operator,
) -> Result<Resolved, ResolveError> {
    let mut noted = false;
    for _ in 0..TRIES {
        let known = ledger.known(id).await?;
        let known = known.ok_or(ResolveError::UnknownPayment(id))?;
        let resolution = resolution(gateways, &known, word).await?;
        let change = Arc::new(change(&known, &resolution, operator)?);
        if !noted {
            let subject = format!("as {}", word.verdict.label());
            let deed = Deed::new(DeedKind::Resolve, operator, subject, Some(id), clock::now());
            ledger.note_deed(&deed).await?;
            noted = true;
        }
        if let Committed::Version(_) = ledger.commit(Arc::clone(&change)).await? {
            return Ok(Resolved {
                status: change.payment.status,
                owed: change.confirmations.first().cloned(),
            });
        }
    }
    Err(ResolveError::Busy(id))
}

fn change(
    known: &Known,
    resolution: &Resolution,
    operator: &Operator,
) -> Result<Change, NotResolvable> {
    let now = clock::now();
    let (payment, report) = payment::resolve(&known.payment, resolution, now)?;
    let mut after = known.clone();
    after.payment = payment;
    for attempt in &mut after.attempts {
        if attempt.state.is_open() {
            attempt.state = match resolution {
                Resolution::Captured { .. } => AttemptState::Answered,
                Resolution::NotCharged => AttemptState::Void,
            };
        }
    }
    if let Some(report) = report {
        let id = ConfirmationId(Uuid::now_v7());
        let owed = Confirmation::next(&known.confirmations, id, after.payment.id, report, now);
        after.confirmations.push(owed);
    }
    let reason = Some(operator.because().to_owned());
    Ok(Change::between(known, &after, "resolved", reason))
}

async fn resolution(
    gateways: &Gateways,
    known: &Known,
    word: &Word,
) -> Result<Resolution, ResolveError> {
    let reference = match (word.reference.clone(), known.payment.reference().cloned()) {
        (Some(given), Some(own)) if given != own => {
            return Err(ResolveError::OtherReference { given, own });
        }
        (given, own) => own.or(given),
    };
    let seen = match &reference {
        Some(reference) if !word.unchecked => Some(look_up(gateways, known, reference).await?),
        Some(_) | None => None,
    };
    match (word.verdict, reference, seen) {
        (Verdict::Captured, None, _) => Err(ResolveError::NeedsReference),
        (
            Verdict::Captured,
            Some(_),
            Some(Outcome::Captured {
                reference,
                amount,
                stored,
            }),
        ) => {
            let asked = known.payment.order.as_ref().map(|order| order.amount);
            if asked != Some(amount) {
                return Err(ResolveError::OtherAmount(amount));
            }
            Ok(Resolution::Captured { reference, stored })
        }
        (
            Verdict::NotCharged,
            _,
            Some(outcome @ (Outcome::Captured { .. } | Outcome::Authorized { .. })),
        )
        | (Verdict::Captured, _, Some(outcome)) => Err(ResolveError::Disagrees(outcome.label())),
        (Verdict::Captured, Some(reference), None) => Ok(Resolution::Captured {
            reference,
            stored: None,
        }),
        (Verdict::NotCharged, _, _) => Ok(Resolution::NotCharged),
    }
}

async fn look_up(
    gateways: &Gateways,
    known: &Known,
    reference: &GatewayRef,
) -> Result<Outcome, ResolveError> {
    let name = &known.payment.gateway;
    let gateway = gateways
        .get(name)
        .ok_or_else(|| ResolveError::UnknownGateway(name.clone()))?;
    let seen = gateway.look_up(reference).await;
    seen.map_err(|source| ResolveError::Unreadable {
        reference: reference.clone(),
        source,
    })
}
