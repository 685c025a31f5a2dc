//! Text that must never be printed: tokens, client secrets, request bodies that carry them.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value that a log line, an error or a `Debug` shows as `[secret]`. It can be stored and sent: that is what it is for.
/// A clone is another hand on the same value: no second copy of it lies in memory.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Secret<T>(Arc<T>);

impl<T> Secret<T> {
    pub(crate) fn new(value: T) -> Self {
        Secret(Arc::new(value))
    }

    /// The value itself; every caller of this is a place to look at in a review.
    pub(crate) fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> Clone for Secret<T> {
    fn clone(&self) -> Self {
        Secret(Arc::clone(&self.0))
    }
}

impl<T: Serialize> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Secret::new)
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
