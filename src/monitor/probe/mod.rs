//! What a monitor does to find out whether a member serves.

mod tcp;

pub(super) use tcp::tcp;
