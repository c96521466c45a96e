//! Who is shown a certificate, and sentences about who of them refuses it.

use std::collections::BTreeSet;

use super::Use;
use super::clients::{Client, Verifier};

/// Who is shown a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    Client(Client),
    /// pronk itself, toward a member.
    Pronk,
}

/// Returns who is shown a server's certificate.
pub(super) fn of(usage: Use) -> BTreeSet<Who> {
    match usage {
        Use::ReEncrypt => BTreeSet::from([Who::Pronk]),
        _ => Client::ALL.iter().copied().map(Who::Client).collect(),
    }
}

/// Returns the sentence about those of an audience who refuse.
pub(super) fn sentence(refusing: &BTreeSet<Who>, audience: &BTreeSet<Who>) -> String {
    let clients = |all: &BTreeSet<Who>| -> BTreeSet<Client> {
        all.iter().filter_map(|who| if let Who::Client(client) = who { Some(*client) } else { None }).collect()
    };
    let (refuse, all) = (clients(refusing), clients(audience));
    let of_clients = match refuse.len() {
        0 => None,
        some if some == all.len() => Some("every client refuses it".to_owned()),
        _ => Some(format!("refused by {}; the others take it", listed(&refuse))),
    };
    let of_pronk = refusing.contains(&Who::Pronk).then(|| "pronk refuses the member".to_owned());
    let said: Vec<_> = of_clients.into_iter().chain(of_pronk).collect();
    match said.as_slice() {
        [] if all.is_empty() => "pronk does not mind it".into(),
        [] => "no client minds it".into(),
        _ => said.join(", and "),
    }
}

/// Returns the clients in words, those that are alike together.
fn listed(clients: &BTreeSet<Client>) -> String {
    let mut left = clients.clone();
    let mut words = Vec::new();
    let is_on_openssl =
        |client: &&Client| !matches!(client.verifier(), Verifier::Java17 | Verifier::Java25 | Verifier::WebPki);
    let on_openssl: Vec<_> = Client::ALL.iter().filter(is_on_openssl).copied().collect();
    let but_strict = on_openssl.iter().copied().filter(|client| client.verifier() != Verifier::StrictOpenSsl).collect();
    let groups: [(&str, Vec<Client>); 3] = [
        ("OpenSSL and what is built on it (such as Python)", on_openssl),
        ("OpenSSL and what is built on it (but not Python 3.13 and later)", but_strict),
        ("Java", vec![Client::Java, Client::Java25]),
    ];
    for (title, group) in groups {
        if group.iter().all(|client| left.contains(client)) {
            left.retain(|client| !group.contains(client));
            words.push(title.to_owned());
        }
    }
    words.extend(left.iter().map(|client| client.short().to_owned()));
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.concat(),
    }
}
