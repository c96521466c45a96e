//! The house rules, held by reading `src/`: which module may import which, what types are not called, how long a file
//! may be. A failure names the file, the line and the rule.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// Every top-level module and its level; a module imports strictly lower levels only. `lib.rs` and `main.rs` are above.
const LEVELS: &[(&str, u8)] = &[
    ("model", 0),
    ("snippet", 0),
    ("config", 1),
    ("cert", 1),
    ("net", 1),
    ("stats", 1),
    ("log", 1),
    ("pool", 2),
    ("impala", 2),
    ("lint", 2),
    ("inventory", 3),
    ("store", 3),
    ("tls", 3),
    ("proxy", 4),
    ("monitor", 4),
    ("control", 5),
    ("admin", 6),
    ("app", 7),
    ("cli", 8),
];

/// Imports that stay forbidden even where the levels would allow them.
const NEVER: &[(&str, &str, &str)] = &[
    ("proxy", "config", "the data path runs on snapshots of the model and never on the file"),
    ("proxy", "monitor", "health reaches the data path through the live state of members"),
    ("proxy", "admin", "the data path does not know who watches it"),
    ("config", "cert", "what needs the file and certificates is put together in `cli` or `control`"),
    ("config", "tls", "what needs the file and TLS is put together in `cli` or `control`"),
    ("config", "pool", "the file describes pools and runs none"),
];

const VAGUE_WORDS: &[&str] = &["Manager", "Handler", "Helper", "Util", "Utils", "Globals"];
const LONGEST_FILE: usize = 600;

#[test]
fn modules_import_strictly_lower_levels() {
    let mut broken = Vec::new();
    for file in sources() {
        if let Some(importer) = file.top_module() {
            broken.extend(file.imports().iter().filter_map(|import| broken_rule(&file, &importer, import)));
        }
    }
    assert_none(&broken);
}

#[test]
fn every_top_level_module_has_a_level() {
    let unknown: Vec<_> = sources()
        .iter()
        .filter_map(|file| file.top_module().map(|module| (file, module)))
        .filter(|(_, module)| level(module).is_none())
        .map(|(file, module)| format!("{file}: module `{module}` has no level: add it to LEVELS in {}", file!()))
        .collect();
    assert_none(&unknown);
}

#[test]
fn types_say_what_they_are() {
    let mut vague = Vec::new();
    for file in sources() {
        for (name, line) in declared_types(&file.tokens) {
            if let Some(word) = camel_words(&name).into_iter().find(|word| VAGUE_WORDS.contains(&word.as_str())) {
                vague.push(format!("{file}:{line}: type `{name}`: `{word}` says nothing, name what it is"));
            }
        }
    }
    assert_none(&vague);
}

#[test]
fn files_stay_readable() {
    let long: Vec<_> = sources()
        .iter()
        .filter(|file| file.lines > LONGEST_FILE)
        .map(|file| format!("{file}: {} lines, at most {LONGEST_FILE}: split it by concept", file.lines))
        .collect();
    assert_none(&long);
}

fn assert_none(broken: &[String]) {
    assert!(broken.is_empty(), "{} broken:\n  {}\n", broken.len(), broken.join("\n  "));
}

fn broken_rule(file: &Source, importer: &str, import: &Import) -> Option<String> {
    let imported = import.module.as_str();
    // Something that `lib.rs` defines itself, such as a macro, has no level; modules are known to have one.
    let (upper, lower) = (level(importer)?, level(imported)?);
    if importer == imported {
        return None;
    }
    let at = format!("{file}:{}: `{importer}` imports `crate::{imported}`", import.line);
    if let Some((.., why)) = NEVER.iter().find(|(by, of, _)| (*by, *of) == (importer, imported)) {
        return Some(format!("{at}: never, {why}"));
    }
    (lower >= upper).then(|| {
        format!("{at}: level {upper} may import levels below {upper} only, and `{imported}` is at level {lower}")
    })
}

fn level(module: &str) -> Option<u8> {
    LEVELS.iter().find(|(name, _)| *name == module).map(|(_, level)| *level)
}

/// One file of `src/` without its comments, its literals and what only tests compile.
struct Source {
    /// Below `src/`.
    path: PathBuf,
    lines: usize,
    tokens: Vec<Token>,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.into(), lines: text.lines().count(), tokens: without_tests(tokens(text)).0 }
    }

    /// The module under the crate's root that the file belongs to; none for the root itself and for `main.rs`.
    fn top_module(&self) -> Option<String> {
        self.module_path().into_iter().next()
    }

    fn module_path(&self) -> Vec<String> {
        let names = self.path.with_extension("");
        let mut names: Vec<_> = names.iter().map(|name| name.to_string_lossy().into_owned()).collect();
        if matches!(names.last().map(String::as_str), Some("mod" | "lib" | "main")) {
            names.pop();
        }
        names
    }

    /// Every path into the crate's root: `crate::…`, and `super::…` where it climbs that far.
    fn imports(&self) -> Vec<Import> {
        let depth = self.module_path().len();
        let mut found = Vec::new();
        let mut inline_modules = Vec::new();
        let mut braces = 0_usize;
        for (at, token) in self.tokens.iter().enumerate() {
            match token.text.as_str() {
                "{" => {
                    braces += 1;
                    if at >= 2 && self.tokens[at - 2].text == "mod" {
                        inline_modules.push(braces);
                    }
                }
                "}" => {
                    inline_modules.pop_if(|opened| *opened == braces);
                    braces = braces.saturating_sub(1);
                }
                // `pub(in crate::x)` says who may see, and imports nothing.
                "crate" if at == 0 || self.tokens[at - 1].text != "in" => found.extend(heads(&self.tokens[at + 1..])),
                "super" if at == 0 || self.tokens[at - 1].text != "::" => {
                    let climbed = climb(&self.tokens[at..]);
                    if climbed > 0 && climbed == depth + inline_modules.len() {
                        found.extend(heads(&self.tokens[at + 2 * climbed - 1..]));
                    }
                }
                _ => {}
            }
        }
        found
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "src/{}", self.path.display())
    }
}

#[derive(Debug, PartialEq)]
struct Import {
    module: String,
    line: usize,
}

/// How many `super` a path starts with.
fn climb(tokens: &[Token]) -> usize {
    tokens.chunks(2).take_while(|pair| pair[0].text == "super" && pair.get(1).is_some_and(|t| t.text == "::")).count()
}

/// The first names after `crate`: one for `::a::b`, several for `::{a, b::{c, d}}`.
fn heads(tokens: &[Token]) -> Vec<Import> {
    let import = |token: &Token| Import { module: token.text.clone(), line: token.line };
    match tokens {
        [colons, open, rest @ ..] if colons.text == "::" && open.text == "{" => {
            let mut depth = 1;
            let mut starts = true;
            let mut found = Vec::new();
            for token in rest {
                match token.text.as_str() {
                    "{" => depth += 1,
                    "}" if depth == 1 => break,
                    "}" => depth -= 1,
                    "," => starts = depth == 1,
                    _ if starts && depth == 1 => {
                        found.push(import(token));
                        starts = false;
                    }
                    _ => {}
                }
            }
            found
        }
        [colons, name, ..] if colons.text == "::" => vec![import(name)],
        _ => Vec::new(),
    }
}

/// Names after `struct`, `enum`, `union`, `trait` and `type`, with their lines.
fn declared_types(tokens: &[Token]) -> Vec<(String, usize)> {
    tokens
        .windows(2)
        .filter(|pair| matches!(pair[0].text.as_str(), "struct" | "enum" | "union" | "trait" | "type"))
        .filter(|pair| pair[1].text.starts_with(char::is_uppercase))
        .map(|pair| (pair[1].text.clone(), pair[1].line))
        .collect()
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

/// Every file of `src/` that is not only compiled for tests.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    rust_files(&root, &mut paths);
    paths.sort();
    let mut only_tests = Vec::new();
    let mut files = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let (kept, test_modules) = without_tests(tokens(&text));
        let folder = match path.file_name().and_then(|name| name.to_str()) {
            Some("mod.rs" | "lib.rs" | "main.rs") => path.parent().unwrap().to_path_buf(),
            _ => path.with_extension(""),
        };
        only_tests.extend(test_modules.iter().map(|name| folder.join(name)));
        let below = path.strip_prefix(&root).unwrap().to_path_buf();
        files.push((path.clone(), Source { path: below, lines: text.lines().count(), tokens: kept }));
    }
    files.retain(|(path, _)| !only_tests.iter().any(|module| path.with_extension("").starts_with(module)));
    assert!(!files.is_empty(), "no sources under {}", root.display());
    files.into_iter().map(|(_, file)| file).collect()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// A word, a `::` or one other character that is neither space nor part of a comment or a literal.
#[derive(Clone, Debug, PartialEq)]
struct Token {
    text: String,
    line: usize,
}

fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut line = 1;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => block_comment(rest),
            '"' => quoted(rest, '"'),
            'b' | 'c' | 'r' if raw_string(rest).is_some() => raw_string(rest).unwrap_or(1),
            '\'' => character_or_lifetime(rest),
            _ if is_word(first) => {
                let length = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
                found.push(Token { text: rest[..length].to_owned(), line });
                length
            }
            _ if rest.starts_with("::") => {
                found.push(Token { text: "::".into(), line });
                2
            }
            _ => {
                if !first.is_whitespace() {
                    found.push(Token { text: first.into(), line });
                }
                first.len_utf8()
            }
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    found
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The length of a block comment, which may hold others.
fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    for (at, _) in text.char_indices() {
        if text[at..].starts_with("/*") {
            depth += 1;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            if depth == 0 {
                return at + 2;
            }
        }
    }
    text.len()
}

/// The length of a literal between `quote`s.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if letter == quote => return at + letter.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// The length of a raw string (`r"…"`, `br#"…"#`), if there is one.
fn raw_string(text: &str) -> Option<usize> {
    let prefix = text.find('r').filter(|at| *at <= 1)? + 1;
    let hashes = text[prefix..].find(|letter| letter != '#')?;
    let start = prefix + hashes + 1;
    if !text[prefix + hashes..].starts_with('"') {
        return None;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    Some(text[start..].find(&end).map_or(text.len(), |at| start + at + end.len()))
}

/// The length of `'a'` or `'\n'`, or of the tick alone where it begins a lifetime.
fn character_or_lifetime(text: &str) -> usize {
    let mut letters = text.chars().skip(1);
    match (letters.next(), letters.next()) {
        (Some('\\'), _) => quoted(text, '\''),
        (Some(letter), Some('\'')) => 2 + letter.len_utf8(),
        _ => 1,
    }
}

/// Removes the items under `#[cfg(test)]`; also names the modules among them that are files of their own.
fn without_tests(tokens: Vec<Token>) -> (Vec<Token>, Vec<String>) {
    let mut kept = Vec::new();
    let mut test_modules = Vec::new();
    let mut rest = tokens.as_slice();
    while let Some(first) = rest.first() {
        if !is_test_attribute(rest) {
            kept.push(first.clone());
            rest = &rest[1..];
            continue;
        }
        while rest.first().is_some_and(|token| token.text == "#") {
            rest = &rest[attribute_length(rest)..];
        }
        let item = &rest[..item_length(rest)];
        if let [.., module, name, end] = item
            && module.text == "mod"
            && end.text == ";"
        {
            test_modules.push(name.text.clone());
        }
        rest = &rest[item.len()..];
    }
    (kept, test_modules)
}

/// `#[cfg(test)]`, `#[cfg(all(test, …))]`.
fn is_test_attribute(tokens: &[Token]) -> bool {
    let begins =
        |words: &[&str]| words.iter().zip(tokens).filter(|(word, token)| **word == token.text).count() == words.len();
    begins(&["#", "[", "cfg", "(", "test", ")"]) || begins(&["#", "[", "cfg", "(", "all", "(", "test"])
}

fn attribute_length(tokens: &[Token]) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token.text.as_str() {
            "[" => depth += 1,
            "]" if depth == 1 => return at + 1,
            "]" => depth -= 1,
            _ => {}
        }
    }
    tokens.len()
}

/// Up to the item's `;` or the end of its body.
fn item_length(tokens: &[Token]) -> usize {
    let is_use = tokens.iter().take_while(|token| token.text != "{").any(|token| token.text == "use");
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 && (token.text == ";" || (token.text == "}" && !is_use)) {
            return at + 1;
        }
    }
    tokens.len()
}

mod reading {
    use super::*;

    fn imports(path: &str, text: &str) -> Vec<(String, usize)> {
        Source::new(path, text).imports().into_iter().map(|import| (import.module, import.line)).collect()
    }

    fn modules(path: &str, text: &str) -> Vec<String> {
        imports(path, text).into_iter().map(|(module, _)| module).collect()
    }

    #[test]
    fn groups_name_their_heads_with_lines() {
        let text = "use crate::{\n    model::{Name, pool},\n    net,\n    stats::names as n,\n};\n";
        assert_eq!(imports("proxy/relay.rs", text), [("model".into(), 2), ("net".into(), 3), ("stats".into(), 4)]);
    }

    #[test]
    fn paths_in_code_and_reexports_count() {
        assert_eq!(
            modules("pool/mod.rs", "pub use crate::model::Name; fn f(a: crate::net::A) -> $crate::tls::B {}"),
            ["model", "net", "tls"]
        );
    }

    #[test]
    fn super_counts_where_it_reaches_the_root() {
        assert_eq!(modules("reload.rs", "use super::proxy::X;"), ["proxy"]);
        assert_eq!(modules("pool/mod.rs", "use super::{model, tls};"), ["model", "tls"]);
        assert_eq!(modules("pool/live.rs", "use super::super::tls; use super::health;"), ["tls"]);
        assert_eq!(
            modules("reload.rs", "mod a { use super::x; use super::super::tls; } use super::cert;"),
            ["tls", "cert"]
        );
    }

    #[test]
    fn comments_literals_and_visibility_import_nothing() {
        let text = "// crate::a\n/* crate::b /* crate::c */ crate::d */ const E: &str = \"crate::e \\\" crate::f\";\n\
                    const G: &str = r#\"crate::g \" crate::h\"#; const Q: char = '\"'; pub(in crate::i) fn j<'a>() {}\n\
                    pub(crate) use crate::model;";
        assert_eq!(imports("app.rs", text), [("model".into(), 4)]);
    }

    #[test]
    fn what_only_tests_compile_is_left_out() {
        let text = "#[cfg(test)]\nuse crate::{a, b};\nuse crate::model;\n#[cfg(test)]\n#[path = \"x.rs\"]\nmod tests;\n\
                    #[cfg(all(test, unix))]\nmod more {\n    use crate::c;\n    fn f() { if true {} }\n}\nuse crate::net;";
        assert_eq!(modules("app.rs", text), ["model", "net"]);
        assert_eq!(without_tests(tokens(text)).1, ["tests"]);
    }

    #[test]
    fn broken_rules_say_where_and_why() {
        let rule = |path: &str, text: &str| {
            let file = Source::new(path, text);
            broken_rule(&file, &file.top_module().unwrap(), &file.imports()[0])
        };
        assert_eq!(
            rule("proxy/relay.rs", "\nuse crate::config::File;").unwrap(),
            "src/proxy/relay.rs:2: `proxy` imports `crate::config`: never, the data path runs on snapshots of the model \
             and never on the file"
        );
        assert_eq!(
            rule("tls/mod.rs", "use crate::pool::Pool;").unwrap(),
            "src/tls/mod.rs:1: `tls` imports `crate::pool`: level 2 may import levels below 2 only, and `pool` is at level 2"
        );
        assert_eq!(rule("tls/mod.rs", "use crate::tls::Fault;"), None);
        assert_eq!(rule("reload.rs", "use crate::config::File;"), None);
    }

    #[test]
    fn vague_words_are_whole_words() {
        assert_eq!(camel_words("PoolManager"), ["Pool", "Manager"]);
        assert_eq!(camel_words("Utilization"), ["Utilization"]);
        let declared = declared_types(&tokens("pub struct PoolManager;\nstatic handler: u8 = 0; type X = Handler;"));
        assert_eq!(declared, [("PoolManager".into(), 1), ("X".into(), 2)]);
    }
}
