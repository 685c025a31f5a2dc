//! Payment methods, and which of them are externally managed.

use serde_json::{Value, json};

use super::fail::Fail;
use super::wire::NewMethod;
use super::world::{Desk, World};

/// A payment method made by `POST /payment_methods`.
#[derive(Debug, Clone)]
pub(crate) struct Method {
    management: Management,
    auto_terminate: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Management {
    Cleeng,
    External,
}

impl World {
    /// `POST /payment_methods`. Published nowhere: the answer's shape is a guess.
    ///
    /// # Errors
    /// A field is empty (400).
    pub(crate) fn create_method(&mut self, new: NewMethod) -> Result<Value, Fail> {
        for (name, text) in [
            ("source", &new.source),
            ("methodName", &new.method_name),
            ("paymentGateway", &new.payment_gateway),
        ] {
            if text.is_empty() {
                return Err(Fail::invalid(format!("{name} is required")));
            }
        }
        let id = self.next();
        let auto_terminate = new.auto_terminate.unwrap_or(true);
        let management = match new.is_external_payment {
            true => Management::External,
            false => Management::Cleeng,
        };
        self.methods.insert(
            id,
            Method {
                management,
                auto_terminate,
            },
        );
        Ok(json!({
            "id": id,
            "source": new.source,
            "methodName": new.method_name,
            "paymentGateway": new.payment_gateway,
            "isExternalPayment": new.is_external_payment,
            "paymentSupport": new.payment_support,
            "paymentAmountAccuracy": new.payment_amount_accuracy,
            "feeRate": new.fee_rate,
            "handler": new.handler.unwrap_or_else(|| "external".to_owned()),
            "gatewayParameters": new.gateway_parameters,
            "autoTerminate": auto_terminate,
        }))
    }

    /// Cleeng's support sets most methods up, so an unknown id may well be one of these; the publisher's Cleeng-managed one is not.
    pub(crate) fn external_method(&self, desk: &Desk, id: u64) -> Result<(), Fail> {
        let is_ours = match self.methods.get(&id) {
            Some(method) => method.management == Management::Cleeng,
            None => id == desk.payment_method_id || id == 0,
        };
        match is_ours {
            true => Err(Fail::unprocessable(
                "paymentMethodId is not configured for externally managed payments",
            )),
            false => Ok(()),
        }
    }

    /// Does Cleeng end what was not renewed in time?
    pub(crate) fn terminates(&self, id: u64) -> bool {
        self.methods
            .get(&id)
            .is_none_or(|method| method.auto_terminate)
    }
}
