//! The configuration file: read, checked against `schema`, inherited, and resolved into a [`Model`].
//!
//! Every mistake in a file is reported at once, each with its place. Certificates and keys are not read here.

mod built_in;
mod diagnostic;
mod diff;
mod fields;
mod file;
mod inherit;
mod json_schema;
mod keys;
mod reference;
mod resolve;
mod rule;
mod scalar;
mod show;
mod source;
mod suggest;
mod tree;

use std::path::Path;

pub use built_in::{BuiltIn, built_in};
pub use diagnostic::{Diagnostic, Diagnostics, Place, Severity};
pub use diff::{Change, Sign, diff};
pub use json_schema::json_schema;
pub use reference::reference;
pub use show::show;

use crate::model::Model;
use inherit::Document;
use source::Sources;

/// A file that was understood.
#[derive(Debug)]
pub struct Loaded {
    pub model: Model,
    /// Warnings and notes; no errors.
    pub notes: Diagnostics,
    document: Document,
}

/// Reads a configuration file. Blocks, for about two seconds at most if the file keeps changing.
///
/// # Errors
/// Everything that is wrong with it, or that it cannot be read.
pub fn load(path: &Path) -> Result<Loaded, Diagnostics> {
    let name = path.display().to_string();
    let text = file::read(path)?;
    // The file is made absolute first: the folder of a bare file name is empty, and an empty path has no absolute form.
    let file = std::path::absolute(path)
        .map_err(|error| Diagnostics::from(Diagnostic::error(format!("cannot tell the folder of {name}: {error}"))))?;
    parse(&name, &text, file.parent().unwrap_or(&file))
}

/// Understands the text of a configuration file; relative paths in it begin at `folder`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(name: &str, text: &str, folder: &Path) -> Result<Loaded, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let document = Document::read(Sources::new(name, text), &mut diagnostics);
    let model = document.as_ref().map(|document| resolve::model(document, folder, &mut diagnostics));
    diagnostics.sort();
    match (document, model) {
        (Some(document), Some(model)) if !diagnostics.has_errors() => {
            Ok(Loaded { model, notes: diagnostics, document })
        }
        _ => Err(diagnostics),
    }
}

impl Loaded {
    /// An error about the value at `path`, such as `["profiles", "front", "cert-key-chain", "0", "key"]`, shown at the
    /// nearest place that the file has; an inherited value is shown where it was written.
    pub fn diagnose(&self, path: &[&str], message: impl Into<String>, help: Option<String>) -> Diagnostic {
        let mut diagnostic = Diagnostic::error(message);
        diagnostic.help = help;
        match self.document.locate(path) {
            Some(at) => diagnostic.at(&self.document.sources, at),
            None => diagnostic,
        }
    }

    /// Where the value at `path` stands, found as for [`diagnose`](Self::diagnose).
    pub fn at(&self, path: &[&str]) -> Option<Place> {
        self.diagnose(path, "", None).place.map(|place| *place)
    }
}
