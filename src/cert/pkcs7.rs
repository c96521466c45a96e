//! Certificates and revocation lists in PKCS#7, as authorities deliver chains (`.p7b`, `.p7c`; RFC 5652, section 5.1).

use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};

use super::ber::to_der;
use super::der::{self, CONTEXT_0, CONTEXT_1, OID, SEQUENCE};
use super::kind::SIGNED_DATA;

/// What a SignedData carries besides signatures, which nobody makes in such a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SignedData {
    pub(super) certificates: Vec<CertificateDer<'static>>,
    pub(super) revocation_lists: Vec<CertificateRevocationListDer<'static>>,
}

/// Reads a SignedData in DER or BER; none if it is something else. Certificates are kept byte for byte.
pub(super) fn read(contents: &[u8]) -> Option<SignedData> {
    let contents = to_der(contents);
    let parts = der::inside(&contents, SEQUENCE)?;
    let kind = parts.first().filter(|kind| kind.tag == OID && kind.contents == SIGNED_DATA);
    let explicit = kind.and_then(|_| parts.get(1)).filter(|it| it.tag == CONTEXT_0)?;
    let mut found = SignedData::default();
    for field in der::inside(explicit.contents, SEQUENCE)? {
        match field.tag {
            CONTEXT_0 => found.certificates = sequences(field.contents)?.map(CertificateDer::from).collect(),
            CONTEXT_1 => {
                found.revocation_lists = sequences(field.contents)?.map(CertificateRevocationListDer::from).collect();
            }
            _ => {}
        }
    }
    Some(found)
}

/// Returns each SEQUENCE in a row, whole. Other forms of certificate (RFC 5652, section 10.2.2) are passed over.
fn sequences(contents: &[u8]) -> Option<impl Iterator<Item = Vec<u8>>> {
    Some(der::elements(contents)?.into_iter().filter(|it| it.tag == SEQUENCE).map(|it| it.whole.to_vec()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tagged(tag: u8, contents: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        der::push(&mut out, tag, contents);
        out
    }

    proptest! {
        #[test]
        fn certificates_and_lists_come_back_byte_for_byte(
            certificates in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..4),
            lists in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..4),
        ) {
            let whole = |each: &[Vec<u8>]| each.iter().map(|it| tagged(0x04, it)).map(|it| tagged(SEQUENCE, &it)).collect::<Vec<_>>();
            let (certificates, lists) = (whole(&certificates), whole(&lists));
            let fields = [
                tagged(0x02, &[1]), tagged(0x31, &[]), tagged(SEQUENCE, &tagged(OID, &[42])),
                tagged(CONTEXT_0, &certificates.concat()), tagged(CONTEXT_1, &lists.concat()), tagged(0x31, &[]),
            ];
            let signed = tagged(CONTEXT_0, &tagged(SEQUENCE, &fields.concat()));
            let file = tagged(SEQUENCE, &[tagged(OID, SIGNED_DATA), signed].concat());
            let read = read(&file).unwrap();
            prop_assert_eq!(read.certificates.iter().map(|it| it.to_vec()).collect::<Vec<_>>(), certificates);
            prop_assert_eq!(read.revocation_lists.iter().map(|it| it.to_vec()).collect::<Vec<_>>(), lists);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
            let _ = read(&bytes);
        }
    }
}
