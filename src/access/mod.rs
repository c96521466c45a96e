//! Who may administer pronk over the network: roles, bearer tokens and the file that lists them, and how often an address
//! may try.
//!
//! A token is 256 random bits, and the file has its SHA-256. A slow hash, as passwords need, would add nothing: nobody
//! can guess 256 random bits, however fast a guess is, and every request would pay for it on the thread that also runs
//! the monitors.

mod address_budget;
mod role;
mod secret;
mod token;
mod token_line;
mod tokens;
mod tokens_file;

pub use address_budget::{AddressBudget, network_of};
pub use role::Role;
pub use secret::Secret;
pub use token::Token;
pub use tokens::{Tokens, Verdict};
pub use tokens_file::{EditError, LineError, TokensFileError, append, read, remove};
