//! Stripe, as far as a payment connector sees it: strict parameters, real states, idempotency keys, signed events.

pub(crate) mod browser;
pub(crate) mod card;
pub(crate) mod create;
pub(crate) mod dispute;
pub(crate) mod door;
pub(crate) mod endpoint;
pub(crate) mod event;
pub(crate) mod fail;
pub(crate) mod form;
pub(crate) mod give_back;
pub(crate) mod intent;
pub(crate) mod list;
pub(crate) mod method;
pub(crate) mod params;
pub(crate) mod publishable;
pub(crate) mod refund;
pub(crate) mod setup;
pub(crate) mod shapes;
pub(crate) mod wire;
pub(crate) mod work;
pub(crate) mod world;

/// The version whose parameters are checked.
pub(crate) const API_VERSION: &str = "2026-06-24.dahlia";
