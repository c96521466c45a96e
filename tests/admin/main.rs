//! The admin API: who may do what by which way, what is bounded, what the audit log has, and how all of it changes by a
//! reload.

mod audit;
mod bounds;
mod commands;
mod http;
mod lab;
mod matrix;
mod mistakes;
mod processes;
mod reloads;
mod tokens;

#[path = "../support/mod.rs"]
mod support;
