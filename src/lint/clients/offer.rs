//! What clients offer a server when TLS begins, by default: measured with the programs themselves.

use super::Client;

/// What a client offers. Versions are 1.2 and 1.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Offer {
    /// Cipher suites by their numbers.
    pub suites: &'static [u16],
    pub groups: &'static [u16],
}

impl Client {
    /// Returns what the client offers; none for what offers the same as pronk.
    pub fn offer(self) -> Option<&'static Offer> {
        match self {
            Self::Rustls => None,
            Self::Java => Some(&JAVA_17),
            Self::Java25 => Some(&JAVA_25),
            Self::Shell46 | Self::ImpylaPython312 | Self::Python313 => Some(&PYTHON_3_10),
            Self::Shell3 | Self::Shell4 | Self::Python36 | Self::Impyla | Self::Impyla024 => Some(&OPENSSL),
            Self::OpenSsl | Self::Hue | Self::ThriftCpp => Some(&OPENSSL),
        }
    }
}

/// X25519, P-256, X448, P-521, P-384 and the finite fields of RFC 7919.
const GROUPS: &[u16] = &[0x001d, 0x0017, 0x001e, 0x0019, 0x0018, 0x0100, 0x0101, 0x0102, 0x0103, 0x0104];

/// OpenSSL 3.0, and Python before 3.10.
static OPENSSL: Offer = Offer {
    suites: &[
        0x1302, 0x1303, 0x1301, 0xc02c, 0xc030, 0x009f, 0xcca9, 0xcca8, 0xccaa, 0xc02b, 0xc02f, 0x009e, 0xc024, 0xc028,
        0x006b, 0xc023, 0xc027, 0x0067, 0xc00a, 0xc014, 0x0039, 0xc009, 0xc013, 0x0033, 0x009d, 0x009c, 0x003d, 0x003c,
        0x0035, 0x002f,
    ],
    groups: GROUPS,
};
/// Python 3.10 and later: no RSA key exchange, and no CBC with SHA-1.
static PYTHON_3_10: Offer = Offer {
    suites: &[
        0x1302, 0x1303, 0x1301, 0xc02c, 0xc030, 0xc02b, 0xc02f, 0xcca9, 0xcca8, 0xc024, 0xc028, 0xc023, 0xc027, 0x009f,
        0x009e, 0x006b, 0x0067,
    ],
    groups: GROUPS,
};
static JAVA_17: Offer = Offer {
    suites: &[
        0x1302, 0x1301, 0x1303, 0xc02c, 0xc02b, 0xcca9, 0xc030, 0xcca8, 0xc02f, 0x009f, 0xccaa, 0x00a3, 0x009e, 0x00a2,
        0xc024, 0xc028, 0xc023, 0xc027, 0x006b, 0x006a, 0x0067, 0x0040, 0xc00a, 0xc014, 0xc009, 0xc013, 0x0039, 0x0038,
        0x0033, 0x0032, 0x009d, 0x009c, 0x003d, 0x003c, 0x0035, 0x002f,
    ],
    groups: GROUPS,
};
/// Without the RSA key exchange.
static JAVA_25: Offer = Offer {
    suites: &[
        0x1302, 0x1301, 0x1303, 0xc02c, 0xc02b, 0xcca9, 0xc030, 0xcca8, 0xc02f, 0x009f, 0xccaa, 0x00a3, 0x009e, 0x00a2,
        0xc024, 0xc028, 0xc023, 0xc027, 0x006b, 0x006a, 0x0067, 0x0040, 0xc00a, 0xc014, 0xc009, 0xc013, 0x0039, 0x0038,
        0x0033, 0x0032,
    ],
    groups: GROUPS,
};
