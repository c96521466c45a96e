//! Commands to paste.

use super::{Origin, Subject, Use};
use crate::model::Host;

/// Returns how to request a certificate that every client accepts: the front end as common name and as alternative
/// name, then the names that the present certificate has and the node's own.
pub(super) fn request(subject: &Subject) -> Vec<String> {
    let names = wanted(subject);
    if names.is_empty() {
        return Vec::new();
    }
    let common = names.first().map(ToString::to_string).unwrap_or_default();
    let mut options: Vec<String> = names.iter().map(option).collect();
    options.insert(0, format!("--common-name {common}"));
    let alternative: Vec<_> = names.iter().map(alternative).collect();
    // Each node needs a key of its own, so in passthrough files are called after the node.
    let node = subject.role.node.as_ref().filter(|_| subject.role.usage != Use::FrontEnd).map(ToString::to_string);
    let own = subject.leaf().names.common.first().filter(|name| Host::parse(name).is_ok()).cloned();
    let of_node = node.or_else(|| own.filter(|_| subject.role.usage != Use::FrontEnd));
    let entry = store_entry(subject);
    let store = quoted(entry.unwrap_or_else(|| file_name(of_node.as_deref().unwrap_or(&common))));
    vec![
        format!("pronk cert csr {store} {}", options.join(" ")),
        format!(
            "openssl req -new -newkey rsa:2048 -nodes -keyout {store}.key -out {store}.csr -subj \"/CN={common}\" -addext \"subjectAltName={}\"",
            alternative.join(",")
        ),
    ]
}

/// Returns what to remember when an impalad's certificate is replaced.
pub(super) fn restart(subject: &Subject) -> Option<&'static str> {
    match subject.role.usage {
        Use::FrontEnd | Use::Authority => None,
        Use::Server | Use::Passthrough | Use::ReEncrypt => Some(
            "an impalad reads its certificate when it starts: after replacing certificates restart the whole cluster, not \
             Impala alone",
        ),
    }
}

fn wanted(subject: &Subject) -> Vec<Host> {
    let own = &subject.leaf().names;
    let mut names: Vec<Host> = match subject.role.usage {
        // Clients do not see it, so the node's name comes first.
        Use::ReEncrypt => subject.role.node.iter().cloned().collect(),
        _ => subject.role.front_ends.iter().chain(&subject.role.node).cloned().collect(),
    };
    let had = own.dns.iter().filter_map(|name| Host::parse(name).ok()).chain(own.ip.iter().copied().map(Host::Ip));
    let common = own.common.iter().filter_map(|name| Host::parse(name).ok());
    for name in had.chain(common) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn option(name: &Host) -> String {
    match name {
        Host::Name(name) => format!("--dns {name}"),
        Host::Ip(address) => format!("--ip {address}"),
    }
}

fn alternative(name: &Host) -> String {
    match name {
        Host::Name(name) => format!("DNS:{name}"),
        Host::Ip(address) => format!("IP:{address}"),
    }
}

/// Returns the entry of a certificate store that has the certificate: a folder with `cert.pem` and `key.pem`.
fn store_entry(subject: &Subject) -> Option<&str> {
    let Origin::File { path, .. } = &subject.leaf_located().origin else { return None };
    let is_entry = path.file_name()? == "cert.pem" && subject.key.is_some();
    is_entry.then(|| path.parent()?.file_name()?.to_str()).flatten()
}

/// Returns a name as a shell takes it.
fn quoted(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if name.bytes().all(is_plain) { name.to_owned() } else { format!("'{}'", name.replace('\'', r"'\''")) }
}

/// Returns the first label, as a name for files.
fn file_name(common: &str) -> &str {
    match common.split('.').next() {
        Some(label) if !label.is_empty() && common.parse::<std::net::IpAddr>().is_err() => label,
        _ => "impala",
    }
}
