//! The model beyond a checkout: stored methods are charged, holds are taken and given up. Nothing else is asked of it.

use async_trait::async_trait;

use super::model::{Model, prepared};
use super::script::Kind;
use crate::config::CaptureMode;
use crate::domain::attempt::{FORM, Prepared, Stage};
use crate::domain::failure::CallError;
use crate::domain::ids::GatewayRef;
use crate::domain::money::Money;
use crate::domain::money_back::{Dispute, Refund};
use crate::domain::outcome::Decline;
use crate::domain::payment::{Method, Payment, Take};
use crate::domain::secret::Secret;
use crate::gateway::billing::{Billing, Refunding, Saving};

#[async_trait]
impl Billing for Model {
    fn prepare_stored(&self, payment: &Payment, capture: CaptureMode) -> Result<Prepared, Decline> {
        assert!(matches!(payment.method, Method::Stored { .. }));
        let wanted = match self.kind {
            Kind::Renewal(Take::Reserve) => CaptureMode::Manual,
            Kind::Renewal(Take::AtOnce) => CaptureMode::Automatic,
            Kind::Checkout | Kind::Held => panic!("a checkout charges what its payer gave"),
        };
        assert_eq!(capture, wanted);
        self.next_request(payment)
    }

    fn prepare_capture(&self, reference: &GatewayRef, amount: Money) -> Result<Prepared, Decline> {
        assert_eq!(amount, self.world().objects.amount);
        let path = format!("/objects/{reference}");
        Ok(prepared(Stage::Capture, path, FORM))
    }

    fn prepare_void(&self, reference: &GatewayRef) -> Prepared {
        prepared(Stage::Void, format!("/objects/{reference}"), FORM)
    }

    fn prepare_refund(&self, _: &Refunding<'_>) -> Result<Prepared, Decline> {
        unreachable!("no refund is asked for")
    }

    fn prepare_save(&self, _: &Saving<'_>) -> Result<Prepared, Decline> {
        unreachable!("a method is saved with its charge")
    }

    fn prepare_remove(&self, _: &Secret<String>) -> Result<Prepared, Decline> {
        unreachable!("no method is forgotten")
    }

    async fn look_up_refunds(&self, _: &GatewayRef) -> Result<Vec<Refund>, CallError> {
        unreachable!("no refund is read")
    }

    async fn look_up_disputes(&self, _: &GatewayRef) -> Result<Vec<Dispute>, CallError> {
        unreachable!("no dispute is read")
    }
}
