//! Completions for a shell: `pronk completions` prints what the shell calls pronk by, and pronk then says what fits, names of
//! what runs among it.

mod bash;
mod command;
mod names;
mod zsh;

pub(super) use command::{Args, complete};
pub(super) use names::{members, named, nodes, pools, virtual_servers};
