//! The ways in which a proxy handles TLS.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Passthrough,
    Offload,
    ReEncrypt,
}

impl Mode {
    pub const ALL: [Self; 3] = [Self::Passthrough, Self::Offload, Self::ReEncrypt];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passthrough => "passthrough",
            Self::Offload => "offload",
            Self::ReEncrypt => "re-encrypt",
        }
    }

    pub fn client_speaks_tls(self) -> bool {
        self != Self::Passthrough
    }
}
