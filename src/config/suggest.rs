//! "Did you mean …": what a word or a key that is not known may have been meant to be.

use super::elsewhere::{self, plain};
use super::keys::Section;

/// Returns "did you mean …?", if a known word is close.
pub fn did_you_mean<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    if word.len() > LONGEST {
        return None;
    }
    let known: Vec<_> = known.collect();
    let wanted = plain(word);
    if let Some(same) = known.iter().find(|known| plain(known) == wanted) {
        return Some(format!("did you mean `{same}`?"));
    }
    let (_, close) = known.into_iter().map(|known| (strsim::damerau_levenshtein(word, known), known)).min()?;
    is_near(word, close).then(|| format!("did you mean `{close}`?"))
}

/// Bytes of a word that is compared with those that are known, which takes the product of their lengths.
const LONGEST: usize = 255;

/// Returns whether a word may be a misspelling of a known one.
pub(super) fn is_near(word: &str, known: &str) -> bool {
    word.len() <= LONGEST && strsim::damerau_levenshtein(word, known) <= 1 + word.len() / 4
}

/// Returns what may have been meant by a key that a section does not have. `having` are the types of the same section
/// that have it.
pub(super) fn instead_of_key(key: &str, section: &Section, having: &[&str]) -> String {
    let known: Vec<_> = section.keys().iter().map(|key| key.name()).collect();
    let of_another = elsewhere::for_key(section.name, key).map(str::to_owned);
    let of_types = || (!having.is_empty()).then(|| format!("it is a key of type {}", having.join(" and ")));
    of_another
        .or_else(|| did_you_mean(key, known.iter().copied()))
        .or_else(of_types)
        .unwrap_or_else(|| format!("a {} has: {}", section.name, known.join(", ")))
}
