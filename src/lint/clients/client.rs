//! The clients that are judged for, and their names.

/// A client, or several that decide alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    /// impala-shell 2.7 to 3.x.
    Shell3,
    /// impala-shell 4.0 to 4.5 on Python up to 3.11.
    Shell4,
    /// impala-shell 4.6 and impyla 0.24 on Python up to 3.12.
    Shell46,
    /// impyla up to 0.23 on Python up to 3.11.
    Impyla,
    /// impyla up to 0.23 and impala-shell 4.0 to 4.5 on Python 3.12 and later.
    ImpylaPython312,
    /// impala-shell 4.6 and impyla 0.24 on Python 3.13 and later, which verifies chains strictly.
    Python313,
    OpenSsl,
    /// Java 17 with endpoint identification, as the JDBC drivers have it.
    Java,
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
        Self::Shell46,
        Self::Impyla,
        Self::ImpylaPython312,
        Self::Python313,
        Self::OpenSsl,
        Self::Java,
        Self::Rustls,
        Self::Hue,
        Self::ThriftCpp,
    ];

    /// Returns a stable word for programs.
    pub fn id(self) -> &'static str {
        match self {
            Self::Shell3 => "impala-shell-3",
            Self::Shell4 => "impala-shell-4.0-4.5",
            Self::Shell46 => "impala-shell-4.6",
            Self::Impyla => "impyla-python-3.11",
            Self::ImpylaPython312 => "impyla-python-3.12",
            Self::Python313 => "python-3.13",
            Self::OpenSsl => "openssl",
            Self::Java => "java",
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
            Self::Shell46 => ["shell", "4.6"],
            Self::Impyla => ["impyla", "py<3.12"],
            Self::ImpylaPython312 => ["impyla", "py>=3.12"],
            Self::Python313 => ["shell 4.6", "py>=3.13"],
            Self::OpenSsl => ["", "OpenSSL"],
            Self::Java => ["", "Java"],
            Self::Rustls => ["", "rustls"],
            Self::Hue => ["", "Hue"],
            Self::ThriftCpp => ["Thrift", "C++"],
        }
    }

    /// Returns which programs and versions it stands for.
    pub fn title(self) -> &'static str {
        match self {
            Self::Shell3 => "impala-shell 2.7 to 3.x",
            Self::Shell4 => "impala-shell 4.0 to 4.5, binary protocols, on Python up to 3.11",
            Self::Shell46 => "impala-shell 4.6 and impyla 0.24, on Python up to 3.12",
            Self::Impyla => "impyla up to 0.23, binary protocol, on Python up to 3.11",
            Self::ImpylaPython312 => "impyla up to 0.23 and impala-shell 4.0 to 4.5, on Python 3.12 and later",
            Self::Python313 => "impala-shell 4.6 and impyla 0.24, on Python 3.13 and later (strict chains)",
            Self::OpenSsl => "OpenSSL (s_client -verify_hostname)",
            Self::Java => "Java 17 (JDBC drivers that verify names)",
            Self::Rustls => "rustls, which pronk uses toward members",
            Self::Hue => "Hue",
            Self::ThriftCpp => "Thrift's C++ library and what is built on it; no ODBC driver was tried",
        }
    }
}
