//! Bytes in hexadecimal.

/// Bytes as people compare them: `0a1b2c`.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
