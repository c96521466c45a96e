//! What is known of Impala's protocols, and nothing else.

mod opening;

pub use opening::{OPENING_LENGTH, Opening, is_tls_record};
