//! The three roles of the executable: ingest takes in, worker charges, confirmer tells Cleeng.

pub(crate) mod breakers;
pub(crate) mod confirmer;
pub(crate) mod counted;
pub(crate) mod ingest;
pub(crate) mod worker;
