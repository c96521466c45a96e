//! Which clients a finding is about: what the model of clients says of the finding's certificate decides how much it
//! matters and the sentence about clients.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::clients::{Client, Verifier, Why, names};
use super::judgement::Judgement;
use super::{Check, Clients, Finding, Severity, Subject, Use};
use crate::cert::Certificate;

/// What clients mind about the certificates of one subject, or of all of them.
#[derive(Default)]
pub(super) struct Affected<'a> {
    /// By the certificate in DER.
    at: HashMap<&'a [u8], BTreeSet<(Client, Why)>>,
    /// About the chain as a whole.
    chain: BTreeSet<(Client, Why)>,
    /// The certificates that some path leads over.
    used: HashSet<&'a [u8]>,
    /// No certificate is known that could lead over these: there are authorities alone.
    has_no_servers: bool,
    trust_is_assumed: bool,
    /// No name was asked for.
    has_no_names: bool,
    only_pronk: bool,
}

impl<'a> Affected<'a> {
    /// Takes what clients mind about a server's chain and its names.
    pub(super) fn of(subject: &'a Subject, judgement: &Judgement<'a>) -> Self {
        let only_pronk = subject.role.usage == Use::ReEncrypt;
        let mut affected = Self {
            trust_is_assumed: judgement.trust_is_assumed,
            has_no_names: subject.role.front_ends.is_empty(),
            only_pronk,
            ..Self::default()
        };
        for (verifier, refusal) in judgement.refusals() {
            for client in clients_of(verifier, refusal.why, only_pronk) {
                if refusal.why.is_of_chain() {
                    affected.chain.insert((client, refusal.why));
                } else {
                    affected.at.entry(refusal.at.der.as_ref()).or_default().insert((client, refusal.why));
                }
            }
        }
        if !only_pronk {
            for (client, why) in refused_names(subject) {
                affected.at.entry(subject.leaf().der.as_ref()).or_default().insert((client, why));
            }
        }
        affected.used.extend(judgement.paths().flatten().map(|it| it.der.as_ref()));
        affected.used.insert(subject.leaf().der.as_ref());
        affected
    }

    /// Joins what clients mind about several servers' chains, for the authorities above them.
    pub(super) fn of_all<'s>(servers: impl Iterator<Item = &'s Self>) -> Self
    where
        'a: 's,
    {
        let mut all = Self { has_no_servers: true, ..Self::default() };
        for server in servers {
            all.has_no_servers = false;
            for (der, minded) in &server.at {
                all.at.entry(der).or_default().extend(minded.iter().copied());
            }
            all.used.extend(&server.used);
        }
        all
    }

    /// Returns every reason at a certificate.
    pub(super) fn reasons_at(&self, certificate: &Certificate) -> Vec<Why> {
        let reasons: BTreeSet<_> = self.at.get(certificate.der.as_ref()).into_iter().flatten().map(|it| it.1).collect();
        reasons.into_iter().collect()
    }

    /// Returns which clients refuse the chain for what a check is about, at a certificate.
    fn refusing(&self, check: &Check, der: &[u8]) -> BTreeSet<Client> {
        let here = self.at.get(der).into_iter().flatten().chain(&self.chain);
        here.filter(|(_, why)| check.clients.include(*why)).map(|(client, _)| *client).collect()
    }

    /// Sets how much a finding matters, and what is said of clients. What no client minds is a note, what all refuse an
    /// error. What no path leads over is a note as well.
    pub(super) fn settle(&self, finding: &mut Finding) {
        let Some(certificate) = &finding.certificate else { return };
        let is_used = self.has_no_servers || self.used.contains(certificate.der.as_ref());
        let der = finding.about.as_deref().unwrap_or(&certificate.der);
        match finding.check.clients {
            Clients::Judged(reasons) if !self.has_no_servers && !self.cannot_say(reasons) => {
                let refusing = self.refusing(finding.check, der);
                let all = if self.only_pronk { 1 } else { Client::ALL.len() };
                finding.severity = match refusing.len() {
                    0 => Severity::Info,
                    some if some >= all => Severity::Error,
                    _ => finding.severity.max(Severity::Warning),
                };
                finding.clients = self.sentence(&refusing);
            }
            Clients::Judged(reasons) if self.trust_is_assumed && reasons.contains(&Why::Untrusted) => {
                finding.clients = "every client refuses it that has not got the authority in its truststore".into();
            }
            _ => {}
        }
        if !is_used {
            finding.severity = Severity::Info;
            "no client uses it".clone_into(&mut finding.clients);
        }
    }

    /// Returns whether nothing was judged of what a check is about: names, or trust.
    fn cannot_say(&self, reasons: &[Why]) -> bool {
        let about_names = reasons.iter().any(|why| super::clients::NAME_REFUSALS.contains(why));
        (self.has_no_names && about_names) || (self.trust_is_assumed && reasons.contains(&Why::Untrusted))
    }

    fn sentence(&self, refusing: &BTreeSet<Client>) -> String {
        match refusing.len() {
            0 => "every client takes it".into(),
            _ if self.only_pronk => "pronk refuses the member".into(),
            some if some == Client::ALL.len() => "every client refuses it".into(),
            _ => format!("refused by {}; the others take it", listed(refusing)),
        }
    }
}

/// Returns the clients that a verifier's refusal turns away.
fn clients_of(verifier: Verifier, why: Why, only_pronk: bool) -> Vec<Client> {
    if only_pronk {
        // pronk verifies with webpki, and looks at the dates of roots as OpenSSL does.
        let dates = matches!(why, Why::Expired | Why::NotYetValid) && verifier == Verifier::OpenSsl;
        return if verifier == Verifier::WebPki || dates { vec![Client::Rustls] } else { Vec::new() };
    }
    Client::ALL.iter().copied().filter(|client| client.verifier() == verifier).collect()
}

/// Returns each client that does not take the names for a front end's, with its reason.
fn refused_names(subject: &Subject) -> impl Iterator<Item = (Client, Why)> {
    let names_of = &subject.leaf().names;
    subject.role.front_ends.iter().flat_map(move |host| {
        let verdicts = Client::ALL.iter().map(move |client| (*client, names(*client, names_of, host)));
        verdicts.filter(|(_, verdict)| !verdict.accepts).map(|(client, verdict)| (client, verdict.why))
    })
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
