//! Bytes in hexadecimal.

/// Returns bytes in hexadecimal: `0a1b2c`.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads bytes in hexadecimal.
pub fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<_>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for text in ["", "00", "0a1b2cff"] {
            assert_eq!(bytes(text).map(|bytes| hexadecimal(&bytes)).as_deref(), Some(text));
        }
        for text in ["0", "0g", "é0"] {
            assert_eq!(bytes(text), None);
        }
    }
}
