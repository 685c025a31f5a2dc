//! Cleeng's Core API 3.1, as far as a payment connector calls it. Cleeng has no idempotency key: what is sent twice is there twice.

pub(crate) mod access;
pub(crate) mod details;
pub(crate) mod door;
pub(crate) mod fail;
pub(crate) mod money;
pub(crate) mod order;
pub(crate) mod payment;
pub(crate) mod standing;
pub(crate) mod transition;
pub(crate) mod wire;
pub(crate) mod world;
