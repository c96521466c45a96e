//! The parts of a certificate.

/// A part of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    Subject,
    Issuer,
    Serial,
    NotBefore,
    NotAfter,
    PublicKey,
    SignatureAlgorithm,
    BasicConstraints,
    KeyUsage,
    ExtendedKeyUsage,
    SubjectAlternativeName,
    SubjectKeyIdentifier,
    AuthorityKeyIdentifier,
    NameConstraints,
    OtherExtensions,
}

impl Field {
    /// Returns what `openssl x509 -text` calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Subject => "Subject",
            Self::Issuer => "Issuer",
            Self::Serial => "Serial Number",
            Self::NotBefore => "Not Before",
            Self::NotAfter => "Not After",
            Self::PublicKey => "Public Key",
            Self::SignatureAlgorithm => "Signature Algorithm",
            Self::BasicConstraints => "Basic Constraints",
            Self::KeyUsage => "Key Usage",
            Self::ExtendedKeyUsage => "Extended Key Usage",
            Self::SubjectAlternativeName => "Subject Alternative Name",
            Self::SubjectKeyIdentifier => "Subject Key Identifier",
            Self::AuthorityKeyIdentifier => "Authority Key Identifier",
            Self::NameConstraints => "Name Constraints",
            Self::OtherExtensions => "Extensions",
        }
    }
}
