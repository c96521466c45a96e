//! Bytes in hexadecimal.

/// Returns bytes in hexadecimal: `0a1b2c`.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
