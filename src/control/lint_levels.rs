//! The levels of the linter's findings, as the configuration sets them.

use crate::config::{Diagnostics, Loaded};
use crate::lint::check;
use crate::lint::{Levels, UnknownCheck};

/// Returns the levels that a configuration sets for findings.
///
/// # Errors
/// Every id that no check has, at its place in the file.
pub fn lint_levels(loaded: &Loaded) -> Result<Levels, Diagnostics> {
    let mut wrong = Diagnostics::default();
    for id in loaded.model.lint.keys().filter(|id| check(id.as_str()).is_none()) {
        let unknown = UnknownCheck(id.to_string());
        let help = match unknown.similar() {
            Some(similar) => format!("did you mean `{similar}`?"),
            None => "`pronk lint --list-checks` lists the ids".to_owned(),
        };
        wrong.push(loaded.diagnose(&["lint", id.as_str()], unknown.to_string(), Some(help)));
    }
    if wrong.has_errors() { Err(wrong) } else { Ok(Levels::of(&loaded.model.lint)) }
}
