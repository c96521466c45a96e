//! Commands to paste.

use std::path::Path;

use super::{Origin, Subject, Use};
use crate::model::Host;
use crate::words::quoted;

/// Returns how to request a certificate that every client accepts: the front end as common name and as alternative
/// name, then the names that the present certificate has and the node's own.
pub(super) fn request(subject: &Subject) -> Vec<String> {
    let names = wanted(subject);
    if names.is_empty() {
        return Vec::new();
    }
    // `pronk cert` makes no certificate that some client refuses by its names.
    let takes_all = names.iter().all(|name| Host::parse(&name.to_string()).is_ok());
    let common = names.first().map(ToString::to_string).unwrap_or_default();
    let mut options: Vec<String> = names.iter().map(option).collect();
    options.insert(0, format!("--common-name {common}"));
    let alternative: Vec<_> = names.iter().map(alternative).collect();
    // Each node needs a key of its own, so in passthrough files are called after the node.
    let node = subject.role.node.as_ref().filter(|_| subject.role.usage != Use::FrontEnd).map(ToString::to_string);
    let own = subject.leaf().names.common.first().filter(|name| Host::parse(name).is_ok()).cloned();
    let of_node = node.or_else(|| own.filter(|_| subject.role.usage != Use::FrontEnd));
    let entry = store_entry(subject);
    let name = entry.as_ref().map_or_else(|| file_name(of_node.as_deref().unwrap_or(&common)), |(_, name)| *name);
    let store = entry.as_ref().and_then(|(store, _)| store_option(store)).unwrap_or_default();
    let pronk = format!("pronk cert csr {}{store} {}", quoted(name), options.join(" "));
    let openssl = format!(
        "openssl req -new -newkey rsa:2048 -nodes -keyout {} -out {} -subj \"/CN={common}\" -addext \"subjectAltName={}\"",
        quoted(&format!("{name}.key")),
        quoted(&format!("{name}.csr")),
        alternative.join(",")
    );
    takes_all.then_some(pronk).into_iter().chain([openssl]).collect()
}

/// Returns the option that names a store, unless it is the one that is taken without.
fn store_option(store: &Path) -> Option<String> {
    let usual = ["certs", "./certs"].iter().any(|usual| store == Path::new(usual));
    (!usual).then(|| format!(" --store {}", quoted(&store.display().to_string())))
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
    // A certificate's name has no dot at its end, whatever the client writes.
    for name in &mut names {
        if let Host::Name(name) = name
            && name.ends_with('.')
        {
            name.pop();
        }
    }
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

/// Returns the certificate store and its entry that has the certificate: a folder with `cert.pem` and `key.pem`.
fn store_entry(subject: &Subject) -> Option<(&Path, &str)> {
    let Origin::File { path, .. } = &subject.leaf_located().origin else { return None };
    let is_entry = path.file_name()? == "cert.pem" && subject.key.is_some();
    let entry = path.parent().filter(|_| is_entry)?;
    Some((entry.parent()?, entry.file_name()?.to_str()?))
}

/// Returns the first label, as a name for files.
fn file_name(common: &str) -> &str {
    match common.split('.').next() {
        Some(label) if !label.is_empty() && common.parse::<std::net::IpAddr>().is_err() => label,
        _ => "impala",
    }
}
