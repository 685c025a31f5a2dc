//! A gateway that is not called more often, or more at once, than configured. What need not ask the gateway is passed on.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::billing::{Billing, Refunding, Saving};
use super::listing::Lists;
use super::{BadEvent, Gateway, MethodFault, Probe, Verified};
use crate::config::CaptureMode;
use crate::domain::attempt::Prepared;
use crate::domain::failure::CallError;
use crate::domain::ids::{AttemptId, GatewayRef};
use crate::domain::moment::Moment;
use crate::domain::money::Money;
use crate::domain::money_back::{Dispute, Refund};
use crate::domain::outcome::{Decline, Outcome};
use crate::domain::payment::Payment;
use crate::domain::secret::Secret;
use crate::http::Pace;

pub(super) struct Limited {
    pub(super) inner: Arc<dyn Gateway>,
    pub(super) pace: Pace,
}

#[async_trait]
impl Gateway for Limited {
    fn key_lifetime(&self) -> Duration {
        self.inner.key_lifetime()
    }

    fn payment_method_id(&self) -> u64 {
        self.inner.payment_method_id()
    }

    fn check_method(&self, method: &Value) -> Result<(), MethodFault> {
        self.inner.check_method(method)
    }

    fn prepare(&self, payment: &Payment) -> Result<Prepared, Decline> {
        self.inner.prepare(payment)
    }

    fn prepare_cancel(&self, reference: &GatewayRef) -> Prepared {
        self.inner.prepare_cancel(reference)
    }

    async fn send(&self, key: AttemptId, request: &Prepared) -> Result<Outcome, CallError> {
        let _turn = self.pace.turn().await?;
        self.inner.send(key, request).await
    }

    async fn look_up(&self, reference: &GatewayRef) -> Result<Outcome, CallError> {
        let _turn = self.pace.turn().await?;
        self.inner.look_up(reference).await
    }

    async fn probe(&self) -> Result<Probe, CallError> {
        let _turn = self.pace.turn().await?;
        self.inner.probe().await
    }

    fn lists(&self) -> Option<&dyn Lists> {
        let can_list = self.inner.lists().is_some();
        can_list.then_some(self as &dyn Lists)
    }

    fn bills_itself(&self) -> bool {
        self.inner.bills_itself()
    }

    fn verify(&self, headers: &HeaderMap, raw: &[u8], now: Moment) -> Result<Verified, BadEvent> {
        self.inner.verify(headers, raw, now)
    }
}

#[async_trait]
impl Billing for Limited {
    fn prepare_stored(&self, payment: &Payment, capture: CaptureMode) -> Result<Prepared, Decline> {
        self.inner.prepare_stored(payment, capture)
    }

    fn prepare_capture(&self, reference: &GatewayRef, amount: Money) -> Result<Prepared, Decline> {
        self.inner.prepare_capture(reference, amount)
    }

    fn prepare_void(&self, reference: &GatewayRef) -> Prepared {
        self.inner.prepare_void(reference)
    }

    fn prepare_refund(&self, refunding: &Refunding<'_>) -> Result<Prepared, Decline> {
        self.inner.prepare_refund(refunding)
    }

    fn prepare_save(&self, saving: &Saving<'_>) -> Result<Prepared, Decline> {
        self.inner.prepare_save(saving)
    }

    fn prepare_remove(&self, stored: &Secret<String>) -> Result<Prepared, Decline> {
        self.inner.prepare_remove(stored)
    }

    async fn look_up_refunds(&self, reference: &GatewayRef) -> Result<Vec<Refund>, CallError> {
        let _turn = self.pace.turn().await?;
        self.inner.look_up_refunds(reference).await
    }

    async fn look_up_disputes(&self, reference: &GatewayRef) -> Result<Vec<Dispute>, CallError> {
        let _turn = self.pace.turn().await?;
        self.inner.look_up_disputes(reference).await
    }
}
