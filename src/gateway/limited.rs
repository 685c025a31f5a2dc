//! A gateway that is not called more often, or more at once, than configured. What need not ask the gateway is passed on.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::{BadEvent, Gateway, MethodFault, Verified};
use crate::domain::attempt::Prepared;
use crate::domain::failure::CallError;
use crate::domain::ids::{AttemptId, GatewayRef};
use crate::domain::moment::Moment;
use crate::domain::outcome::{Decline, Outcome};
use crate::domain::payment::Payment;
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

    fn verify(&self, headers: &HeaderMap, raw: &[u8], now: Moment) -> Result<Verified, BadEvent> {
        self.inner.verify(headers, raw, now)
    }
}
