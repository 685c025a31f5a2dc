//! Text that must never be printed: tokens, client secrets, request bodies that carry them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A value that a log line, an error or a `Debug` shows as `[secret]`. It can be stored and sent: that is what it is for.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Secret<T>(T);

impl<T> Secret<T> {
    pub(crate) fn new(value: T) -> Self {
        Secret(value)
    }

    /// The value itself; every caller of this is a place to look at in a review.
    pub(crate) fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown_by_debug() {
        assert_eq!(
            format!("{:?}", Secret::new("pm_123".to_owned())),
            "[secret]"
        );
    }
}
