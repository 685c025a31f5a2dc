//! The pure part: ids, money, the payment's states, what to do next. It knows no clock, no socket and no runtime.
#![warn(
    clippy::float_arithmetic,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

pub(crate) mod attempt;
pub(crate) mod breaker;
pub(crate) mod confirmation;
pub(crate) mod dead;
pub(crate) mod deed;
pub(crate) mod delivery;
pub(crate) mod demand;
pub(crate) mod external;
pub(crate) mod failure;
pub(crate) mod flow;
pub(crate) mod forecast;
pub(crate) mod ids;
pub(crate) mod message;
pub(crate) mod moment;
pub(crate) mod money;
pub(crate) mod money_back;
pub(crate) mod outcome;
pub(crate) mod pause;
pub(crate) mod payment;
pub(crate) mod plan;
pub(crate) mod presence;
pub(crate) mod queue;
pub(crate) mod rate;
pub(crate) mod reconcile;
pub(crate) mod reopening;
pub(crate) mod retry;
pub(crate) mod secret;
pub(crate) mod view;
pub(crate) mod waiting;
