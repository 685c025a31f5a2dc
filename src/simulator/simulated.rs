//! The simulated gateway: the simplest complete one, a single call a charge, and nothing to look up by but the charge's id.

pub(crate) mod card;
pub(crate) mod door;
pub(crate) mod list;
pub(crate) mod money_back;
pub(crate) mod saving;
pub(crate) mod subscription;
pub(crate) mod wire;
pub(crate) mod work;
pub(crate) mod world;
