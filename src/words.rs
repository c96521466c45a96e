//! Text of messages: what comes from a peer or a file is made safe to show, and has an end.

use std::borrow::Cow;
use std::fmt;

/// Returns a text with what would act on a terminal, or hide, written as escapes; the end of a very
/// long one is left out.
pub fn shown(text: &str) -> String {
    escaped(&bounded(text))
}

/// Returns a text with what would act on a terminal, begin another line, or hide, written as escapes.
pub fn escaped(text: &str) -> String {
    let plain = |letter: &char| matches!(letter, '"' | '\'' | '\\');
    text.chars().fold(String::with_capacity(text.len()), |mut shown, letter| {
        if plain(&letter) {
            shown.push(letter);
        } else {
            shown.extend(letter.escape_debug());
        }
        shown
    })
}

/// Returns a word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+@%,=:".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) && !word.starts_with('-') {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Returns a text of at most 500 letters, with a mark where more was left out. A private key that was put where a name
/// or a path belongs is not repeated.
pub fn bounded(text: &str) -> Cow<'_, str> {
    match text.find(PEM) {
        Some(at) => Cow::Owned(format!("{}(contents of a PEM file)", bounded_to(&text[..at], MOST_LETTERS))),
        None => bounded_to(text, MOST_LETTERS),
    }
}

/// Returns a text of at most so many letters, with a mark where more was left out.
pub fn bounded_to(text: &str, most: usize) -> Cow<'_, str> {
    // A text of no more bytes has no more letters.
    let rest = if text.len() > most { text.char_indices().nth(most) } else { None };
    match rest {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// Returns the first items of a list, and how many more there are.
pub fn first_of(items: impl IntoIterator<Item = String>, most: usize) -> String {
    let mut items = items.into_iter();
    let mut text = items.by_ref().take(most).collect::<Vec<_>>().join(", ");
    let more = items.count();
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

/// Returns the name of a variant as words: `SelectedInvalidPsk` is "selected invalid psk".
pub fn words_of(variant: &impl fmt::Debug) -> String {
    let text = format!("{variant:?}");
    let name = text.split(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default();
    let mut words = String::with_capacity(name.len() + 8);
    let mut last = ' ';
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && last.is_ascii_lowercase() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
        last = letter;
    }
    words
}

/// What begins a certificate or key in PEM.
const PEM: &str = "-----BEGIN ";
/// Of a text in a message; RFC 5280 allows 64 in a common name.
const MOST_LETTERS: usize = 500;
/// Names in a message.
pub const MOST_NAMES: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_of_a_key_file_are_not_repeated() {
        let key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----\n";
        assert_eq!(bounded(key), "(contents of a PEM file)");
        assert_eq!(shown(&format!("/etc/pronk/{key}")), "/etc/pronk/(contents of a PEM file)");
    }

    #[test]
    fn words_are_quoted_where_a_shell_would_split_or_expand_them() {
        for plain in ["/etc/tls/lb.key", "lb", "a_b.x", "node1:21050"] {
            assert_eq!(quoted(plain), plain);
        }
        for (word, expected) in [("it's a key", r"'it'\''s a key'"), ("-rf", "'-rf'"), ("", "''"), ("a*", "'a*'")] {
            assert_eq!(quoted(word), expected);
        }
    }

    #[test]
    fn names_become_words() {
        assert_eq!(words_of(&Cow::<str>::Borrowed("AbC")), "");
        assert_eq!(words_of(&Some(1)), "some");
        assert_eq!(words_of(&std::io::ErrorKind::AddrNotAvailable), "addr not available");
    }

    #[test]
    fn nothing_in_a_certificate_acts_on_a_terminal() {
        assert_eq!(shown("CN=\"Zoë\", O=a'b"), "CN=\"Zoë\", O=a'b");
        assert_eq!(shown("a\x1b[31mb\0\n\u{202e}c"), "a\\u{1b}[31mb\\0\\n\\u{202e}c");
    }

    #[test]
    fn what_a_certificate_may_make_long_is_bounded() {
        assert_eq!(shown(&"ä".repeat(1_000_000)).chars().count(), MOST_LETTERS + 1);
        assert_eq!(first_of((0..100_000).map(|it| it.to_string()), 3), "0, 1, 2 and 99997 more");
        assert_eq!(first_of(["a".to_owned()], 3), "a");
    }
}
