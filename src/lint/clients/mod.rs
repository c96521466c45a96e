//! Which clients accept a certificate for a name: each client's own rules, as pure functions.
//!
//! [`names`] judges the names alone; [`refusal`](refusal()) decides what else of a certificate makes some client refuse
//! it. Trust, dates, revocation and name constraints are the linter's business and not judged here.

mod client;
mod impala_shell_3;
mod java;
mod judge;
mod matrix;
mod openssl;
mod python;
mod refusal;
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
pub use refusal::refusal;
pub use render::render;
pub use verdict::{Verdict, Why};
pub use view::{ClientView, MatrixView, RowView, VerdictView};
