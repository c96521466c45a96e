//! Which monitors watch a pool, and how many of them must be good.

use super::source::At;
use super::tree::{Node, Value};

/// A pool's `monitors`.
#[derive(Debug, PartialEq)]
pub(super) struct Rule {
    /// Each name with its place.
    pub names: Vec<(String, At)>,
    /// How many must be good and where that stands; `None` is all.
    pub min: Option<(usize, At)>,
}

impl Rule {
    /// Reads a name, a list of names, `{ min: N, of: [names] }`, or tmsh's `a and b` and `min N of { a b }`; `None`
    /// when it is none of these.
    pub(super) fn read(node: &Node) -> Option<Self> {
        match &node.value {
            Value::List(_) => Some(Self { names: names(node)?, min: None }),
            Value::Map(entries) => {
                let known = entries.iter().all(|entry| matches!(entry.key.as_str(), "min" | "of"));
                let min = &node.entry("min")?.value;
                let min = (number(&min.scalar()?)?, min.at);
                known.then_some(Self { names: names(&node.entry("of")?.value)?, min: Some(min) })
            }
            _ => Self::of_text(&node.scalar()?, node.at),
        }
    }

    fn of_text(text: &str, at: At) -> Option<Self> {
        let spaced = text.replace(['{', '}'], " ");
        let words: Vec<_> = spaced.split_whitespace().collect();
        let (names, min) = match words.as_slice() {
            ["min", count, "of", names @ ..] => (names.to_vec(), Some((number(count)?, at))),
            _ => {
                // Names and `and` take turns.
                let ands = words.iter().skip(1).step_by(2);
                if words.len() % 2 == 0 || ands.clone().any(|word| *word != "and") {
                    return None;
                }
                (words.iter().step_by(2).copied().collect(), None)
            }
        };
        Some(Self { names: names.into_iter().map(|name| (name.to_owned(), at)).collect(), min })
    }
}

fn names(node: &Node) -> Option<Vec<(String, At)>> {
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    items.iter().map(|item| Some((item.scalar()?, item.at))).collect()
}

fn number(text: &str) -> Option<usize> {
    text.parse().ok().filter(|count| *count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::source::Sources;
    use crate::config::tree;

    fn rule(text: &str) -> Option<(String, Option<usize>)> {
        let rule = Rule::read(&tree::read(&Sources::new("test.yaml", text, Vec::new()), 0, text).unwrap())?;
        let names: Vec<_> = rule.names.into_iter().map(|(name, _)| name).collect();
        Some((names.join(" "), rule.min.map(|(count, _)| count)))
    }

    #[test]
    fn forms_of_yaml_and_of_tmsh_mean_the_same() {
        let all = |names: &str| Some((names.to_owned(), None));
        let min = |names: &str, count| Some((names.to_owned(), Some(count)));
        assert_eq!(rule("tcp"), all("tcp"));
        assert_eq!(rule("[a, b]"), all("a b"));
        assert_eq!(rule("a and b and c"), all("a b c"));
        assert_eq!(rule("{ min: 2, of: [a, b, c] }"), min("a b c", 2));
        assert_eq!(rule("'min 2 of { a b c }'"), min("a b c", 2));
        assert_eq!(rule("min 1 of {a b}"), min("a b", 1));
        for bad in
            ["a b", "a and", "a or b", "{ min: 0, of: [a] }", "{ min: 1 }", "{ min: 1, of: [a], or: b }", "[[a]]"]
        {
            assert_eq!(rule(bad), None, "{bad}");
        }
    }
}
