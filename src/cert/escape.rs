//! Text from a certificate, made safe to show.

/// Returns a text from a certificate with what would act on a terminal, or hide, written as escapes.
pub fn shown(text: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_certificate_acts_on_a_terminal() {
        assert_eq!(shown("CN=\"Zoë\", O=a'b"), "CN=\"Zoë\", O=a'b");
        assert_eq!(shown("a\x1b[31mb\0\n\u{202e}c"), "a\\u{1b}[31mb\\0\\n\\u{202e}c");
    }
}
