//! Paths and definitions among the tokens of a macro, as far as they can be told from their shape.

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};

/// A path among tokens, and where it begins.
pub struct TokenPath {
    pub names: Vec<String>,
    pub span: Span,
}

/// Finds `a::b::c`, and names alone that are a type, a constant, or a function that is called.
pub fn paths(tokens: TokenStream) -> Vec<TokenPath> {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Group(group) => found.extend(paths(group.stream())),
            TokenTree::Ident(first) => {
                let names = path_at(&tokens[at..]);
                let end = at + 3 * names.len() - 2;
                let is_path = names.len() > 1 || is_type_or_constant(first) || is_called(&tokens[end..]);
                if is_path && !continues(&tokens[..at], first) {
                    found.push(TokenPath { names, span: first.span() });
                }
                at = end - 1;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Finds what a macro is given the name of and defines: the names after `struct`, `fn` and the like, and a type's name
/// that its arguments begin with, as in `declare!(Keys = Node { … })`.
pub fn definitions(tokens: TokenStream) -> Vec<Ident> {
    let begin: Vec<_> = tokens.clone().into_iter().take(2).collect();
    let mut found = after_keywords(tokens);
    if let [TokenTree::Ident(name), separator] = begin.as_slice()
        && is_type_or_constant(name)
        && (is(separator, '=') || is(separator, ','))
    {
        found.push(name.clone());
    }
    found
}

fn after_keywords(tokens: TokenStream) -> Vec<Ident> {
    const KEYWORDS: [&str; 8] = ["const", "enum", "fn", "static", "struct", "trait", "type", "union"];
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut found = Vec::new();
    for pair in tokens.windows(2) {
        if let [TokenTree::Ident(keyword), TokenTree::Ident(name)] = pair
            && KEYWORDS.iter().any(|word| keyword == word)
        {
            found.push(name.clone());
        }
    }
    for token in tokens {
        if let TokenTree::Group(group) = token {
            found.extend(after_keywords(group.stream()));
        }
    }
    found
}

/// The path that tokens begin with; they begin with an identifier.
fn path_at(tokens: &[TokenTree]) -> Vec<String> {
    let mut path = Vec::new();
    let mut rest = tokens;
    while let [TokenTree::Ident(name), after @ ..] = rest {
        path.push(name.to_string());
        let [first, second, next @ ..] = after else { break };
        if !(is(first, ':') && is(second, ':')) {
            break;
        }
        rest = next;
    }
    path
}

/// Whether what comes before a name makes it the rest of a path, a field, a method or a macro's parameter.
fn continues(before: &[TokenTree], name: &Ident) -> bool {
    match before {
        [.., first, second] if is(first, ':') && is(second, ':') => true,
        [.., first, second] if is(first, '.') && is(second, '.') => false,
        [.., dollar] if is(dollar, '$') => name != "crate",
        [.., dot] => is(dot, '.'),
        [] => false,
    }
}

fn is_called(after: &[TokenTree]) -> bool {
    match after.first() {
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Parenthesis,
        Some(token) => is(token, '!'),
        None => false,
    }
}

fn is_type_or_constant(name: &Ident) -> bool {
    name.to_string().starts_with(char::is_uppercase)
}

fn is(token: &TokenTree, expected: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == expected)
}
