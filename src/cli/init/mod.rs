//! `pronk init`: writes a first configuration file, and makes its certificate.

mod certificate;
mod command;
mod plan;
mod questions;
mod text;

pub(super) use command::Args;
