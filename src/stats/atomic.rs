//! The atomics that the counts are made of; the model checker in `tests/guards.rs` uses its own instead.

pub(super) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
