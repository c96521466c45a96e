//! Names of object identifiers.

use x509_parser::oid_registry::{Oid, OidRegistry};

/// Returns the name of an object identifier, or its dotted number.
pub(super) fn oid_name(oid: &Oid<'_>) -> String {
    static REGISTRY: std::sync::LazyLock<OidRegistry<'static>> =
        std::sync::LazyLock::new(|| OidRegistry::default().with_all_crypto().with_x509());
    REGISTRY.get(oid).map_or_else(|| oid.to_id_string(), |entry| entry.sn().to_owned())
}

/// Returns the name of an extension, or its dotted number again.
pub fn extension_name(dotted: &str) -> String {
    dotted.parse::<Oid<'_>>().map_or_else(|_| dotted.to_owned(), |oid| oid_name(&oid))
}
