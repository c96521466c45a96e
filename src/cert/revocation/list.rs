//! One revocation list, decoded.

use rustls_pki_types::{CertificateRevocationListDer, SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer};
use webpki::RawPublicKeyEntity;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;
use x509_parser::x509::X509Name;

use super::der::{Elements, sequence, significant};
use super::scope::Scope;
use crate::cert::der::{
    BIT_STRING, BOOLEAN, Element, GENERALIZED_TIME, INTEGER, OCTET_STRING, OID, SEQUENCE, UTC_TIME,
};
use crate::cert::hex::hexadecimal;
use crate::cert::kind::{self, Kind};
use crate::words::shown;

/// A revocation list that can be used.
#[derive(Debug)]
pub struct RevocationList {
    /// The issuer's name in DER.
    pub issuer_der: Vec<u8>,
    /// What to call the issuer in a message.
    pub issuer: String,
    /// Seconds since 1970; the list is not valid before.
    pub this_update: i64,
    /// Seconds since 1970; in this second the list is past its date.
    pub next_update: i64,
    /// The CRL number without leading zeros.
    pub(super) number: Option<Vec<u8>>,
    pub scope: Scope,
    /// Which of its issuer's keys signed it, if the list says so.
    pub authority_key_id: Option<Vec<u8>>,
    /// It has only what changed since another list.
    pub is_delta: bool,
    der: CertificateRevocationListDer<'static>,
    /// Where the serial numbers of revoked certificates are, sorted by the numbers.
    revoked: Vec<Span>,
    signed: Span,
    signature: Span,
    /// The signature algorithm's identifier, from its OID on.
    algorithm: Span,
}

/// A list that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusableList {
    /// The issuer's name in DER, as far as it was read.
    pub issuer_der: Option<Vec<u8>>,
    pub issuer: Option<String>,
    /// Words that follow "the list cannot be used:".
    pub reason: String,
}

/// A part of the list, by its first byte and its length.
type Span = (u32, u32);

impl RevocationList {
    /// Decodes a list. Its signature is verified when it is used: by then its issuer is known.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn decode(der: CertificateRevocationListDer<'static>) -> Result<Self, UnusableList> {
        let mut issuer = None;
        let read = match kind::of_der(&der) {
            Some(Kind::RevocationList) => parts(&der, &mut issuer),
            Some(kind) => Err(format!("it is {kind}")),
            None => Err("it is no revocation list, or is cut off".to_owned()),
        };
        let (issuer_der, title) = issuer.unzip();
        let unusable = |reason: String| UnusableList { issuer_der: issuer_der.clone(), issuer: title.clone(), reason };
        let parts = read.map_err(unusable)?;
        let (Some(issuer_der), Some(issuer)) = (issuer_der.clone(), title.clone()) else {
            return Err(unusable(BROKEN.to_owned()));
        };
        let Extensions { number, scope, authority_key_id, is_delta } = parts.extensions;
        let (this_update, next_update) = parts.updates;
        Ok(Self {
            issuer_der,
            issuer,
            this_update,
            next_update,
            number,
            scope,
            authority_key_id,
            is_delta,
            revoked: parts.revoked,
            signed: parts.signed,
            signature: parts.signature,
            algorithm: parts.algorithm,
            der,
        })
    }

    /// Returns whether the list is in date.
    pub fn is_in_date(&self, now: i64) -> bool {
        self.this_update <= now && now < self.next_update
    }

    /// Returns whether it may show by itself that a certificate is not revoked.
    pub fn is_complete(&self) -> bool {
        !self.is_delta && !self.scope.only_some_reasons
    }

    /// Returns how to tell the list from its issuer's others: by its CRL number, else its date.
    pub fn number(&self) -> Option<String> {
        self.number.as_ref().map(|number| hexadecimal(number))
    }

    /// Returns whether it has a certificate's serial number.
    pub(super) fn has(&self, serial: &[u8]) -> bool {
        let serial = significant(serial);
        self.revoked.binary_search_by(|span| significant(at(&self.der, *span)).cmp(serial)).is_ok()
    }

    /// Returns whether the key `issuer` signed the list.
    pub fn is_signed_by(
        &self,
        issuer: &SubjectPublicKeyInfoDer<'_>,
        algorithms: &[&dyn SignatureVerificationAlgorithm],
    ) -> bool {
        let Ok(key) = RawPublicKeyEntity::try_from(issuer) else { return false };
        let part = |span| at(&self.der, span);
        algorithms.iter().any(|algorithm| {
            algorithm.signature_alg_id().as_ref() == part(self.algorithm)
                && key.verify_signature(*algorithm, part(self.signed), part(self.signature)).is_ok()
        })
    }
}

fn at(der: &[u8], (start, length): Span) -> &[u8] {
    let start = start as usize;
    der.get(start..start + length as usize).unwrap_or_default()
}

/// What a list is made of.
struct Parts {
    updates: (i64, i64),
    revoked: Vec<Span>,
    extensions: Extensions,
    signed: Span,
    signature: Span,
    algorithm: Span,
}

/// What the extensions say.
#[derive(Default)]
struct Extensions {
    number: Option<Vec<u8>>,
    scope: Scope,
    authority_key_id: Option<Vec<u8>>,
    is_delta: bool,
}

/// Reads a list; the issuer, in DER and in words, is given even if something after it is wrong.
fn parts(der: &[u8], issuer: &mut Option<(Vec<u8>, String)>) -> Result<Parts, String> {
    let broken = || BROKEN.to_owned();
    u32::try_from(der.len()).map_err(|_| "it has more than 4 GiB".to_owned())?;
    let span = |part: &[u8]| (part.as_ptr().addr().wrapping_sub(der.as_ptr().addr()) as u32, part.len() as u32);
    let mut outer = sequence(der).ok_or_else(broken)?;
    let signed = outer.take_tag(SEQUENCE).ok_or_else(broken)?;
    let algorithm = outer.take_tag(SEQUENCE).ok_or_else(broken)?;
    let signature = outer.take_tag(BIT_STRING).filter(|_| outer.is_empty()).ok_or_else(broken)?;
    let [0, signature @ ..] = signature.contents else { return Err(broken()) };

    let mut fields = Elements(signed.contents);
    let version = fields.take_tag(INTEGER);
    let inner_algorithm = fields.take_tag(SEQUENCE).ok_or_else(broken)?;
    let name = fields.take_tag(SEQUENCE).ok_or_else(broken)?;
    let (_, parsed) = X509Name::from_der(name.whole).map_err(|_| broken())?;
    *issuer = Some((name.whole.to_vec(), shown(&parsed.to_string())));
    match version.map(|version| version.contents) {
        None => {
            return Err(VERSION_1.to_owned());
        }
        Some([1]) => {}
        Some(_) => return Err("it is of a version that is unknown".to_owned()),
    }
    if inner_algorithm.contents != algorithm.contents {
        return Err("it names two signature algorithms".to_owned());
    }
    let this_update = time(&mut fields).ok_or_else(broken)?;
    let next_update = time(&mut fields).ok_or_else(|| "it has no next update".to_owned())?;
    let entries = fields.take_tag(SEQUENCE);
    let extensions = fields.take_context(0);
    if !fields.is_empty() {
        return Err(broken());
    }
    let extensions = self::extensions(extensions.map(|it| Elements(it.contents)))?;
    let is_delta = extensions.is_delta;
    let mut revoked = Vec::new();
    let mut rest = entries.map_or(Elements(&[]), |it| Elements(it.contents));
    for entry in rest.by_ref() {
        revoked.extend(self::revoked(&entry, is_delta)?.map(&span));
    }
    if !rest.is_empty() {
        return Err(broken());
    }
    revoked.sort_unstable_by(|one, other| significant(at(der, *one)).cmp(significant(at(der, *other))));
    Ok(Parts {
        updates: (this_update, next_update),
        revoked,
        extensions,
        signed: span(signed.whole),
        signature: span(signature),
        algorithm: span(algorithm.contents),
    })
}

fn time(fields: &mut Elements<'_>) -> Option<i64> {
    let time = fields.take_tag(UTC_TIME).or_else(|| fields.take_tag(GENERALIZED_TIME))?;
    ASN1Time::from_der(time.whole).ok().map(|(_, time)| time.timestamp())
}

/// Returns the serial number of an entry; none if a delta says that it is not revoked any more.
fn revoked<'a>(entry: &Element<'a>, in_delta: bool) -> Result<Option<&'a [u8]>, String> {
    let broken = || BROKEN.to_owned();
    let mut fields = Elements(entry.contents);
    let serial = fields.take_tag(INTEGER).ok_or_else(broken)?;
    time(&mut fields).ok_or_else(broken)?;
    let mut is_removed = false;
    if let Some(extensions) = fields.take_tag(SEQUENCE) {
        each_extension(Elements(extensions.contents), |oid, critical, value| {
            match oid {
                REASON_CODE => is_removed = value == REMOVE_FROM_CRL,
                INVALIDITY_DATE => {}
                _ if critical => return Err("an entry has a critical extension that is unknown".to_owned()),
                _ => {}
            }
            Ok(())
        })?;
    }
    if !fields.is_empty() {
        return Err(broken());
    }
    Ok((!(is_removed && in_delta)).then_some(serial.contents))
}

fn extensions(field: Option<Elements<'_>>) -> Result<Extensions, String> {
    let broken = || BROKEN.to_owned();
    let (mut found, mut scope) = (Extensions::default(), None);
    let Some(mut outer) = field else { return Ok(found) };
    let all = outer.take_tag(SEQUENCE).filter(|_| outer.is_empty()).ok_or_else(broken)?;
    each_extension(Elements(all.contents), |oid, critical, value| {
        match oid {
            CRL_NUMBER => {
                let value = Elements(value).take_tag(INTEGER).ok_or_else(broken)?;
                found.number = Some(significant(value.contents).to_vec());
            }
            ISSUING_DISTRIBUTION_POINT if scope.is_some() => return Err(broken()),
            ISSUING_DISTRIBUTION_POINT => scope = Some(Scope::of(value)?),
            DELTA_CRL_INDICATOR => found.is_delta = true,
            AUTHORITY_KEY_ID => {
                let fields = sequence(value);
                found.authority_key_id = fields.and_then(|mut it| it.take_context(0)).map(|id| id.contents.to_vec());
            }
            _ if critical => return Err("it has a critical extension that is unknown".to_owned()),
            _ => {}
        }
        Ok(())
    })?;
    found.scope = scope.unwrap_or_default();
    Ok(found)
}

/// Calls `each` with OID, criticality and value of every extension.
fn each_extension<'a>(
    mut extensions: Elements<'a>,
    mut each: impl FnMut(&'a [u8], bool, &'a [u8]) -> Result<(), String>,
) -> Result<(), String> {
    let broken = || BROKEN.to_owned();
    for extension in extensions.by_ref() {
        let mut fields = Elements(extension.contents);
        let oid = fields.take_tag(OID).ok_or_else(broken)?;
        let critical = fields.take_tag(BOOLEAN).is_some_and(|critical| critical.contents != [0]);
        let value = fields.take_tag(OCTET_STRING).ok_or_else(broken)?;
        each(oid.contents, critical, value.contents)?;
    }
    if extensions.is_empty() { Ok(()) } else { Err(broken()) }
}

const BROKEN: &str = "it is not well-formed";
/// OpenSSL writes version 1 unless its configuration says otherwise.
const VERSION_1: &str = "it is of version 1, which has neither number nor scope, and only version 2 (RFC 5280) is taken; \
                         with `crl_extensions = crl_ext` in its section, or `-crlexts crl_ext`, `openssl ca -gencrl` \
                         writes version 2";
// 2.5.29.n
const CRL_NUMBER: &[u8] = &[0x55, 0x1d, 20];
const REASON_CODE: &[u8] = &[0x55, 0x1d, 21];
const INVALIDITY_DATE: &[u8] = &[0x55, 0x1d, 24];
const DELTA_CRL_INDICATOR: &[u8] = &[0x55, 0x1d, 27];
const ISSUING_DISTRIBUTION_POINT: &[u8] = &[0x55, 0x1d, 28];
const AUTHORITY_KEY_ID: &[u8] = &[0x55, 0x1d, 35];
/// ENUMERATED 8.
const REMOVE_FROM_CRL: &[u8] = &[0x0a, 1, 8];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{
        BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, IsCa, KeyIdMethod,
        KeyPair, RevokedCertParams, SerialNumber, date_time_ymd,
    };
    use webpki::{anchor_from_trusted_cert, spki_for_anchor};

    use super::*;
    use crate::cert::signature_algorithms;

    /// A list that revokes these serial numbers, and the key that signed it.
    fn made(serials: &[u64]) -> (Vec<u8>, SubjectPublicKeyInfoDer<'static>) {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2021, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2021, 1, 1),
            next_update: date_time_ymd(2022, 1, 1),
            crl_number: SerialNumber::from(300_u64),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let key = spki_for_anchor(&anchor_from_trusted_cert(issuer.der()).unwrap());
        (list.signed_by(&issuer).unwrap().der().to_vec(), key)
    }

    fn decoded(der: &[u8]) -> Result<RevocationList, UnusableList> {
        RevocationList::decode(CertificateRevocationListDer::from(der.to_vec()))
    }

    #[test]
    fn serial_numbers_are_found_whatever_zeros_are_before_them() {
        let list = decoded(&made(&[500, 3, 0xff, 70_000]).0).unwrap();
        for serial in [&[0xff][..], &[0, 0xff], &[3], &[0, 0, 3], &[1, 0xf4], &[1, 0x11, 0x70]] {
            assert!(list.has(serial), "{serial:?}");
        }
        for serial in [&[][..], &[0], &[4], &[0xff, 0], &[0xf4]] {
            assert!(!list.has(serial), "{serial:?}");
        }
        assert_eq!((list.number().as_deref(), list.is_complete()), (Some("012c"), true));
        assert!(list.is_in_date(list.this_update) && !list.is_in_date(list.next_update));
    }

    proptest! {
        /// A list that was damaged anywhere is refused, or its signature does not verify.
        #[test]
        fn damage_is_noticed(at in any::<prop::sample::Index>(), bit in 0_u8..8, cut in any::<prop::sample::Index>()) {
            let (mut der, key) = made(&[1, 2, 3]);
            prop_assert!(decoded(&der).unwrap().is_signed_by(&key, signature_algorithms()));
            prop_assert!(decoded(&der[..cut.index(der.len())]).is_err());
            let at = at.index(der.len());
            der[at] ^= 1 << bit;
            let is_taken = decoded(&der).is_ok_and(|it| it.is_signed_by(&key, signature_algorithms()));
            prop_assert!(!is_taken, "byte {}", at);
        }

        #[test]
        fn what_is_no_list_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(decoded(&bytes).is_err());
        }
    }
}
