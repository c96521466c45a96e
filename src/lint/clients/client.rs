//! The clients that are judged for, and their names.

use super::Verifier;

/// A client, or several that decide alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Client {
    /// impala-shell 2.7 to 3.x.
    Shell3,
    /// impala-shell 4.0 to 4.5 on Python up to 3.11.
    Shell4,
    /// What runs on Python 3.6, which compares names by itself.
    Python36,
    /// impala-shell 4.6 and impyla 0.24 on Python 3.7 to 3.12.
    Shell46,
    /// impyla up to 0.23 on Python up to 3.11.
    Impyla,
    /// impyla up to 0.23 and impala-shell 4.0 to 4.5 on Python 3.12 and later.
    ImpylaPython312,
    /// impala-shell 4.6 and impyla 0.24 on Python 3.13 and later, which verifies chains strictly.
    Python313,
    /// impyla 0.24 with thrift 0.24 on Python up to 3.11, which compares names twice.
    Impyla024,
    OpenSsl,
    /// Java 17 with endpoint identification, as the JDBC drivers have it.
    Java,
    /// Java 25.
    Java25,
    Rustls,
    Hue,
    /// Thrift's C++ library, as in Impala itself.
    ThriftCpp,
}

impl Client {
    /// All of them, in the order in which they are shown.
    pub const ALL: &[Self] = &[
        Self::Shell3,
        Self::Shell4,
        Self::Python36,
        Self::Shell46,
        Self::Impyla,
        Self::ImpylaPython312,
        Self::Python313,
        Self::Impyla024,
        Self::OpenSsl,
        Self::Java,
        Self::Java25,
        Self::Rustls,
        Self::Hue,
        Self::ThriftCpp,
    ];

    /// Returns a stable word for programs.
    pub fn id(self) -> &'static str {
        match self {
            Self::Shell3 => "impala-shell-3",
            Self::Shell4 => "impala-shell-4.0-4.5",
            Self::Python36 => "python-3.6",
            Self::Shell46 => "impala-shell-4.6",
            Self::Impyla => "impyla-python-3.11",
            Self::ImpylaPython312 => "impyla-python-3.12",
            Self::Python313 => "python-3.13",
            Self::Impyla024 => "impyla-0.24-thrift-0.24",
            Self::OpenSsl => "openssl",
            Self::Java => "java",
            Self::Java25 => "java-25",
            Self::Rustls => "rustls",
            Self::Hue => "hue",
            Self::ThriftCpp => "thrift-cpp",
        }
    }

    /// Returns the two lines over its column.
    pub fn header(self) -> [&'static str; 2] {
        match self {
            Self::Shell3 => ["shell", "2.7-3.x"],
            Self::Shell4 => ["shell", "4.0-4.5"],
            Self::Python36 => ["py", "3.6"],
            Self::Shell46 => ["shell", "4.6"],
            Self::Impyla => ["impyla", "py<3.12"],
            Self::ImpylaPython312 => ["impyla", "py>=3.12"],
            Self::Python313 => ["shell 4.6", "py>=3.13"],
            Self::Impyla024 => ["impyla .24", "thrift .24"],
            Self::OpenSsl => ["OpenSSL", "3.0"],
            Self::Java => ["Java", "17"],
            Self::Java25 => ["Java", "25"],
            Self::Rustls => ["", "rustls"],
            Self::Hue => ["Hue", "4"],
            Self::ThriftCpp => ["Thrift", "C++"],
        }
    }

    /// Returns a name for a sentence.
    pub fn short(self) -> &'static str {
        match self {
            Self::Shell3 => "impala-shell 2.7 to 3.x",
            Self::Shell4 => "impala-shell 4.0 to 4.5",
            Self::Python36 => "Python 3.6",
            Self::Shell46 => "impala-shell 4.6 and impyla 0.24",
            Self::Impyla => "impyla up to 0.23",
            Self::ImpylaPython312 => "impyla up to 0.23 and impala-shell up to 4.5 on Python 3.12 and later",
            Self::Python313 => "Python 3.13 and later (strict by default)",
            Self::Impyla024 => "impyla with thrift 0.24",
            Self::OpenSsl => "OpenSSL",
            Self::Java => "Java 17",
            Self::Java25 => "Java 25",
            Self::Rustls => "rustls",
            Self::Hue => "Hue",
            Self::ThriftCpp => "Thrift's C++ library",
        }
    }

    /// Returns the verifier of chains that it is built on.
    pub fn verifier(self) -> Verifier {
        match self {
            Self::Python36 => Verifier::OlderOpenSsl,
            Self::Python313 => Verifier::StrictOpenSsl,
            Self::Java => Verifier::Java17,
            Self::Java25 => Verifier::Java25,
            Self::Rustls => Verifier::WebPki,
            _ => Verifier::OpenSsl,
        }
    }

    /// Returns which programs and versions it stands for.
    pub fn title(self) -> &'static str {
        match self {
            Self::Shell3 => "impala-shell 2.7 to 3.x",
            Self::Shell4 => "impala-shell 4.0 to 4.5, binary protocols, on Python 3.7 to 3.11",
            Self::Python36 => "impala-shell from 4.0 on and impyla, on Python 3.6",
            Self::Shell46 => "impala-shell 4.6 and impyla 0.24 (thrift 0.23), on Python 3.7 to 3.12",
            Self::Impyla => "impyla up to 0.23, binary protocol, on Python 3.7 to 3.11",
            Self::ImpylaPython312 => "impyla up to 0.23 and impala-shell 4.0 to 4.5, on Python 3.12 and later",
            Self::Python313 => "impala-shell 4.6 and impyla 0.24, on Python 3.13 and later (strict chains)",
            Self::Impyla024 => "impyla 0.24 with thrift 0.24, binary protocol, on Python 3.7 to 3.11",
            Self::OpenSsl => "OpenSSL 3.0 at security level 2 (s_client -verify_hostname)",
            Self::Java => "Java 17 (JDBC drivers that verify names)",
            Self::Java25 => "Java 25 (JDBC drivers that verify names)",
            Self::Rustls => "rustls 0.23, which pronk uses toward members",
            Self::Hue => "Hue 4, up to 4.11 (its TSSLSocketWithWildcardSAN)",
            Self::ThriftCpp => "Thrift's C++ library, 0.9 to 0.22, and what is built on it; no ODBC driver was tried",
        }
    }
}
