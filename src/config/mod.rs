//! The configuration file: read (`file`, `tree`), inherited (`inherit`), and resolved by the declarations of its keys
//! (`keys`) into a [`Model`](crate::model::Model).
//!
//! Every mistake in a file is reported at once, each with its place. Certificates and keys are not read here.

mod built_in;
mod diagnostic;
mod diff;
mod elsewhere;
mod encoding;
mod fields;
mod file;
mod inherit;
mod json_schema;
mod key_reference;
mod keys;
mod load;
mod long_form;
mod protocols;
mod resolve;
mod rule;
mod scalar;
mod show;
mod source;
mod suggest;
mod transports;
mod tree;
mod verification;
mod yaml_error;

pub use built_in::built_in;
pub use diagnostic::{Diagnostic, Diagnostics, Place, Severity};
pub use diff::{Change, Sign, diff};
pub use file::file_name;
pub use json_schema::json_schema;
pub use key_reference::reference;
pub use load::{Loaded, load, load_with, parse};
pub use scalar::duration;
pub use show::show;
pub use source::BuiltIn;
pub use suggest::did_you_mean;
