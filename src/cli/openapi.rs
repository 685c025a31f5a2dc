//! `openapi`: prints the document of the public API, for those who make code of it. It asks for no configuration.

use super::answer;
use crate::roles::ingest;

pub(super) fn openapi() {
    answer(&format!("{:#}", ingest::document()));
}
