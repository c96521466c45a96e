//! What a reload changed, or would change.

use crate::config::{Diagnostics, Severity};

/// What a reload changed, or would change.
#[derive(Clone, Debug, Default)]
pub struct ReloadReport {
    /// A line for each change; empty when nothing changes.
    pub changes: Vec<String>,
    /// Warnings and notes about the file.
    pub notes: Diagnostics,
}

impl ReloadReport {
    /// Logs the warnings and notes.
    pub(super) fn log_notes(&self) {
        for note in self.notes.iter() {
            let place = note.place.as_ref().map(|place| format!("{}:{}:{}", place.file, place.line, place.column));
            match note.severity {
                Severity::Note => tracing::info!(place, help = note.help.as_deref(), "{}", note.message),
                _ => tracing::warn!(place, help = note.help.as_deref(), "{}", note.message),
            }
        }
    }
}
