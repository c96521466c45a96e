//! How long a field of a log line is at most, in either format.

use std::borrow::Cow;

use serde_json::Value;

use crate::words::bounded_to;

/// Returns a value of a line of text, in quotes or not, of which the end may be left out.
pub(super) fn bounded_value(value: &str) -> Cow<'_, str> {
    match (bounded_to(value, MOST_LETTERS), value.starts_with('"')) {
        // What is in quotes ends with one, and not within an escape.
        (Cow::Owned(cut), true) => Cow::Owned(format!("{}…\"", cut.trim_end_matches('…').trim_end_matches('\\'))),
        (value, _) => value,
    }
}

/// Returns a line of JSON whose fields are long, with the ends of these left out; others as they are.
pub(super) fn bounded_json(line: &[u8]) -> Cow<'_, [u8]> {
    if line.len() <= MOST_LETTERS || line.first() != Some(&b'{') {
        return Cow::Borrowed(line);
    }
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(line) else { return Cow::Borrowed(line) };
    for (_, value) in &mut fields {
        if let Value::String(text) = value
            && let Cow::Owned(cut) = bounded_to(text, MOST_LETTERS)
        {
            *text = cut;
        }
    }
    match serde_json::to_vec(&fields) {
        Ok(mut shorter) => {
            shorter.push(b'\n');
            Cow::Owned(shorter)
        }
        Err(_) => Cow::Borrowed(line),
    }
}

/// Letters of a field. A certificate's subject and a reason have some hundreds.
const MOST_LETTERS: usize = 4000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn long_fields_end_and_short_ones_stay() {
        assert_eq!(bounded_value("short"), "short");
        let quoted = format!("{:?}", "x\"\n".repeat(5000));
        let cut = bounded_value(&quoted);
        assert!(cut.chars().count() <= MOST_LETTERS + 2 && cut.starts_with('"') && cut.ends_with("…\""), "{cut}");
        let line = format!("{{\"level\":\"INFO\",\"message\":\"{}\",\"n\":7}}\n", "ä\\n".repeat(50_000));
        let shorter = bounded_json(line.as_bytes());
        let read: Value = serde_json::from_slice(&shorter).unwrap();
        assert_eq!((read["n"].as_u64(), read["level"].as_str()), (Some(7), Some("INFO")));
        assert_eq!(read["message"].as_str().unwrap().chars().count(), MOST_LETTERS + 1);
        assert!(shorter.ends_with(b"}\n") && shorter.len() < 20_000);
        let keys: Vec<_> = read.as_object().unwrap().keys().collect();
        assert_eq!(keys.len(), 3);
        for short in [&b"{\"a\":1}\n"[..], b"", b"text\n", &[b'{'; 9000]] {
            assert_eq!(bounded_json(short), short);
        }
    }

    proptest! {
        #[test]
        fn fields_of_any_text_are_bounded_and_whole(text in ".{0,60}", times in 1_usize..300) {
            let quoted = format!("{:?}", text.repeat(times));
            let value = bounded_value(&quoted);
            prop_assert!(value.chars().count() <= MOST_LETTERS + 2);
            prop_assert!(value.starts_with('"') && value.ends_with('"'));
            let line = format!("{}\n", serde_json::json!({ "message": text.repeat(times) }));
            let shorter = bounded_json(line.as_bytes());
            let read: Value = serde_json::from_slice(&shorter).unwrap();
            prop_assert!(read["message"].as_str().unwrap().chars().count() <= MOST_LETTERS + 1);
        }
    }
}
