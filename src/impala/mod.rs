//! What is known of Impala's protocols, and nothing else.

mod answer;
mod opening;
mod question;
mod web;

pub use answer::Answer;
pub use opening::{Opening, is_tls_record};
pub use question::Question;
pub use web::{Coordinator, Metrics, Role, backend_role, coordinators};
