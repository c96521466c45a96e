//! Words of other load balancers and what is written for them here: labels of F5's pages, tmsh's keys, and words of
//! HAProxy and nginx.
//!
//! A word is compared as [`plain`] has it, so that `Default Pool`, `default_pool` and `default-pool` are one.

mod keys;
mod values;

/// Returns what to write for a key of another load balancer in a section.
pub(super) fn for_key(section: &str, key: &str) -> Option<&'static str> {
    let key = plain(key);
    keys::PLACES.iter().filter(|place| place.sections.contains(&section)).find_map(|place| find(place.words, &key))
}

/// Returns what to write for a word of another load balancer as the value of a key in a section.
pub(super) fn for_value(section: &str, key: &str, written: &str) -> Option<&'static str> {
    let written = plain(written);
    let of_section = values::TYPES.iter().filter(|(place, _)| key == "type" && section.contains(place));
    let of_key = values::KEYS.iter().filter(|(name, _)| *name == key);
    of_section.chain(of_key).find_map(|(_, words)| find(words, &written))
}

/// Returns what to write for the name of something that is built in elsewhere.
pub(super) fn for_name(section: &str, written: &str) -> Option<&'static str> {
    let (_, words) = values::NAMES.iter().find(|(name, _)| *name == section)?;
    find(words, &plain(written))
}

/// Returns what to say of a file that is another load balancer's.
pub(super) fn for_file(text: &str) -> Option<&'static str> {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let begins =
        |words: &[&str]| lines().any(|line| line.split_whitespace().next().is_some_and(|it| words.contains(&it)));
    let opens = |words: &[&str]| lines().any(|line| line.ends_with('{') && words.iter().any(|it| line.starts_with(it)));
    match () {
        () if text.starts_with("#TMSH") || opens(&["ltm ", "sys ", "net "]) => Some(
            "this is a BIG-IP configuration, and pronk reads YAML: the words are the same, `ltm pool p { … }` is \
             `pools: { p: { … } }`",
        ),
        () if opens(&["upstream ", "stream ", "http ", "server "]) => {
            Some("this is an nginx configuration, and pronk reads YAML: begin with `pronk init`")
        }
        () if begins(&["global", "defaults", "frontend", "backend", "listen"]) => {
            Some("this is an HAProxy configuration, and pronk reads YAML: begin with `pronk init`")
        }
        () => None,
    }
}

fn find(words: &'static [(&'static str, &'static str)], wanted: &str) -> Option<&'static str> {
    words.iter().find(|(alike, _)| alike.split(' ').any(|word| word == wanted)).map(|(_, write)| *write)
}

/// Returns a word in small letters, with one hyphen for whatever is between letters and digits.
pub(super) fn plain(word: &str) -> String {
    let letters = word.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    let mut plain = String::with_capacity(word.len());
    for letter in letters {
        if letter != '-' || !(plain.is_empty() || plain.ends_with('-')) {
            plain.push(letter);
        }
    }
    plain.truncate(plain.trim_end_matches('-').len());
    plain
}

/// Returns every section that has words, with them. Tests hold that none is a key there.
#[cfg(test)]
pub(super) fn of_sections() -> impl Iterator<Item = (&'static str, &'static str)> {
    keys::PLACES.iter().flat_map(|place| {
        let words = place.words.iter().flat_map(|(alike, _)| alike.split(' '));
        place.sections.iter().flat_map(move |section| words.clone().map(move |word| (*section, word)))
    })
}
