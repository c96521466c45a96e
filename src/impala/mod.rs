//! Impala's protocols: first bytes of its clients, questions that probes ask its ports, and the JSON of its web UI.

mod answer;
mod first_bytes;
mod question;
mod sasl_message;
mod session_opening;
mod thrift;
mod web_ui;

pub use answer::Answer;
pub use first_bytes::{Opening, answered_instead_of_tls, is_tls_record};
pub use question::Question;
pub use sasl_message::{SaslMessage, SaslStatus, sasl_begin};
pub use session_opening::SessionOpening;
pub use web_ui::{Coordinator, Metrics, Role, backend_role, coordinators};
