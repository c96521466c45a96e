//! The comparison, cell by cell and with the findings.

use std::collections::BTreeMap;
use std::fmt::Write;

use pronk::lint::Severity;
use pronk::lint::clients::Client;

use crate::case::Case;
use crate::client::RealVerdict;
use crate::pronk_verdicts::PronkVerdicts;

/// What was compared, and what differs.
#[derive(Default)]
pub(crate) struct Comparison {
    cases: usize,
    cells: usize,
    /// Cells in which the server could not show the chain.
    untried: usize,
    /// By class; the cases and how many lines there are.
    differences: BTreeMap<String, Vec<String>>,
}

impl Comparison {
    pub(crate) fn add(&mut self, case: &Case, real: &[(String, Client, RealVerdict)], pronk: &PronkVerdicts) {
        self.cases += 1;
        let mut differences = Vec::new();
        for (title, column, verdict) in real {
            let Some(verdict) = verdict else {
                self.untried += 1;
                continue;
            };
            self.cells += 1;
            let ours = pronk.columns.iter().find(|(client, _)| client == column).map(|(_, verdict)| *verdict);
            let accepts = ours.is_some_and(|ours| ours.accepts);
            if accepts != verdict.is_ok() {
                let theirs = verdict.as_ref().map_or_else(String::as_str, |()| "accepts it");
                let ours = ours.map_or_else(|| "nothing".into(), |ours| ours.why.to_string());
                differences.push(format!("{title} ({column:?}): {theirs}; pronk: {ours}"));
            }
        }
        differences.extend(of_findings(real, pronk));
        if !differences.is_empty() {
            let head = format!("case {} ({}) for {}", case.number, case.title, case.host);
            let lines = differences.iter().map(|line| format!("\n      {line}")).collect::<String>();
            self.differences.entry(case.class.clone()).or_default().push(head + &lines);
        }
    }

    /// Returns what was compared, and every difference by class.
    pub(crate) fn report(&self) -> String {
        let differ: usize = self.differences.values().map(Vec::len).sum();
        let mut text = format!(
            "{} chains, {} cells ({} more could not be tried), {differ} chains differ\n",
            self.cases, self.cells, self.untried
        );
        for (class, cases) in &self.differences {
            let _ = writeln!(text, "class {class}: {}", cases.len());
            for case in cases {
                let _ = writeln!(text, "    {case}");
            }
        }
        text
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Compares the gravest finding with what the clients do: at least a warning where one refuses, an error where all do,
/// no error where none does, and nothing above a note where all accept.
fn of_findings(real: &[(String, Client, RealVerdict)], pronk: &PronkVerdicts) -> Option<String> {
    let tried = || real.iter().filter_map(|(_, _, verdict)| verdict.as_ref());
    let refused = tried().filter(|verdict| verdict.is_err()).count();
    let all = tried().count();
    if all == 0 {
        return None;
    }
    // Columns for which there is no program here may be the reason for a warning.
    let others_refuse = pronk.columns.iter().any(|(_, verdict)| !verdict.accepts);
    let worst = pronk.worst();
    let about = || {
        let gravest = pronk.findings.iter().max_by_key(|it| it.severity).map(|it| it.check.id);
        format!("{refused} of {all} clients refuse it; gravest finding: {worst:?} {gravest:?}")
    };
    let wrong = match worst {
        None | Some(Severity::Info) => refused > 0,
        Some(Severity::Warning) => refused == all || (refused == 0 && !others_refuse),
        Some(Severity::Error) => refused == 0,
    };
    wrong.then(about)
}
