//! A certificate as people read it.

use std::fmt::Write;

use super::Certificate;
use super::date::moment;
use super::field::Field;
use super::hex::hexadecimal;
use super::oid::extension_name;
use crate::words::{first_of, shown};

/// Returns the fields of a certificate that it has, each with its line, in the order of `openssl x509 -text`; of its
/// names at most so many.
pub fn lines(certificate: &Certificate, most_names: usize) -> Vec<(Field, String)> {
    let mut lines = vec![
        (Field::Serial, certificate.serial.clone()),
        (Field::SignatureAlgorithm, certificate.signature.name.clone()),
        (Field::Issuer, shown(&certificate.issuer)),
        (Field::NotBefore, moment(certificate.not_before)),
        (Field::NotAfter, moment(certificate.not_after)),
        (Field::Subject, shown(&certificate.names.subject)),
        (Field::PublicKey, certificate.key.to_string()),
    ];
    let critical = |is: bool| if is { "critical, " } else { "" };
    if let Some(constraints) = certificate.basic_constraints {
        let mut line =
            format!("{}CA:{}", critical(constraints.critical), if constraints.ca { "TRUE" } else { "FALSE" });
        if let Some(length) = constraints.path_len {
            let _ = write!(line, ", pathlen:{length}");
        }
        lines.push((Field::BasicConstraints, line));
    }
    if let Some(usage) = certificate.key_usage {
        let uses = [
            (usage.digital_signature, "Digital Signature"),
            (usage.key_encipherment, "Key Encipherment"),
            (usage.key_cert_sign, "Certificate Sign"),
            (usage.crl_sign, "CRL Sign"),
        ];
        let uses: Vec<_> = uses.into_iter().filter(|(is, _)| *is).map(|(_, name)| name).collect();
        lines.push((Field::KeyUsage, format!("{}{}", critical(usage.critical), uses.join(", "))));
    }
    if let Some(purposes) = &certificate.extended_key_usage {
        lines.push((Field::ExtendedKeyUsage, join(purposes)));
    }
    if certificate.names.has_alternative() {
        let names = &certificate.names;
        let dns = names.dns.iter().map(|name| format!("DNS:{}", shown(name)));
        let ip = names.ip.iter().map(|address| format!("IP Address:{address}"));
        let others = names.others.iter().map(|name| shown(name));
        lines.push((Field::SubjectAlternativeName, first_of(dns.chain(ip).chain(others), most_names)));
    }
    for (field, id) in [
        (Field::SubjectKeyIdentifier, certificate.subject_key_id.as_deref()),
        (Field::AuthorityKeyIdentifier, certificate.authority_key_id()),
    ] {
        lines.extend(id.map(|id| (field, hexadecimal(id))));
    }
    if let Some(constraints) = &certificate.name_constraints {
        let permitted = constraints.permitted.iter().map(|name| format!("permitted {}", shown(&name.base.to_string())));
        let excluded = constraints.excluded.iter().map(|name| format!("excluded {}", shown(&name.base.to_string())));
        let all = first_of(permitted.chain(excluded), most_names);
        lines.push((Field::NameConstraints, format!("{}{all}", critical(constraints.critical))));
    }
    let staple = certificate.must_staple.then(|| "TLS Feature: status_request".to_owned());
    let unknown = certificate.critical.iter().filter(|number| !SHOWN.contains(&number.as_str()));
    let unknown = unknown.map(|number| format!("critical, {}", extension_name(number)));
    let others: Vec<_> = staple.into_iter().chain(unknown).collect();
    if !others.is_empty() {
        lines.push((Field::OtherExtensions, others.join("; ")));
    }
    lines
}

fn join<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Extensions that have a line of their own.
const SHOWN: &[&str] = &[
    "2.5.29.14",
    "2.5.29.15",
    "2.5.29.17",
    "2.5.29.19",
    "2.5.29.30",
    "2.5.29.35",
    "2.5.29.37",
    // The TLS feature.
    "1.3.6.1.5.5.7.1.24",
];
