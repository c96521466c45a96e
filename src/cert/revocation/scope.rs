//! Which certificates a revocation list is for: its issuing distribution point (RFC 5280, section 5.2.5), beside the
//! distribution points that a certificate names (section 4.2.1.13).

use super::der::{Elements, context, sequence};
use crate::cert::der::Element;

/// Which certificates of its issuer a list is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Those that are no authorities'.
    pub only_user: bool,
    /// Those of authorities.
    pub only_ca: bool,
    /// It has revocations for some reasons only.
    pub only_some_reasons: bool,
    /// The distribution point's names in DER; a list without one is for every certificate.
    names: Option<Vec<Vec<u8>>>,
}

impl Scope {
    /// Reads an issuing distribution point.
    ///
    /// # Errors
    /// Why a list with it cannot be used.
    pub(super) fn of(extension: &[u8]) -> Result<Self, &'static str> {
        let mut rest = sequence(extension).ok_or(BROKEN)?;
        let mut scope = Self::default();
        for field in rest.by_ref() {
            match context(&field) {
                Some(0) => scope.names = Some(point_names(&field).ok_or(BY_RELATIVE_NAME)?),
                Some(1) => scope.only_user = is_true(&field)?,
                Some(2) => scope.only_ca = is_true(&field)?,
                Some(3) => scope.only_some_reasons = true,
                Some(4) if is_true(&field)? => {
                    return Err("it is an indirect list, of other authorities' certificates");
                }
                Some(5) if is_true(&field)? => return Err("it is a list of attribute certificates"),
                Some(4 | 5) => {}
                _ => return Err(BROKEN),
            }
        }
        if rest.is_empty() { Ok(scope) } else { Err(BROKEN) }
    }

    /// Returns whether the list is for a certificate. One with a distribution point is for certificates that name it.
    pub(super) fn covers(&self, is_authority: bool, points: &Points) -> bool {
        let role = if is_authority { !self.only_user } else { !self.only_ca };
        role && self.names.as_ref().is_none_or(|names| points.names.iter().any(|name| names.contains(name)))
    }
}

/// The names of a certificate's distribution points, in DER; without points for some reasons or of other issuers.
#[derive(Clone, Debug, Default)]
pub(super) struct Points {
    names: Vec<Vec<u8>>,
}

impl Points {
    /// Reads the extension of a certificate. What is broken names nothing.
    pub(super) fn of(extension: &[u8]) -> Self {
        let mut names = Vec::new();
        for point in sequence(extension).into_iter().flatten() {
            let mut fields = Elements(point.contents);
            let name = fields.take_context(0);
            if fields.is_empty() {
                names.extend(name.and_then(|name| point_names(&name)).unwrap_or_default());
            }
        }
        Self { names }
    }
}

/// Returns the full names of a DistributionPointName; none if it is relative to the issuer.
fn point_names(field: &Element<'_>) -> Option<Vec<Vec<u8>>> {
    let full = Elements(field.contents).take_context(0)?;
    Some(Elements(full.contents).map(|name| name.whole.to_vec()).collect())
}

fn is_true(field: &Element<'_>) -> Result<bool, &'static str> {
    match field.contents {
        [0xff] => Ok(true),
        [0x00] => Ok(false),
        _ => Err(BROKEN),
    }
}

const BROKEN: &str = "its issuing distribution point is not well-formed";
const BY_RELATIVE_NAME: &str = "its issuing distribution point is named relative to its issuer";

#[cfg(test)]
mod tests {
    use super::*;

    fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
        [&[tag, contents.len() as u8], contents].concat()
    }

    fn point(uri: &str) -> Vec<u8> {
        tlv(0xa0, &tlv(0xa0, &tlv(0x86, uri.as_bytes())))
    }

    #[test]
    fn a_list_is_for_the_certificates_that_its_distribution_point_names() {
        let named = |fields: &[u8]| Scope::of(&tlv(0x30, fields));
        let points = |uri: &str| Points::of(&tlv(0x30, &tlv(0x30, &point(uri))));
        let none = Points::default();
        assert!(Scope::default().covers(false, &none) && Scope::default().covers(true, &none));
        let user = named(&[0x81, 1, 0xff]).unwrap();
        assert!(user.covers(false, &none) && !user.covers(true, &none));
        let authorities = named(&[0x82, 1, 0xff]).unwrap();
        assert!(!authorities.covers(false, &none) && authorities.covers(true, &none));
        let shard = named(&point("http://a/1")).unwrap();
        assert!(shard.covers(false, &points("http://a/1")));
        assert!(!shard.covers(false, &points("http://a/2")), "the other half's list");
        assert!(!shard.covers(false, &none), "the certificate does not say in which half it is");
        let for_some = Points::of(&tlv(0x30, &tlv(0x30, &[&point("http://a/1")[..], &[0x81, 2, 1, 6]].concat())));
        assert!(!shard.covers(false, &for_some), "that point has some reasons only");
        assert!(named(&[0x83, 2, 1, 6]).unwrap().only_some_reasons);
    }

    #[test]
    fn what_cannot_be_judged_is_refused_with_the_reason() {
        for (fields, words) in [
            (&[0x84, 1, 0xff][..], "indirect"),
            (&[0x85, 1, 0xff], "attribute"),
            (&[0x81, 1, 7], "well-formed"),
            (&[0x86, 1, 0xff], "well-formed"),
            (&[0x81], "well-formed"),
            (&[0xa0, 2, 0xa1, 0], "relative"),
        ] {
            let refused = Scope::of(&tlv(0x30, fields)).unwrap_err();
            assert!(refused.contains(words), "{refused}");
        }
        assert!(Scope::of(&[0x30, 0x00, 0x00]).is_err());
    }
}
