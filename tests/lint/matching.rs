//! Matching names, on anything that may stand in a certificate or be asked for.

use pronk::cert::name_match::dns_name_covers;
use proptest::prelude::*;

/// Texts that are nearly names: labels, dots, wildcards, and what should not be there.
fn nearly_a_name() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[a-cA-C*._ 0-2-]{0,12}", "(\\*\\.)?([a-b]{1,2}\\.){0,3}[a-b]{1,2}"]
}

fn label() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9]([a-zA-Z0-9-]{0,10}[a-zA-Z0-9])?"
}

fn parent() -> impl Strategy<Value = String> {
    (label(), "[a-z]{2,5}").prop_map(|(label, top)| format!("{label}.{top}"))
}

fn swap_case(text: &str) -> String {
    let swapped = |letter: char| {
        if letter.is_ascii_uppercase() { letter.to_ascii_lowercase() } else { letter.to_ascii_uppercase() }
    };
    text.chars().map(swapped).collect()
}

proptest! {
    #[test]
    fn no_pair_of_texts_breaks_matching(presented in nearly_a_name(), host in nearly_a_name()) {
        let covers = dns_name_covers(&presented, &host);
        // Whatever is covered is a name of the same number of labels.
        if covers {
            prop_assert_eq!(presented.matches('.').count(), host.matches('.').count());
            prop_assert!(presented.is_ascii() && host.is_ascii());
        }
    }

    #[test]
    fn case_never_matters(presented in nearly_a_name(), host in nearly_a_name()) {
        let covers = dns_name_covers(&presented, &host);
        prop_assert_eq!(dns_name_covers(&swap_case(&presented), &host), covers);
        prop_assert_eq!(dns_name_covers(&presented, &swap_case(&host)), covers);
    }

    #[test]
    fn a_name_covers_itself_and_no_other(name in parent(), other in parent()) {
        prop_assert!(dns_name_covers(&name, &name));
        prop_assert_eq!(dns_name_covers(&name, &other), name.eq_ignore_ascii_case(&other));
    }

    #[test]
    fn a_wildcard_covers_exactly_one_label(parent in parent(), one in label(), two in label()) {
        let wildcard = format!("*.{parent}");
        let covered = |below: &[&str]| dns_name_covers(&wildcard, &[below, &[&parent]].concat().join("."));
        prop_assert!(covered(&[&one]));
        prop_assert!(!covered(&[&two, &one]));
        prop_assert!(!covered(&[]));
        prop_assert!(!covered(&[""]));
    }
}
