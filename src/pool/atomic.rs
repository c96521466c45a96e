//! The atomics and the lock that marks are made of; the model checker in `tests/guards.rs` uses its own instead.

pub(super) use std::sync::atomic::{AtomicBool, AtomicU32, Ordering, fence};

pub(super) use parking_lot::Mutex;
