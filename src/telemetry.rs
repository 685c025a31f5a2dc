//! What the outside sees of a running process: logs, metrics, traces, and the operator's port. It decides nothing.

mod callers;
pub(crate) mod chain;
pub(crate) mod export;
mod families;
mod flow;
pub(crate) mod happenings;
mod holds;
mod json;
pub(crate) mod labels;
mod levels;
pub(crate) mod logging;
pub(crate) mod metrics;
pub(crate) mod ops;
mod reconciled;
mod refusals;
mod register;
pub(crate) mod spans;
pub(crate) mod trace;
