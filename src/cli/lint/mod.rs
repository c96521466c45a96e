//! `pronk lint`.

mod command;
mod levels;
mod live;
mod output;

pub(super) use command::Args;
