//! Types say what they are.

use syn::visit::{self, Visit};
use syn::{Ident, Item, ItemMacro};

use crate::sources::Sources;
use crate::{assert_none, items, macros};

const VAGUE_WORDS: &[&str] = &["Manager", "Handler", "Helper", "Util", "Utils", "Globals"];

#[test]
fn types_say_what_they_are() {
    assert_none(&vague(&Sources::of_pronk()));
}

pub fn vague(sources: &Sources) -> Vec<String> {
    let mut vague = Vec::new();
    for (path, text) in sources.iter() {
        let mut types = Types::default();
        types.visit_file(&syn::parse_file(text).unwrap());
        for (name, line) in types.0 {
            if let Some(word) = camel_words(&name).into_iter().find(|word| VAGUE_WORDS.contains(&word.as_str())) {
                vague.push(format!("src/{path}:{line}: type `{name}`: `{word}` says nothing, name what it is"));
            }
        }
    }
    vague
}

/// The names of types with their lines.
#[derive(Default)]
struct Types(Vec<(String, usize)>);

impl Types {
    fn add(&mut self, name: &Ident) {
        self.0.push((name.to_string(), name.span().start().line));
    }
}

impl<'ast> Visit<'ast> for Types {
    fn visit_item(&mut self, item: &'ast Item) {
        if matches!(item, Item::Enum(_) | Item::Struct(_) | Item::Trait(_) | Item::Type(_) | Item::Union(_)) {
            items::defined_name(item).into_iter().for_each(|name| self.add(name));
        }
        visit::visit_item(self, item);
    }

    fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
        macros::definitions(item.mac.tokens.clone()).iter().for_each(|name| self.add(name));
    }
}

fn camel_words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for letter in name.chars() {
        match words.last_mut() {
            Some(word) if !letter.is_uppercase() => word.push(letter),
            _ => words.push(letter.into()),
        }
    }
    words
}
