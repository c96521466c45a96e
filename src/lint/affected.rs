//! Which clients a finding is about: what the model of clients says of the finding's certificate decides how much it
//! matters and the sentence about clients.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::audience::{self, Who};
use super::clients::{Verifier, Why, names};
use super::judgement::Judgement;
use super::known_authorities::KnownAuthorities;
use super::{Check, Clients, Finding, Severity, Subject, Use};
use crate::cert::Certificate;
use crate::model::Host;

/// What clients mind about the certificates of one subject, or of all of them.
#[derive(Default)]
pub(super) struct Affected<'a> {
    /// By the certificate in DER.
    at: HashMap<&'a [u8], BTreeSet<(Who, Why)>>,
    /// About the chain as a whole.
    chain: BTreeSet<(Who, Why)>,
    /// The certificates that some path leads over.
    used: HashSet<&'a [u8]>,
    /// Who will refuse once a certificate that ends soon has ended, by the certificate in DER.
    later: HashMap<&'a [u8], BTreeSet<Who>>,
    /// Who is shown the chains; nobody where there are authorities alone.
    audience: BTreeSet<Who>,
    trust_is_assumed: bool,
    /// No name was asked for.
    has_no_names: bool,
}

impl<'a> Affected<'a> {
    /// Takes what clients mind about a server's chain and its names, and what they will once what ends within so many
    /// days has ended.
    pub(super) fn of(
        subject: &'a Subject,
        judgement: &Judgement<'a>,
        known: &'a KnownAuthorities<'_>,
        expiry_days: u32,
    ) -> Self {
        let audience = audience::of(subject.role.usage);
        let mut affected = Self {
            trust_is_assumed: judgement.trust_is_assumed,
            has_no_names: subject.role.front_ends.is_empty(),
            ..Self::default()
        };
        for (verifier, refusal) in judgement.refusals() {
            for who in refusing(verifier, refusal.why, &audience) {
                if refusal.why.is_of_chain() {
                    affected.chain.insert((who, refusal.why));
                } else {
                    affected.at.entry(refusal.at.der.as_ref()).or_default().insert((who, refusal.why));
                }
            }
        }
        for (who, why) in refused_names(subject, &audience) {
            affected.at.entry(subject.leaf().der.as_ref()).or_default().insert((who, why));
        }
        affected.used.extend(judgement.paths().flatten().map(|it| it.der.as_ref()));
        affected.used.insert(subject.leaf().der.as_ref());
        affected.audience = audience;
        affected.look_ahead(subject, judgement, known, expiry_days);
        affected
    }

    /// Asks the model again, at the second after each certificate of a path has ended that ends soon.
    fn look_ahead(
        &mut self,
        subject: &'a Subject,
        judgement: &Judgement<'a>,
        known: &'a KnownAuthorities<'_>,
        expiry_days: u32,
    ) {
        let ends_soon =
            |it: &&&Certificate| known.now <= it.not_after && it.days_left(known.now) < i64::from(expiry_days);
        for certificate in judgement.paths().flatten().filter(ends_soon) {
            let der = certificate.der.as_ref();
            if self.later.contains_key(der) {
                continue;
            }
            let then = Judgement::at(subject, known, certificate.not_after + 1);
            let ended = then.refusals().filter(|(_, it)| it.why == Why::Expired && it.at.der == certificate.der);
            let who = ended.flat_map(|(verifier, it)| refusing(verifier, it.why, &self.audience)).collect();
            self.later.insert(der, who);
        }
    }

    /// Joins what clients mind about several servers' chains, for the authorities above them.
    pub(super) fn of_all<'s>(servers: impl Iterator<Item = &'s Self>) -> Self
    where
        'a: 's,
    {
        let mut all = Self::default();
        for server in servers {
            all.audience.extend(&server.audience);
            for (der, minded) in &server.at {
                all.at.entry(der).or_default().extend(minded.iter().copied());
            }
            for (der, who) in &server.later {
                all.later.entry(der).or_default().extend(who.iter().copied());
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

    /// Returns who refuses the chain for what a check is about, at a certificate.
    fn refusing(&self, check: &Check, der: &[u8]) -> BTreeSet<Who> {
        let here = self.at.get(der).into_iter().flatten().chain(&self.chain);
        here.filter(|(_, why)| check.clients.include(*why)).map(|(who, _)| *who).collect()
    }

    /// Sets how much a finding matters, and what is said of clients. What no client minds is a note, what all refuse an
    /// error. What no path leads over, and nobody minds, is a note as well.
    pub(super) fn settle(&self, finding: &mut Finding) {
        let Some(certificate) = &finding.certificate else { return };
        let has_servers = !self.audience.is_empty();
        let is_used = !has_servers || self.used.contains(certificate.der.as_ref());
        let der = finding.about.as_deref().unwrap_or(&certificate.der);
        let refusing = match finding.check.clients {
            Clients::Judged(_) => self.refusing(finding.check, der),
            Clients::Later => self.later.get(der).cloned().unwrap_or_default(),
            Clients::Asked => return ask(finding, &self.audience),
            Clients::Offered | Clients::Unminded | Clients::Concerns(_) => BTreeSet::new(),
        };
        match finding.check.clients {
            Clients::Judged(reasons) if has_servers && !self.cannot_say(reasons) => {
                finding.severity = match refusing.len() {
                    0 => Severity::Info,
                    some if some == self.audience.len() => Severity::Error,
                    _ => finding.severity.max(Severity::Warning),
                };
                finding.clients = audience::sentence(&refusing, &self.audience);
            }
            Clients::Judged(reasons) if self.trust_is_assumed && reasons.contains(&Why::Untrusted) => {
                finding.clients = "depends on whether a client has the authority in its truststore".into();
            }
            Clients::Later if has_servers => {
                if refusing.is_empty() {
                    finding.severity = Severity::Info;
                }
                finding.clients = format!("from then on: {}", audience::sentence(&refusing, &self.audience));
            }
            _ => {}
        }
        if !is_used && refusing.is_empty() {
            finding.severity = Severity::Info;
            "no client uses it".clone_into(&mut finding.clients);
        }
    }

    /// Returns whether nothing was judged of what a check is about: names, or trust.
    fn cannot_say(&self, reasons: &[Why]) -> bool {
        let about_names = reasons.iter().any(|why| super::clients::NAME_REFUSALS.contains(why));
        (self.has_no_names && about_names) || (self.trust_is_assumed && reasons.contains(&Why::Untrusted))
    }
}

/// Says which of those who see a certificate do not find the names that the finding asks for.
pub(super) fn ask(finding: &mut Finding, audience: &BTreeSet<Who>) {
    let Some(certificate) = &finding.certificate else { return };
    let finds = |who: &Who, host: &Host| match who {
        Who::Client(client) => names(*client, &certificate.names, host).accepts,
        Who::Pronk => certificate.names.cover(host),
    };
    let lack = |who: &&Who| finding.asked.iter().any(|host| !finds(who, host));
    let refusing: BTreeSet<_> = audience.iter().filter(lack).copied().collect();
    finding.clients = match finding.asked.as_slice() {
        [host] => format!("asked for {host}: {}", audience::sentence(&refusing, audience)),
        _ => audience::sentence(&refusing, audience),
    };
}

/// Returns those of an audience whom a verifier's refusal turns away. pronk verifies with webpki, and looks at the dates
/// of roots as OpenSSL does.
fn refusing(verifier: Verifier, why: Why, audience: &BTreeSet<Who>) -> Vec<Who> {
    let is_date = matches!(why, Why::Expired | Why::NotYetValid);
    let refuses = |who: &&Who| match who {
        Who::Client(client) => client.verifier() == verifier,
        Who::Pronk => verifier == Verifier::WebPki || (is_date && verifier == Verifier::OpenSsl),
    };
    audience.iter().filter(refuses).copied().collect()
}

/// Returns each client that does not take the names for a front end's, with its reason. Clients never see what a member
/// shows to pronk.
fn refused_names<'s>(subject: &'s Subject, audience: &'s BTreeSet<Who>) -> impl Iterator<Item = (Who, Why)> + 's {
    let names_of = &subject.leaf().names;
    let front_ends = subject.role.front_ends.iter().filter(|_| subject.role.usage != Use::ReEncrypt);
    front_ends.flat_map(move |host| {
        audience.iter().filter_map(move |who| {
            let Who::Client(client) = who else { return None };
            let verdict = names(*client, names_of, host);
            (!verdict.accepts).then_some((*who, verdict.why))
        })
    })
}
