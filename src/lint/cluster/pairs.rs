//! Which file belongs to which live port: by the node's name, or by the names in the file's certificate.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::lint::{Origin, Subject, Use};
use crate::model::Host;

/// Which file holds the certificate of which live port.
pub(in crate::lint) struct Pairs {
    /// From the index of a subject shown live to that of the subject in a file.
    file_of: HashMap<usize, usize>,
    /// The other way; of several ports the first.
    live_of: HashMap<usize, usize>,
}

impl Pairs {
    pub(in crate::lint) fn of(subjects: &[Subject]) -> Self {
        let mut pairs = Self { file_of: HashMap::new(), live_of: HashMap::new() };
        if !subjects.iter().any(|subject| live_host(subject).is_some()) {
            return pairs;
        }
        let mut files: HashMap<String, FilesOfName<'_>> = HashMap::new();
        for (index, subject) in subjects.iter().enumerate() {
            for name in names_of_file(subject) {
                files.entry(name).or_default().add(index, subject);
            }
        }
        for (index, subject) in subjects.iter().enumerate() {
            let Some(file) = names_of_port(subject).iter().find_map(|name| files.get(name)) else { continue };
            let Some(file) = file.closest(subject) else { continue };
            pairs.file_of.insert(index, file);
            pairs.live_of.entry(file).or_insert(index);
        }
        pairs
    }

    /// Returns the subject in a file that belongs to the one shown live.
    pub(in crate::lint) fn file_of(&self, live: usize) -> Option<usize> {
        self.file_of.get(&live).copied()
    }

    /// Returns the subject shown live that belongs to the one in a file.
    pub(in crate::lint) fn live_of(&self, file: usize) -> Option<usize> {
        self.live_of.get(&file).copied()
    }
}

/// The files with a certificate for one name.
#[derive(Default)]
struct FilesOfName<'a> {
    newest: Option<(i64, usize)>,
    by_certificate: HashMap<&'a [u8], usize>,
}

impl<'a> FilesOfName<'a> {
    fn add(&mut self, index: usize, subject: &'a Subject) {
        let leaf = subject.leaf();
        self.newest = self.newest.max(Some((leaf.not_before, index)));
        self.by_certificate.entry(&leaf.der).or_insert(index);
    }

    /// Returns the file with the very certificate that is shown, else the newest.
    fn closest(&self, live: &Subject) -> Option<usize> {
        self.by_certificate.get(&*live.leaf().der).copied().or_else(|| self.newest.map(|(_, index)| index))
    }
}

/// Returns the names under which a file's server may be found; none of what is no server's file.
fn names_of_file(subject: &Subject) -> Vec<String> {
    if !subject.is_server() || !matches!(subject.leaf_located().origin, Origin::File { .. }) {
        return Vec::new();
    }
    if let Some(node) = &subject.role.node {
        return vec![node.to_string()];
    }
    let names = &subject.leaf().names;
    let dns = names.dns.iter().map(|name| name.to_ascii_lowercase());
    let all = dns.chain(names.ip.iter().map(IpAddr::to_string));
    // Every node of a passthrough cluster carries these.
    let shared: Vec<_> = match subject.role.usage {
        Use::FrontEnd => Vec::new(),
        _ => subject.role.front_ends.iter().map(ToString::to_string).collect(),
    };
    all.filter(|name| !shared.contains(name)).collect()
}

/// Returns the names to look a port's file up by, the likeliest first.
fn names_of_port(subject: &Subject) -> Vec<String> {
    let Some(host) = live_host(subject) else { return Vec::new() };
    let mut names: Vec<_> = subject.role.node.iter().map(ToString::to_string).collect();
    let wildcard = host.split_once('.').map(|(_, parent)| format!("*.{parent}"));
    names.push(host);
    names.extend(wildcard);
    names
}

/// Returns the host that a subject was shown by.
pub(super) fn live_host(subject: &Subject) -> Option<String> {
    match &subject.leaf_located().origin {
        Origin::File { .. } => None,
        Origin::Live { address, .. } => {
            let host = address.rsplit_once(':').map_or(address.as_str(), |(host, _)| host);
            Some(Host::parse(host).map_or_else(|_| host.to_ascii_lowercase(), |host| host.to_string()))
        }
    }
}
