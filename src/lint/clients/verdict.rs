//! Whether a client accepts a certificate, and why.

use std::fmt;

/// Whether a client accepts a certificate for a name, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub accepts: bool,
    pub why: Why,
}

/// The reason for a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    NameUndecodable,

    Untrusted,
    OtherAuthorityKey,
    NameWrittenOtherwise,
    AnchorIsNoRoot,
    AnchorUnusable,
    BadSignature,
    Expired,
    NotYetValid,
    UnknownCriticalExtension,
    ForeignPurpose,
    AnyPurposeOnly,
    ForeignKeyUsage,
    NoDigitalSignature,
    NetscapeType,
    ShortKey,
    KeyKind,
    ExplicitCurve,
    WeakSignature,
    SignatureKind,
    AuthorityAsServer,
    IssuerIsNoAuthority,
    AnchorIsNoAuthority,
    CannotSign,
    PathLength,
    TooDeep,
    NameConstraints,
    ConstraintMalformed,
    PolicyDemanded,
    OldVersion,
    StrictServerSigns,
    StrictLengthOfServer,
    StrictNoAuthorityKey,
    StrictNoSubjectKey,
    StrictConstraintsNotCritical,
    StrictNoKeyUsage,
    EmptySubject,
    EmptyIssuer,
    Unreadable,
    ForeignKey,
}

/// The reasons for which a client does not take a certificate's names for the host's.
pub const NAME_REFUSALS: &[Why] = &[
    Why::NoNameMatches,
    Why::CommonNameNotUsed,
    Why::CommonNameIgnored,
    Why::OnlyCommonNameCounts,
    Why::PartialWildcard,
    Why::WildcardForm,
    Why::WildcardEndsSearch,
    Why::AddressAsName,
    Why::HostRefused,
    Why::NameUndecodable,
];

impl Verdict {
    pub(super) fn accepts(why: Why) -> Self {
        Self { accepts: true, why }
    }

    pub(super) fn refuses(why: Why) -> Self {
        Self { accepts: false, why }
    }
}

impl Why {
    #[cfg(test)]
    pub(in crate::lint) const ALL: &[Self] = &[
        Self::DnsNameMatches,
        Self::WildcardMatches,
        Self::AddressMatches,
        Self::CommonNameFallback,
        Self::CommonNameMatches,
        Self::NoNameMatches,
        Self::CommonNameNotUsed,
        Self::CommonNameIgnored,
        Self::OnlyCommonNameCounts,
        Self::PartialWildcard,
        Self::WildcardForm,
        Self::WildcardEndsSearch,
        Self::AddressAsName,
        Self::HostRefused,
        Self::NameUndecodable,
        Self::Untrusted,
        Self::OtherAuthorityKey,
        Self::NameWrittenOtherwise,
        Self::AnchorIsNoRoot,
        Self::AnchorUnusable,
        Self::BadSignature,
        Self::Expired,
        Self::NotYetValid,
        Self::UnknownCriticalExtension,
        Self::ForeignPurpose,
        Self::AnyPurposeOnly,
        Self::ForeignKeyUsage,
        Self::NoDigitalSignature,
        Self::NetscapeType,
        Self::ShortKey,
        Self::KeyKind,
        Self::ExplicitCurve,
        Self::WeakSignature,
        Self::SignatureKind,
        Self::AuthorityAsServer,
        Self::IssuerIsNoAuthority,
        Self::AnchorIsNoAuthority,
        Self::CannotSign,
        Self::PathLength,
        Self::TooDeep,
        Self::NameConstraints,
        Self::ConstraintMalformed,
        Self::PolicyDemanded,
        Self::OldVersion,
        Self::StrictServerSigns,
        Self::StrictLengthOfServer,
        Self::StrictNoAuthorityKey,
        Self::StrictNoSubjectKey,
        Self::StrictConstraintsNotCritical,
        Self::StrictNoKeyUsage,
        Self::EmptySubject,
        Self::EmptyIssuer,
        Self::Unreadable,
        Self::ForeignKey,
    ];

    /// Returns whether it is about how certificates go together, and not about one of them.
    pub(in crate::lint) fn is_of_chain(self) -> bool {
        matches!(
            self,
            Self::Untrusted
                | Self::OtherAuthorityKey
                | Self::NameWrittenOtherwise
                | Self::AnchorIsNoRoot
                | Self::AnchorUnusable
                | Self::BadSignature
                | Self::PathLength
                | Self::TooDeep
                | Self::NameConstraints
                | Self::ConstraintMalformed
                | Self::PolicyDemanded
        )
    }

    /// Returns whether a client refuses for it.
    pub fn is_refusal(self) -> bool {
        self > Self::CommonNameMatches
    }

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
            Self::NameUndecodable => "an alternative name that this client cannot decode",
            Self::Untrusted => "no path leads to a trusted authority",
            Self::OtherAuthorityKey => "the authority key identifier names another certificate than the authority's",
            Self::NameWrittenOtherwise => "the issuer's name is written otherwise than in the authority's certificate",
            Self::AnchorIsNoRoot => "what is trusted is no root",
            Self::AnchorUnusable => "the trusted certificate is one that this client cannot use",
            Self::BadSignature => "a signature does not verify",
            Self::Expired => "a certificate has expired",
            Self::NotYetValid => "a certificate is not valid yet",
            Self::UnknownCriticalExtension => "an unknown critical extension",
            Self::ForeignPurpose => "extended key usage lacks serverAuth",
            Self::AnyPurposeOnly => "extended key usage is anyExtendedKeyUsage, without serverAuth",
            Self::ForeignKeyUsage => "key usage has none of digitalSignature, keyEncipherment and keyAgreement",
            Self::NoDigitalSignature => "key usage lacks digitalSignature",
            Self::NetscapeType => "Netscape's certificate type is not a server's",
            Self::ShortKey => "an RSA key is too short, or too long",
            Self::KeyKind => "a key is of a kind that this client does not take",
            Self::ExplicitCurve => "a key has its curve spelled out",
            Self::WeakSignature => "signed with SHA-1 or older",
            Self::SignatureKind => "signed in a way that this client does not know",
            Self::AuthorityAsServer => "the server's certificate says CA:TRUE",
            Self::IssuerIsNoAuthority => "an issuer's certificate does not say CA:TRUE",
            Self::AnchorIsNoAuthority => "the root lacks basicConstraints",
            Self::CannotSign => "an issuer's key usage lacks keyCertSign",
            Self::PathLength => "more authorities below an authority than it allows",
            Self::TooDeep => "more certificates than this client takes",
            Self::NameConstraints => "a name that an authority above may not sign for",
            Self::ConstraintMalformed => "a name constraint that this client cannot read",
            Self::PolicyDemanded => "an authority demands a policy that the chain does not have",
            Self::OldVersion => "a certificate is not of X.509 version 3",
            Self::StrictServerSigns => "strict: keyCertSign in the server's key usage",
            Self::StrictLengthOfServer => "strict: a path length without CA:TRUE",
            Self::StrictNoAuthorityKey => "strict: authority key identifier missing",
            Self::StrictNoSubjectKey => "strict: subject key identifier of an authority missing",
            Self::StrictConstraintsNotCritical => "strict: basicConstraints of an authority not critical",
            Self::StrictNoKeyUsage => "strict: key usage of an authority missing",
            Self::EmptySubject => "the subject is empty and the alternative names are not critical",
            Self::EmptyIssuer => "the issuer's name is empty",
            Self::Unreadable => "a certificate is written in a way that this client cannot read",
            Self::ForeignKey => "the server does not have the key of the certificate that it shows",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
