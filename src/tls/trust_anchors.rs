//! Trust anchors, from wherever a profile takes them.

use std::path::Path;

use rustls::RootCertStore;
use rustls_native_certs::CertificateResult;
use rustls_pki_types::CertificateDer;

use super::ProfileError;
use crate::cert::bundle::{decode_at, read_certificates};
use crate::model::Name;
use crate::model::profile::TrustAnchors;

/// Trust anchors as read, kept to see whether they have changed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Roots {
    Listed(Vec<CertificateDer<'static>>),
    WebpkiRoots,
}

impl Roots {
    pub(super) fn load(profile: &Name, anchors: &TrustAnchors) -> Result<Self, ProfileError> {
        match anchors {
            TrustAnchors::File(path) => Self::from_file(profile, path),
            TrustAnchors::System => from_system(profile, rustls_native_certs::load_native_certs()),
            TrustAnchors::WebpkiRoots => Ok(Self::WebpkiRoots),
        }
    }

    pub(super) fn from_file(profile: &Name, path: &Path) -> Result<Self, ProfileError> {
        let certificates =
            read_certificates(path).map_err(|error| ProfileError::from_material(profile, CA_FILE, &error))?;
        let mut store = RootCertStore::empty();
        for (index, certificate) in certificates.iter().enumerate() {
            if store.add(certificate.clone()).is_err() {
                let position = index + 1;
                // Its decoding says mostly what is wrong with it.
                let decoded = decode_at(path, position, certificate.clone());
                let decoded = decoded.map_err(|error| ProfileError::from_material(profile, CA_FILE, &error))?;
                let flaw = decoded.flaws.first().map(ToString::to_string);
                let flaw = flaw.unwrap_or_else(|| "its name, key or constraints are malformed".into());
                let message = format!("certificate {position} of {} cannot be trusted: {flaw}", path.display());
                return Err(ProfileError::new(profile, CA_FILE, message));
            }
        }
        Ok(Self::Listed(certificates))
    }

    /// Returns the certificates that are listed.
    pub(super) fn listed(&self) -> &[CertificateDer<'static>] {
        match self {
            Self::Listed(certificates) => certificates,
            Self::WebpkiRoots => &[],
        }
    }

    pub(super) fn store(&self) -> RootCertStore {
        match self {
            Self::Listed(certificates) => {
                let mut store = RootCertStore::empty();
                store.add_parsable_certificates(certificates.iter().cloned());
                store
            }
            Self::WebpkiRoots => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
        }
    }
}

fn from_system(profile: &Name, result: CertificateResult) -> Result<Roots, ProfileError> {
    if !result.certs.is_empty() {
        return Ok(Roots::Listed(result.certs));
    }
    let reason = result.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
    let message = format!("the operating system's store has no certificate authority{reason}");
    Err(ProfileError::new(profile, CA_FILE, message)
        .with_help("install the package ca-certificates, or name a file, or webpki-roots"))
}

pub(super) const CA_FILE: &str = "ca-file";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_system_store_is_an_error_with_a_remedy() {
        let error = from_system(&Name::from("backend"), CertificateResult::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "profile backend: ca-file: the operating system's store has no certificate authority"
        );
        assert!(error.help.unwrap().contains("ca-certificates"));
    }

    #[test]
    fn webpki_roots_are_compiled_in() {
        let roots = Roots::load(&Name::from("backend"), &TrustAnchors::WebpkiRoots).unwrap();
        assert!(roots.store().len() > 50);
    }
}
