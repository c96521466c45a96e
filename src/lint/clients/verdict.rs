//! Whether a client accepts a certificate, and why.

use std::fmt;

/// Whether a client accepts a certificate for a name, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub accepts: bool,
    pub why: Why,
}

/// The reason for a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    DnsNameMatches,
    WildcardMatches,
    AddressMatches,
    CommonNameFallback,
    /// The client compares nothing but the common name.
    CommonNameMatches,

    NoNameMatches,
    CommonNameNotUsed,
    CommonNameIgnored,
    OnlyCommonNameCounts,
    PartialWildcard,
    WildcardForm,
    WildcardEndsSearch,
    AddressAsName,
    HostRefused,

    UnknownCriticalExtension,
    ForeignPurpose,
    AnyPurposeOnly,
    ForeignKeyUsage,
    NoDigitalSignature,
    ShortKey,
    WeakSignature,
    AuthorityAsServer,
    IssuerIsNoAuthority,
    AnchorIsNoAuthority,
    StrictServerSigns,
    StrictNoAuthorityKey,
    StrictNoSubjectKey,
    StrictConstraintsNotCritical,
    StrictNoKeyUsage,
    EmptySubject,
}

impl Verdict {
    pub(super) fn accepts(why: Why) -> Self {
        Self { accepts: true, why }
    }

    pub(super) fn refuses(why: Why) -> Self {
        Self { accepts: false, why }
    }
}

impl Why {
    /// Returns the reason in a few words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DnsNameMatches => "a DNS name matches",
            Self::WildcardMatches => "a wildcard matches",
            Self::AddressMatches => "an IP address matches",
            Self::CommonNameFallback => "CN fallback",
            Self::CommonNameMatches => "the CN matches",
            Self::NoNameMatches => "no name matches",
            Self::CommonNameNotUsed => "the name is a CN only, and this client does not look at that one",
            Self::CommonNameIgnored => "the CN matches, but alternative names switch it off",
            Self::OnlyCommonNameCounts => "only the CN counts, and it is not exactly this name",
            Self::PartialWildcard => "partial wildcard",
            Self::WildcardForm => "a wildcard in a place where this client takes none",
            Self::WildcardEndsSearch => "a wildcard that this client does not take ends its search",
            Self::AddressAsName => "the address is written as a name, not as an IP address",
            Self::HostRefused => "the client refuses the host name itself",
            Self::UnknownCriticalExtension => "an unknown critical extension",
            Self::ForeignPurpose => "extended key usage lacks serverAuth",
            Self::AnyPurposeOnly => "extended key usage is anyExtendedKeyUsage, without serverAuth",
            Self::ForeignKeyUsage => "key usage has none of digitalSignature, keyEncipherment and keyAgreement",
            Self::NoDigitalSignature => "key usage lacks digitalSignature",
            Self::ShortKey => "the RSA key is shorter than 2048 bits",
            Self::WeakSignature => "signed with SHA-1 or older",
            Self::AuthorityAsServer => "the server's certificate says CA:TRUE",
            Self::IssuerIsNoAuthority => "an issuer's certificate does not say CA:TRUE",
            Self::AnchorIsNoAuthority => "the root lacks basicConstraints",
            Self::StrictServerSigns => "strict: keyCertSign in the server's key usage",
            Self::StrictNoAuthorityKey => "strict: authority key identifier missing",
            Self::StrictNoSubjectKey => "strict: subject key identifier of an authority missing",
            Self::StrictConstraintsNotCritical => "strict: basicConstraints of an authority not critical",
            Self::StrictNoKeyUsage => "strict: key usage of an authority missing",
            Self::EmptySubject => "the subject is empty and the alternative names are not critical",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
