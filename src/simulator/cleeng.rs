//! Cleeng's Core API 3.1, as far as a payment connector calls it, and the webhooks that Cleeng sends to one by a clock of its own.
//! Cleeng has no idempotency key: what is sent twice is there twice.

pub(crate) mod access;
pub(crate) mod agenda;
pub(crate) mod calendar;
pub(crate) mod copies;
pub(crate) mod courier;
pub(crate) mod details;
pub(crate) mod door;
pub(crate) mod dunning;
pub(crate) mod endpoint;
pub(crate) mod external;
pub(crate) mod fail;
pub(crate) mod hooks;
pub(crate) mod letter;
pub(crate) mod lifecycle;
pub(crate) mod method;
pub(crate) mod money;
pub(crate) mod offer;
pub(crate) mod operator;
pub(crate) mod order;
pub(crate) mod pass;
pub(crate) mod payment;
pub(crate) mod routes;
pub(crate) mod signing;
pub(crate) mod standing;
pub(crate) mod statement;
pub(crate) mod subscription;
pub(crate) mod token;
pub(crate) mod topic;
pub(crate) mod transition;
pub(crate) mod wire;
pub(crate) mod world;
