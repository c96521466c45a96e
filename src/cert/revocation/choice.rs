//! Which of several revocation lists decides, and what it says of a certificate.

use std::cmp::Ordering;
use std::collections::HashMap;

use parking_lot::Mutex;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::list::RevocationList;
use super::scope::Points;

/// Revocation lists, by issuer.
#[derive(Debug, Default)]
pub struct RevocationLists {
    lists: Vec<RevocationList>,
    by_issuer: HashMap<Vec<u8>, Vec<usize>>,
    /// Whether a key signed a list. Lists may be long, and handshakes many.
    signatures: Mutex<HashMap<(usize, Vec<u8>), bool>>,
}

/// Why a certificate is not known to be good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unrevoked {
    Revoked,
    /// No complete list is for the certificate and signed with its issuer's key.
    NoList,
    /// The newest list is past its date.
    Expired {
        next_update: i64,
    },
    /// The list is from the future.
    NotYetValid {
        this_update: i64,
    },
    /// The issuer's certificate does not allow it to sign lists.
    NoSigner,
}

/// A certificate whose revocation is asked for.
#[derive(Debug)]
pub(super) struct Subject {
    issuer_der: Vec<u8>,
    serial: Vec<u8>,
    points: Points,
    is_authority: bool,
}

impl Subject {
    /// Reads what lists go by; `is_authority` if it is above another in its chain.
    pub(super) fn of(der: &CertificateDer<'_>, is_authority: bool) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(der).ok()?;
        let points = parsed.extensions().iter().find(|it| it.oid.as_bytes() == CRL_DISTRIBUTION_POINTS);
        Some(Self {
            issuer_der: parsed.issuer().as_raw().to_vec(),
            serial: parsed.raw_serial().to_vec(),
            points: points.map_or_else(Points::default, |it| Points::of(it.value)),
            is_authority,
        })
    }
}

impl RevocationLists {
    pub fn new(lists: Vec<RevocationList>) -> Self {
        let mut by_issuer: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
        for (index, list) in lists.iter().enumerate() {
            by_issuer.entry(list.issuer_der.clone()).or_default().push(index);
        }
        Self { lists, by_issuer, signatures: Mutex::default() }
    }

    /// Returns all lists, in the order given.
    pub fn all(&self) -> &[RevocationList] {
        &self.lists
    }

    /// Returns whether there is no list.
    pub fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// Returns those of an issuer by its name in DER, whatever their keys.
    pub fn of_issuer(&self, issuer_der: &[u8]) -> impl Iterator<Item = &RevocationList> + Clone {
        self.by_issuer.get(issuer_der).into_iter().flatten().map(|index| &self.lists[*index])
    }

    /// Returns the newest complete list of an issuer, whatever its key.
    pub fn newest_of(&self, issuer_der: &[u8]) -> Option<&RevocationList> {
        let complete: Vec<_> = self.of_issuer(issuer_der).filter(|it| it.is_complete()).collect();
        Newness::of(&complete).newest(complete.iter().copied())
    }

    /// Returns whether a list of the certificate's issuer, whatever its key, has its serial number.
    pub fn name(&self, certificate: &CertificateDer<'_>) -> bool {
        Subject::of(certificate, false)
            .is_some_and(|subject| self.of_issuer(&subject.issuer_der).any(|list| list.has(&subject.serial)))
    }

    /// Judges one certificate, whose issuer has the key `issuer` and may or may not sign lists.
    pub(super) fn judge(
        &self,
        subject: &Subject,
        issuer: &SubjectPublicKeyInfoDer<'_>,
        may_sign_lists: bool,
        now: i64,
        algorithms: &[&dyn SignatureVerificationAlgorithm],
    ) -> Result<(), Unrevoked> {
        let indices = self.by_issuer.get(&subject.issuer_der).map_or(&[][..], Vec::as_slice);
        let signed: Vec<&RevocationList> = indices
            .iter()
            .filter(|index| self.lists[**index].scope.covers(subject.is_authority, &subject.points))
            .filter(|index| self.is_signed_by(**index, issuer, algorithms))
            .map(|index| &self.lists[*index])
            .collect();
        if signed.is_empty() {
            return Err(Unrevoked::NoList);
        }
        if !may_sign_lists {
            return Err(Unrevoked::NoSigner);
        }
        // Numbers count within one scope.
        let mut scopes: Vec<Vec<&RevocationList>> = Vec::new();
        for list in signed {
            match scopes.iter_mut().find(|scope| scope[0].scope == list.scope) {
                Some(scope) => scope.push(list),
                None => scopes.push(vec![list]),
            }
        }
        let verdicts: Vec<_> = scopes.iter().map(|scope| judge_by(scope, &subject.serial, now)).collect();
        let wanted = [Err(Unrevoked::Revoked), Ok(())];
        if let Some(verdict) = wanted.into_iter().find(|it| verdicts.contains(it)) {
            return verdict;
        }
        // A list that is past its date says more than one that is for some reasons only.
        verdicts.into_iter().find(|it| *it != Err(Unrevoked::NoList)).unwrap_or(Err(Unrevoked::NoList))
    }

    fn is_signed_by(
        &self,
        index: usize,
        issuer: &SubjectPublicKeyInfoDer<'_>,
        algorithms: &[&dyn SignatureVerificationAlgorithm],
    ) -> bool {
        let key = (index, issuer.as_ref().to_vec());
        if let Some(known) = self.signatures.lock().get(&key) {
            return *known;
        }
        let is_signed = self.lists[index].is_signed_by(issuer, algorithms);
        let mut signatures = self.signatures.lock();
        if signatures.len() >= MOST_SIGNATURES {
            signatures.clear();
        }
        signatures.insert(key, is_signed);
        is_signed
    }
}

/// Judges a serial number by lists of one issuer, key and scope.
fn judge_by(lists: &[&RevocationList], serial: &[u8], now: i64) -> Result<(), Unrevoked> {
    let order = Newness::of(lists);
    let full = || lists.iter().copied().filter(|it| !it.is_delta);
    let deciding = order.newest(full().filter(|it| it.is_complete() && it.is_in_date(now)));
    let last = order.newest(full());
    // What is older may have revocations that were taken back since.
    let is_believed =
        |list: &&RevocationList| deciding.or(last).is_none_or(|oldest| order.compare(list, oldest) != Ordering::Less);
    if lists.iter().copied().filter(is_believed).any(|list| list.has(serial)) {
        return Err(Unrevoked::Revoked);
    }
    match last {
        _ if deciding.is_some() => Ok(()),
        Some(list) if !list.is_complete() => Err(Unrevoked::NoList),
        Some(list) if now < list.this_update => Err(Unrevoked::NotYetValid { this_update: list.this_update }),
        Some(list) => Err(Unrevoked::Expired { next_update: list.next_update }),
        None => Err(Unrevoked::NoList),
    }
}

/// The order of lists of one issuer and scope: by CRL number and then by date, or by date alone if one has no number.
struct Newness {
    by_number: bool,
}

impl Newness {
    fn of(lists: &[&RevocationList]) -> Self {
        Self { by_number: lists.iter().all(|list| list.number.is_some()) }
    }

    fn newest<'a>(&self, lists: impl Iterator<Item = &'a RevocationList>) -> Option<&'a RevocationList> {
        lists.max_by(|one, other| self.compare(one, other))
    }

    fn compare(&self, one: &RevocationList, other: &RevocationList) -> Ordering {
        let number = |list: &RevocationList| {
            list.number.as_ref().filter(|_| self.by_number).map(|number| (number.len(), number.clone()))
        };
        number(one).cmp(&number(other)).then(one.this_update.cmp(&other.this_update))
    }
}

/// Outcomes of signatures that are kept: lists times the keys of their issuer's name, which are few.
const MOST_SIGNATURES: usize = 4096;
/// 2.5.29.31
const CRL_DISTRIBUTION_POINTS: &[u8] = &[0x55, 0x1d, 31];
