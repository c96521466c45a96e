//! Text in which nothing acts on the terminal.

/// Replaces what a terminal would obey, such as an escape or a change of the writing's direction.
///
/// Joined emoji are taken apart, for terminals do not agree on how many columns they take.
pub(super) fn printable(text: &str) -> String {
    let shown = |letter: char| match letter {
        JOINER | EMOJI_STYLE => None,
        '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some(' '),
        letter if letter.is_control() || turns_writing(letter) => Some(char::REPLACEMENT_CHARACTER),
        letter => Some(letter),
    };
    text.chars().filter_map(shown).collect()
}

fn turns_writing(letter: char) -> bool {
    matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

const JOINER: char = '\u{200d}';
const EMOJI_STYLE: char = '\u{fe0f}';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_acts_on_the_terminal() {
        for (text, expected) in [
            ("plain: \"grün\" 键", "plain: \"grün\" 键"),
            ("a\x1b[31mb\u{9b}c\x7f\0", "a\u{fffd}[31mb\u{fffd}c\u{fffd}\u{fffd}"),
            ("a\u{202e}b\u{2066}c\u{200f}", "a\u{fffd}b\u{fffd}c\u{fffd}"),
            ("one\ntwo\r\tthree", "one two  three"),
            ("👩\u{200d}👧 ❤\u{fe0f}", "👩👧 ❤"),
            ("e\u{301}\u{200b}", "e\u{301}\u{200b}"),
        ] {
            assert_eq!(printable(text), expected, "{text:?}");
        }
    }
}
