//! Reading a configuration file: its text, what it inherits, and what it means.

use std::collections::BTreeMap;
use std::path::Path;

use super::built_in::built_in;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::inherit::{Document, Types};
use super::keys::{MONITORS, PROFILES};
use super::source::{At, Sources};
use super::{file, resolve};
use crate::model::Model;

/// A file that was read. What [`load`] and [`load_with`] return has no errors.
#[derive(Debug)]
pub struct Loaded {
    pub model: Model,
    /// Warnings and notes, and errors while [`load_with`] looks for more of them.
    pub notes: Diagnostics,
    pub(super) document: Document,
    /// Where the errors are.
    errors: Vec<At>,
}

/// Reads a configuration file, or standard input for `-`. Blocks, for about two seconds at most if the file keeps changing.
///
/// # Errors
/// Everything that is wrong with it, or that it cannot be read.
pub fn load(path: &Path) -> Result<Loaded, Diagnostics> {
    load_with(path, |_| Ok(())).map(|(loaded, ())| loaded)
}

/// Reads a configuration file, and by `more` what it names, such as certificates. `more` is called for a file with
/// mistakes as well, so that all of them are reported at once. Use that model only to find more mistakes, and only in
/// what has none yet ([`Loaded::has_mistakes`]); never run it.
///
/// # Errors
/// Everything that is wrong with the file and with what it names, or that the file cannot be read.
pub fn load_with<T>(
    path: &Path,
    more: impl FnOnce(&Loaded) -> Result<T, Diagnostics>,
) -> Result<(Loaded, T), Diagnostics> {
    let name = file::file_name(path);
    let text = file::read(path)?;
    // The file is made absolute first: the folder of a bare file name is empty, and an empty path has no absolute form.
    let file = std::path::absolute(path)
        .map_err(|error| Diagnostics::from(Diagnostic::error(format!("cannot tell the folder of {name}: {error}"))))?;
    understand(&name, &text, file.parent().unwrap_or(&file), more)
}

/// Understands the text of a configuration file; relative paths in it begin at `folder`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(name: &str, text: &str, folder: &Path) -> Result<Loaded, Diagnostics> {
    understand(name, text, folder, |_| Ok(())).map(|(loaded, ())| loaded)
}

fn understand<T>(
    name: &str,
    text: &str,
    folder: &Path,
    more: impl FnOnce(&Loaded) -> Result<T, Diagnostics>,
) -> Result<(Loaded, T), Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let sources = Sources::new(name, text, built_in());
    let Some(document) = Document::read(sources, types(), &mut diagnostics) else {
        diagnostics.sort();
        return Err(diagnostics);
    };
    let (model, errors) = resolve::model(&document, folder, &mut diagnostics);
    diagnostics.sort();
    let loaded = Loaded { model, notes: diagnostics, document, errors };
    match more(&loaded) {
        Ok(more) if !loaded.notes.has_errors() => Ok((loaded, more)),
        more => {
            let mut wrong = loaded.notes;
            more.err().into_iter().for_each(|more| wrong.absorb(more));
            wrong.sort();
            Err(wrong)
        }
    }
}

/// Returns the types of each section that has some.
fn types() -> BTreeMap<&'static str, Types> {
    let profiles = Types { roots: PROFILES.iter().map(|it| (it.word, it.root)).collect(), default: None };
    let monitors = Types { roots: MONITORS.iter().map(|it| (it.word, it.root)).collect(), default: Some("tcp") };
    BTreeMap::from([("profiles", profiles), ("monitors", monitors)])
}

impl Loaded {
    /// Returns whether an error is within a value of the file, or within what it inherits. `path` is a key, or a
    /// section and a name in it.
    pub fn has_mistakes(&self, path: &[&str]) -> bool {
        self.document.has_mistakes(path, &self.errors)
    }

    /// Returns an error about the value at `path`, such as `["profiles", "front", "cert-key-chain", "0", "key"]`, shown
    /// at the nearest place that the file has; an inherited value is shown where it was written.
    pub fn diagnose(&self, path: &[&str], message: impl Into<String>, help: Option<String>) -> Diagnostic {
        let mut diagnostic = Diagnostic::error(message);
        diagnostic.help = help;
        match self.document.locate(path) {
            Some(at) => diagnostic.at(&self.document.sources, at),
            None => diagnostic,
        }
    }
}
