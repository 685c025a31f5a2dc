//! The hot path on PostgreSQL: one statement, hence one round trip and one durable commit, for a whole group of calls.

mod accepts;
mod alone;
mod changes;
mod reads;

pub(super) use accepts::Accepts;
pub(super) use changes::Changes;
pub(super) use reads::Reads;

/// The plans of the grouped statements are made once, when tables may still be empty, and kept: they must be those for large
/// tables, each row reached through an index.
pub(super) const SET_UP: &str =
    "SET plan_cache_mode = force_generic_plan; SET enable_bitmapscan = off;";

/// One column of a group's rows.
fn column<'r, R, T>(rows: &'r [R], of: impl Fn(&'r R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}
