//! The servers of a cluster beside each other, a row each.

use std::collections::{BTreeSet, HashMap};

use super::Pairs;
use super::duplicate_serial::duplicates;
use crate::cert::date::day;
use crate::lint::{Findings, Origin, Severity, Subject, Use};
use crate::model::Host;

/// All servers of a run of the linter, and what they come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterView {
    /// In the order of the subjects; a file whose certificate belongs to a live port is in the port's row.
    pub servers: Vec<ServerRow>,
    /// When the first of all certificates ends, in seconds since 1970; none without servers.
    pub first_end: Option<i64>,
    /// How many issuers the servers' certificates have.
    pub issuers: usize,
    /// Certificates, authorities' included, that share issuer and serial number with another one.
    pub duplicates: usize,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerRow {
    /// The port, or the file.
    pub source: String,
    /// The file in which the port's certificate ought to be.
    pub file: Option<String>,
    /// The common name, else what the certificate is called otherwise.
    pub name: String,
    /// Names that clients look for and that it does not carry: front ends, and its own.
    pub lacks: Vec<Host>,
    /// The issuer in one line.
    pub issuer: String,
    /// Such as `RSA 2048`.
    pub key: String,
    /// Seconds since 1970.
    pub not_after: i64,
    /// Days until then, rounded down; negative once it has ended.
    pub days_left: i64,
    /// Whether its file holds another certificate than the port shows; none where only one of the two is known.
    pub differs: Option<bool>,
    /// The checks with a warning or worse about its chain or its file's, sorted.
    pub checks: Vec<&'static str>,
}

impl ClusterView {
    /// Puts the servers among `subjects` beside each other, with what a linter found on them; `now` is in seconds since
    /// 1970.
    pub fn of(subjects: &[Subject], findings: &Findings, now: i64) -> Self {
        let pairs = Pairs::of(subjects);
        let mut checks: HashMap<&Origin, BTreeSet<&'static str>> = HashMap::new();
        for finding in findings.findings.iter().filter(|finding| finding.severity >= Severity::Warning) {
            checks.entry(&finding.origin).or_default().insert(finding.check.id);
        }
        let servers: Vec<_> = subjects.iter().enumerate().filter(|(_, subject)| subject.is_server()).collect();
        let rows = servers.iter().filter(|(index, _)| pairs.live_of(*index).is_none()).map(|(index, subject)| {
            let file = pairs.file_of(*index).and_then(|file| subjects.get(file));
            ServerRow::of(subject, file, &checks, now)
        });
        let issuers: BTreeSet<_> = servers.iter().map(|(_, subject)| subject.leaf().issuer.as_str()).collect();
        Self {
            servers: rows.collect(),
            first_end: servers.iter().map(|(_, subject)| subject.leaf().not_after).min(),
            issuers: issuers.len(),
            duplicates: duplicates(subjects).len(),
        }
    }

    /// Returns a table in plain text with the totals below it; empty without servers.
    pub fn render(&self) -> String {
        let Some(first_end) = self.first_end else { return String::new() };
        let titles = TITLES.map(str::to_owned);
        let rows: Vec<_> = std::iter::once(titles).chain(self.servers.iter().map(ServerRow::cells)).collect();
        let mut widths = [0; TITLES.len()];
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        let mut table = String::new();
        for row in &rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(widths) {
                line.push_str(&format!("{cell:<width$}  "));
            }
            table.push_str(line.trim_end());
            table.push('\n');
        }
        let total = |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
        table.push_str(&format!(
            "\n{}, {}, {}; the first certificate ends on {}\n",
            total(self.servers.len(), "server", "servers"),
            total(self.issuers, "issuer", "issuers"),
            total(self.duplicates, "duplicate serial number", "duplicate serial numbers"),
            day(first_end),
        ));
        table
    }
}

impl ServerRow {
    fn of(
        subject: &Subject,
        file: Option<&Subject>,
        checks: &HashMap<&Origin, BTreeSet<&'static str>>,
        now: i64,
    ) -> Self {
        let leaf = subject.leaf();
        let both = std::iter::once(subject).chain(file);
        let origins = both.flat_map(Subject::chain).map(|located| &located.origin);
        let found: BTreeSet<_> = origins.filter_map(|origin| checks.get(origin)).flatten().copied().collect();
        Self {
            source: subject.source(),
            file: file.map(Subject::source),
            name: leaf.names.common.first().cloned().unwrap_or_else(|| leaf.title()),
            lacks: lacks(subject),
            issuer: leaf.issuer.clone(),
            key: leaf.key.to_string(),
            not_after: leaf.not_after,
            days_left: leaf.days_left(now),
            differs: file.map(|file| file.leaf().der != leaf.der),
            checks: found.into_iter().collect(),
        }
    }

    fn cells(&self) -> [String; TITLES.len()] {
        let list = |items: Vec<String>| if items.is_empty() { "-".to_owned() } else { items.join(",") };
        let served = match self.differs {
            None => "-",
            Some(false) => "same",
            Some(true) => "differs",
        };
        let cells = [
            self.source.clone(),
            self.name.clone(),
            list(self.lacks.iter().map(ToString::to_string).collect()),
            common_name(&self.issuer).to_owned(),
            self.key.clone(),
            day(self.not_after),
            self.days_left.to_string(),
            served.to_owned(),
            list(self.checks.iter().map(ToString::to_string).collect()),
        ];
        // Control characters would act on a terminal, and a line break would break the table.
        cells.map(|cell| cell.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect())
    }
}

fn lacks(subject: &Subject) -> Vec<Host> {
    let (role, names) = (&subject.role, &subject.leaf().names);
    let front_ends = role.front_ends.iter().filter(|_| role.usage != Use::ReEncrypt);
    let node = role.node.iter().filter(|_| role.usage != Use::FrontEnd);
    front_ends.chain(node).filter(|host| !names.cover(host)).cloned().collect()
}

/// Returns the common name in a name of one line, else all of it.
fn common_name(line: &str) -> &str {
    line.split(", ").find_map(|part| part.strip_prefix("CN=")).filter(|name| !name.is_empty()).unwrap_or(line)
}

const TITLES: [&str; 9] = ["SERVER", "NAME", "LACKS", "ISSUER", "KEY", "ENDS", "DAYS", "FILE", "CHECKS"];
