//! Mistakes in a profile that show when its files are read.

use std::fmt;

use crate::cert::{IdentityError, MaterialError};
use crate::model::Name;

/// A mistake in a profile that shows only when its files are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileError {
    pub profile: Name,
    /// The key to blame, as a dotted path inside the profile, such as `cert-key-chain.0.key`.
    pub key: String,
    pub message: String,
    /// What to do about it, where that is known.
    pub help: Option<String>,
}

impl ProfileError {
    pub(super) fn new(profile: &Name, key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { profile: profile.clone(), key: key.into(), message: message.into(), help: None }
    }

    pub(super) fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    pub(super) fn from_material(profile: &Name, key: impl Into<String>, error: &MaterialError) -> Self {
        Self { help: error.help(), ..Self::new(profile, key, error.to_string()) }
    }

    /// Blames a part of the certificate described under `prefix` (empty, or ending in a dot).
    pub(super) fn from_identity(profile: &Name, prefix: &str, error: &IdentityError) -> Self {
        Self::from_material(profile, format!("{prefix}{}", error.part.key()), &error.error)
    }
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "profile {}: {}: {}", self.profile, self.key, self.message)
    }
}

impl std::error::Error for ProfileError {}
