//! pronk as a process, and what passes through it.

#[path = "../support/mod.rs"]
mod support;

mod lb;
mod load;
mod relay;
