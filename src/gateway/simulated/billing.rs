//! The simulated gateway, after the checkout: its further requests, and the reads of refunds and disputes.

use async_trait::async_trait;
use serde::de::DeserializeOwned;

use super::{Asked, Simulated, as_json, charge, meaning, no, object_path, prepared, read, wire};
use crate::config::CaptureMode;
use crate::domain::attempt::{Prepared, Stage};
use crate::domain::failure::CallError;
use crate::domain::ids::GatewayRef;
use crate::domain::money::Money;
use crate::domain::money_back::{Dispute, Refund};
use crate::domain::outcome::{Decline, DeclineClass};
use crate::domain::payment::{Method, Payment};
use crate::domain::secret::Secret;
use crate::gateway::billing::{Billing, Refunding, Saving};
use crate::gateway::method::token;
use crate::http::{Answer, Purpose, unreadable};

#[async_trait]
impl Billing for Simulated {
    fn prepare_stored(&self, payment: &Payment, capture: CaptureMode) -> Result<Prepared, Decline> {
        match payment.method {
            Method::Stored { .. } => charge(payment, capture),
            Method::New { .. } => Err(no(DeclineClass::NeedsCustomer, "not_stored")),
        }
    }

    fn prepare_capture(&self, reference: &GatewayRef, amount: Money) -> Result<Prepared, Decline> {
        let path = format!("{}/capture", object_path(reference));
        prepared(Stage::Capture, path, &wire::NewCapture { amount })
    }

    fn prepare_void(&self, reference: &GatewayRef) -> Prepared {
        let path = format!("{}/cancel", object_path(reference));
        as_json(Stage::Void, path, "{}".to_owned())
    }

    fn prepare_refund(&self, refunding: &Refunding<'_>) -> Result<Prepared, Decline> {
        let refund = wire::NewRefund {
            amount: refunding.amount,
            reference: refunding.id.to_string(),
        };
        let path = format!("{}/refunds", object_path(refunding.reference));
        prepared(Stage::Refund, path, &refund)
    }

    fn prepare_save(&self, saving: &Saving<'_>) -> Result<Prepared, Decline> {
        let token = token(saving.method.reveal())
            .ok_or_else(|| no(DeclineClass::NeedsCustomer, "no_token"))?;
        let method = wire::NewMethod {
            reference: saving.payment_id.to_string(),
            method: wire::Method { token },
            return_url: saving.return_url,
        };
        prepared(Stage::Save, "/methods".to_owned(), &method)
    }

    fn prepare_remove(&self, stored: &Secret<String>) -> Result<Prepared, Decline> {
        let token = stored.reveal();
        let path = "/methods/remove".to_owned();
        prepared(Stage::Remove, path, &wire::Removal { token })
    }

    async fn look_up_refunds(&self, reference: &GatewayRef) -> Result<Vec<Refund>, CallError> {
        list(&self.get(reference, "/refunds").await?, read::refund)
    }

    async fn look_up_disputes(&self, reference: &GatewayRef) -> Result<Vec<Dispute>, CallError> {
        list(&self.get(reference, "/disputes").await?, read::dispute)
    }
}

/// A list is read whole or not at all: one entry that says nothing could be the one that counts.
fn list<W: DeserializeOwned, T>(
    answer: &Answer,
    read: fn(W) -> Option<T>,
) -> Result<Vec<T>, CallError> {
    if answer.is_success() {
        return serde_json::from_slice(&answer.body)
            .ok()
            .and_then(|list: wire::List<W>| list.data.into_iter().map(read).collect())
            .ok_or_else(|| unreadable(Purpose::Read));
    }
    match meaning(answer, Asked::Read) {
        Err(why) => Err(why),
        Ok(_) => Err(unreadable(Purpose::Read)),
    }
}
