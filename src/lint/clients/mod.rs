//! Which clients accept a certificate for a name: each client's own rules for names, as pure functions, and what its
//! verifier makes of the chain.
//!
//! [`names`] judges the names alone. A [`Verifier`] builds the path that its clients take, and tells every rule that it
//! breaks. The linter's findings and the table of clients both come from this model.

mod client;
mod impala_shell_3;
mod java;
mod judge;
mod matrix;
mod offer;
mod openssl;
pub(in crate::lint) mod path;
mod python;
mod render;
mod rustls;
mod shared_rules;
#[cfg(test)]
mod tests;
mod thrift_cpp;
mod verdict;
mod view;

pub use client::Client;
pub use judge::names;
pub use matrix::{Matrix, Row};
pub use offer::Offer;
pub use path::{Outcome, Refusal, Verifier};
pub use render::render;
pub use verdict::{NAME_REFUSALS, Verdict, Why};
pub use view::{ClientView, MatrixView, RowView, VerdictView};
