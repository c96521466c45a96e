//! Handing over to a new process, and taking over from an old one: `export` and `import` say what goes from one to the
//! other, `upgrade` is the predecessor's side step by step, `processes` follows those that drain, and
//! `held` counts what they have.

mod export;
mod handed_over;
mod held;
mod import;
mod processes;
#[cfg(test)]
mod tests;
mod upgrade;

pub(super) use export::greeting;
pub use handed_over::HandedOver;
pub(super) use held::{count_elsewhere, held};
pub use import::Inheritance;
pub(super) use import::{apply, count_connections, discovered, import_tickets};
pub use processes::DrainingProcess;
pub(super) use processes::DrainingProcesses;
pub(super) use upgrade::{Step, Upgrade};
