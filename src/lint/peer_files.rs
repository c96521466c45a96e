//! What a profile verifies its peers against: whether lists and authorities are in date, and what is missing.

use std::path::{Path, PathBuf};

use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, SubjectPublicKeyInfoDer};
use webpki::{anchor_from_trusted_cert, spki_for_anchor};

use super::peer_checks::{
    AUTHORITY_NAMES_TOO_LONG, CRL_EXPIRING_SOON, CRL_MISSING, CRL_PARTIAL, CRL_STALE, TRUSTED_AUTHORITY_EXPIRED,
    TRUSTED_AUTHORITY_EXPIRING_SOON,
};
use super::{Check, Finding, Origin, Severity};
use crate::cert::date::{day, moment};
use crate::cert::revocation::RevocationList;
use crate::cert::{AuthorityHints, Certificate, MOST_HINTS, signature_algorithms};

/// The files by which a profile verifies its peers.
#[derive(Clone, Debug, Default)]
pub struct PeerFiles {
    /// `ca-file`, unless it is a store with authorities for all the world.
    pub authorities: Option<(PathBuf, Vec<CertificateDer<'static>>)>,
    /// `crl-file`
    pub revocation_lists: Option<(PathBuf, Vec<CertificateRevocationListDer<'static>>)>,
    /// Whether peers are clients, who are told the names of the authorities.
    pub are_clients: bool,
}

/// A revocation list of a profile that decides at present.
#[derive(Clone, Debug)]
pub struct CurrentList {
    pub origin: Origin,
    pub issuer: String,
    /// Seconds since 1970.
    pub next_update: i64,
}

/// One of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerFile {
    CaFile,
    CrlFile,
}

impl PeerFile {
    /// Returns the key under which a profile has it.
    pub fn key(self) -> &'static str {
        match self {
            Self::CaFile => "ca-file",
            Self::CrlFile => "crl-file",
        }
    }
}

impl PeerFiles {
    /// Lints the files at `now` (seconds since 1970): each finding, and the file to change. Levels are not applied.
    pub fn lint(&self, now: i64, expiry_days: u32) -> Vec<(PeerFile, Finding)> {
        let decode = |(path, ders): &(PathBuf, Vec<CertificateDer<'static>>)| {
            let authorities = ders.iter().filter_map(|der| Certificate::decode(der.clone()).ok());
            (path.clone(), authorities.collect::<Vec<_>>())
        };
        let authorities = self.authorities.as_ref().map(decode);
        let lists: Vec<_> = self.revocation_lists.iter().flat_map(|(_, lists)| positioned(lists)).collect();
        let mut findings = Vec::new();
        if let Some((path, _)) = &self.revocation_lists {
            let about = |finding| (PeerFile::CrlFile, finding);
            findings.extend(of_lists(path, &lists, now).into_iter().map(about));
            let missing = authorities.as_ref().and_then(|(_, it)| missing(path, it, &lists));
            findings.extend(missing.map(about));
        }
        if let Some((path, authorities)) = &authorities {
            let dated = of_authorities(path, authorities, now, expiry_days);
            let hints = self.are_clients.then(|| long_names(path, authorities)).flatten();
            findings.extend(dated.into_iter().chain(hints).map(|finding| (PeerFile::CaFile, finding)));
        }
        findings
    }
}

impl PeerFiles {
    /// Returns the revocation lists that decide at `now`, one for each issuer, key and scope.
    pub fn current_lists(&self, now: i64) -> Vec<CurrentList> {
        let Some((path, lists)) = &self.revocation_lists else { return Vec::new() };
        let lists = positioned(lists);
        let current = lists.iter().filter(|it| it.0.is_complete() && is_current(&it.0, &lists, now));
        current
            .map(|(list, position, of)| CurrentList {
                origin: Origin::File { path: path.clone(), position: *position, of: *of },
                issuer: list.issuer.clone(),
                next_update: list.next_update,
            })
            .collect()
    }
}

/// A list, its position in the file, and how many there are.
type Positioned = (RevocationList, usize, usize);

/// Decodes lists. One that cannot be used is refused where the profile is built.
fn positioned(lists: &[CertificateRevocationListDer<'static>]) -> Vec<Positioned> {
    let decoded = lists.iter().zip(1..).map(|(list, position)| (RevocationList::decode(list.clone()), position));
    decoded.filter_map(|(list, position)| Some((list.ok()?, position, lists.len()))).collect()
}

fn of_lists(path: &Path, lists: &[Positioned], now: i64) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (list, position, of) in lists {
        let origin = Origin::File { path: path.to_owned(), position: *position, of: *of };
        let issuer = &list.issuer;
        if !list.is_complete() {
            let what =
                if list.is_delta { "has only what changed since another list" } else { "covers some reasons only" };
            let message = format!("the revocation list of {issuer} {what}: it can revoke, and shows nobody to be good");
            findings.push(
                Finding::about_file(&CRL_PARTIAL, origin, message)
                    .observed(if list.is_delta { "a delta list" } else { "a list for some reasons" })
                    .expected("a complete list beside it"),
            );
            continue;
        }
        if !is_current(list, lists, now) {
            continue;
        }
        findings.extend(due(list, now).map(|(check, severity, message)| {
            Finding::about_file(check, origin, message)
                .severity(severity)
                .observed(format!("next update {}", moment(list.next_update)))
                .expected("a list that lasts for days")
        }));
    }
    findings
}

/// Returns whether a complete list is the one that matters of its issuer, key and scope: one that is in date, and lasts
/// longest.
fn is_current(list: &RevocationList, lists: &[Positioned], now: i64) -> bool {
    let same = |other: &&RevocationList| {
        other.is_complete()
            && other.issuer_der == list.issuer_der
            && other.scope == list.scope
            && other.authority_key_id == list.authority_key_id
    };
    let best = lists.iter().map(|it| &it.0).filter(same).max_by_key(|it| (it.is_in_date(now), it.next_update));
    best.is_some_and(|best| std::ptr::eq(best, list))
}

fn due(list: &RevocationList, now: i64) -> Option<(&'static Check, Severity, String)> {
    let (issuer, left) = (&list.issuer, list.next_update - now);
    let when = moment(list.next_update);
    if left <= 0 {
        let message = format!(
            "the revocation list of {issuer} should have been replaced by {when}: every peer of that authority is refused"
        );
        return Some((&CRL_STALE, Severity::Error, message));
    }
    if now < list.this_update {
        let message = format!(
            "the revocation list of {issuer} is not valid before {}: every peer of that authority is refused",
            moment(list.this_update)
        );
        return Some((&CRL_STALE, Severity::Error, message));
    }
    let lifetime = list.next_update - list.this_update;
    let severity = if left <= lifetime / 4 { Severity::Warning } else { Severity::Info };
    (left < LIST_DAYS * DAY).then(|| {
        let message =
            format!("the revocation list of {issuer} is due for its next update in {}, at {when}", span(left));
        (&CRL_EXPIRING_SOON, severity, message)
    })
}

/// Finds authorities of which no list is signed with their key.
fn missing(path: &Path, authorities: &[Certificate], lists: &[Positioned]) -> Option<Finding> {
    let key = |authority: &Certificate| -> Option<SubjectPublicKeyInfoDer<'static>> {
        anchor_from_trusted_cert(&authority.der).ok().map(|anchor| spki_for_anchor(&anchor))
    };
    let algorithms = signature_algorithms();
    let has_list = |authority: &Certificate| {
        let of_issuer = lists.iter().filter(|it| it.0.issuer_der == authority.subject_der() && it.0.is_complete());
        let Some(key) = key(authority) else { return true };
        of_issuer.into_iter().any(|it| it.0.is_signed_by(&key, algorithms))
    };
    let without: Vec<_> = authorities.iter().filter(|it| !has_list(it)).map(Certificate::title).collect();
    (!without.is_empty()).then(|| {
        let message = format!(
            "crl-file has no revocation list that is signed with the key of {}: every peer with a certificate of {} is refused",
            listed(&without),
            if without.len() == 1 { "it" } else { "theirs" },
        );
        Finding::about_file(&CRL_MISSING, whole(path), message)
            .observed(format!("{} of {} authorities without a list", without.len(), authorities.len()))
            .expected("a list of every authority")
    })
}

fn of_authorities(path: &Path, authorities: &[Certificate], now: i64, expiry_days: u32) -> Vec<Finding> {
    let renewed = |it: &Certificate| {
        let same = |other: &&Certificate| other.subject_der() == it.subject_der() && other.key == it.key;
        authorities
            .iter()
            .filter(same)
            .any(|other| other.not_before <= now && other.days_left(now) >= expiry_days.into())
    };
    let (mut wrong, mut soon) = (Vec::new(), Vec::new());
    for authority in authorities.iter().filter(|it| !renewed(it)) {
        let title = authority.title();
        if now > authority.not_after {
            wrong.push(format!("{title} (expired on {})", day(authority.not_after)));
        } else if now < authority.not_before {
            wrong.push(format!("{title} (not valid before {})", moment(authority.not_before)));
        } else if authority.days_left(now) < expiry_days.into() {
            soon.push(format!("{title} (on {})", day(authority.not_after)));
        }
    }
    let about = |check: &'static Check, titles: &[String], words: &str| {
        (!titles.is_empty()).then(|| {
            Finding::about_file(check, whole(path), format!("{words}: {}", listed(titles)))
                .observed(format!("{} of {} authorities", titles.len(), authorities.len()))
                .expected("authorities that are valid for weeks")
        })
    };
    let wrong = about(&TRUSTED_AUTHORITY_EXPIRED, &wrong, "ca-file has authorities that are not valid today");
    let soon = about(&TRUSTED_AUTHORITY_EXPIRING_SOON, &soon, "ca-file has authorities that expire soon");
    wrong.into_iter().chain(soon).collect()
}

fn long_names(path: &Path, authorities: &[Certificate]) -> Option<Finding> {
    let hints = AuthorityHints::of(authorities.iter().map(Certificate::subject_der));
    (!hints.fit()).then(|| {
        let (names, bytes) = (hints.names.len(), hints.bytes);
        let message = format!(
            "the names of the {names} authorities in ca-file take {bytes} bytes, so clients are asked for a certificate without \
             being told whose"
        );
        Finding::about_file(&AUTHORITY_NAMES_TOO_LONG, whole(path), message)
            .observed(format!("{bytes} bytes"))
            .expected(format!("{MOST_HINTS} bytes or fewer"))
    })
}

fn whole(path: &Path) -> Origin {
    Origin::File { path: path.to_owned(), position: 1, of: 1 }
}

/// Returns the first few, and how many more.
fn listed(titles: &[String]) -> String {
    let shown: Vec<_> = titles.iter().take(SHOWN).map(String::as_str).collect();
    match titles.len().saturating_sub(SHOWN) {
        0 => shown.join("; "),
        more => format!("{}; and {more} more", shown.join("; ")),
    }
}

fn span(seconds: i64) -> String {
    match seconds / DAY {
        0 => format!("{} hours", seconds / 3600),
        1 => "1 day".into(),
        days => format!("{days} days"),
    }
}

const DAY: i64 = 86_400;
/// From so many days before its end on, a list is reported.
const LIST_DAYS: i64 = 7;
const SHOWN: usize = 3;
