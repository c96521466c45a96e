//! Text in UTF-8, and what else bytes may be.

use crate::reading::wide_encoding;

/// Why bytes are no text in UTF-8.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotUtf8 {
    /// In words that follow the name of the file.
    pub what: String,
    pub help: &'static str,
}

/// Returns the text of a file, without a byte order mark.
///
/// # Errors
/// It is in another encoding, which is named where it can be told.
pub(super) fn text(bytes: Vec<u8>) -> Result<String, NotUtf8> {
    if let Some(encoding) = wide_encoding(&bytes) {
        return Err(NotUtf8 {
            what: format!("it is in {encoding}, not in UTF-8"),
            help: "save it as UTF-8, or convert it: iconv -f UTF-16 -t UTF-8 OLD > NEW",
        });
    }
    match String::from_utf8(bytes) {
        Ok(mut text) => {
            if text.starts_with('\u{feff}') {
                text.remove(0);
            }
            Ok(text)
        }
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let (before, rest) = error.as_bytes().split_at(at);
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            let byte = rest.first().copied().unwrap_or_default();
            Err(NotUtf8 {
                what: format!(
                    "line {line} is not in UTF-8, by its byte 0x{byte:02x}; it may be in Latin-1 or Windows-1252"
                ),
                help: "save it as UTF-8, or convert it: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW",
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn what(bytes: &[u8]) -> String {
        text(bytes.to_vec()).unwrap_err().what
    }

    #[test]
    fn encodings_are_named() {
        let utf16 = |text: &str, order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<_>>();
        for (order, mark) in [(u16::to_le_bytes as fn(u16) -> [u8; 2], [0xff, 0xfe]), (u16::to_be_bytes, [0xfe, 0xff])]
        {
            let bare = utf16("nodes: {}\n", order);
            assert_eq!(what(&bare), "it is in UTF-16, not in UTF-8");
            assert_eq!(what(&[&mark[..], &bare].concat()), "it is in UTF-16, not in UTF-8");
        }
        assert!(what(b"\xff\xfe\0\0n\0\0\0").contains("UTF-32"));
        assert!(what(b"a: 1\nb: caf\xe9\n").starts_with("line 2 is not in UTF-8, by its byte 0xe9"));
        assert!(what(b"caf\xc3").starts_with("line 1 "));
        assert_eq!(text(b"\xef\xbb\xbfa: 1".to_vec()).as_deref(), Ok("a: 1"));
        assert_eq!(text(vec![0; 100]).map(|text| text.len()), Ok(100));
        assert_eq!(text(Vec::new()).as_deref(), Ok(""));
    }

    proptest! {
        #[test]
        fn any_text_in_utf8_is_read(written in "[^\u{0}\u{feff}]*") {
            prop_assert_eq!(text(written.clone().into_bytes()), Ok(written));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = text(bytes);
        }
    }
}
