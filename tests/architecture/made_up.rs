//! The rules on little crates that are made up.

use crate::arrows::Arrows;
use crate::circles::circles;
use crate::crate_tree::CrateTree;
use crate::files::{beside_their_folder, too_long, without_a_first_line};
use crate::levels::broken_rule;
use crate::sources::Sources;
use crate::type_names::vague;

const LIB: (&str, &str) = ("lib.rs", "mod m; mod n;");

/// The arrows of a crate, such as `m/a.rs:1 → m/b.rs (X)`.
fn arrows(files: &[(&str, &str)]) -> Vec<String> {
    let sources = Sources::new(files);
    assert_eq!(CrateTree::new(&sources).broken, [""; 0]);
    Arrows::of(&sources).iter().map(|arrow| arrow.to_string().replace("src/", "")).collect()
}

/// The arrows of `m/a.rs` with this text, in a crate whose `m` has the children `a`, `b` and `c`.
fn arrows_of(text: &str) -> Vec<String> {
    arrows(&[
        LIB,
        (
            "m/mod.rs",
            "mod a; mod b; mod c; pub use b::X; pub use c::{Y as Z, inner}; pub use c::free::*; pub struct Own;",
        ),
        ("m/a.rs", text),
        ("m/b.rs", "pub struct X; pub fn make() {} pub const MOST: u8 = 1;"),
        ("m/c.rs", "pub enum Y { One } pub mod inner { pub struct In; } pub mod free { pub struct Free; }"),
        ("n.rs", "pub struct N; pub use std::sync::Arc;"),
    ])
}

#[test]
fn imports_lead_to_the_file_that_defines() {
    for (text, expected) in [
        ("use super::b::X;", "m/a.rs:1 → m/b.rs (X)"),
        ("use crate::m::b::{X, make};", "m/a.rs:1 → m/b.rs (X, make)"),
        ("\nuse crate::{\n    n::N,\n};", "m/a.rs:3 → n.rs (N)"),
        ("use super::super::n::N;", "m/a.rs:1 → n.rs (N)"),
        // Re-exported by mod.rs, also under another name, as a module, and by a glob.
        ("use super::X;", "m/a.rs:1 → m/b.rs (X)"),
        ("use super::Z;", "m/a.rs:1 → m/c.rs (Y)"),
        ("use super::inner::In;", "m/a.rs:1 → m/c.rs (In)"),
        ("use super::Free;", "m/a.rs:1 → m/c.rs (Free)"),
        ("use super::Z::*;", "m/a.rs:1 → m/c.rs (Y)"),
        // Defined in mod.rs.
        ("use super::Own;", "m/a.rs:1 → m/mod.rs (Own)"),
        ("use super::*;", "m/a.rs:1 → m/mod.rs (*)"),
        // Through a module that was imported.
        ("use super::b;\nfn f() { b::make() }", "m/a.rs:2 → m/b.rs (make)"),
        ("use super::b::{self as other};\nfn f() { other::make() }", "m/a.rs:2 → m/b.rs (make)"),
        ("fn f() { use super::b::X; }", "m/a.rs:1 → m/b.rs (X)"),
        // Unknown: the module that was reached.
        ("use super::b::Missing;", "m/a.rs:1 → m/b.rs (Missing)"),
    ] {
        assert_eq!(arrows_of(text), [expected], "{text}");
    }
}

#[test]
fn paths_in_code_count() {
    for (text, expected) in [
        ("fn f() { super::b::make() }", "m/a.rs:1 → m/b.rs (make)"),
        ("fn f(x: &[super::X]) {}", "m/a.rs:1 → m/b.rs (X)"),
        ("struct S<T: Into<super::X>>(T);", "m/a.rs:1 → m/b.rs (X)"),
        ("fn f(y: u8) { match y { super::b::MOST => {} _ => {} } }", "m/a.rs:1 → m/b.rs (MOST)"),
        ("impl From<u8> for super::Z { }", "m/a.rs:1 → m/c.rs (Y)"),
        ("const S: u8 = <super::X as Default>::SIZE;", "m/a.rs:1 → m/b.rs (X)"),
        ("fn f() { assert!(matches!(y, super::Z::One)) }", "m/a.rs:1 → m/c.rs (Y)"),
        ("macro_rules! m { () => { $crate::m::b::make() } }", "m/a.rs:1 → m/b.rs (make)"),
        ("#[derive(Parser)] struct S { #[arg(value_parser = super::b::make)] x: u8 }", "m/a.rs:1 → m/b.rs (make)"),
    ] {
        assert_eq!(arrows_of(text), [expected], "{text}");
    }
}

#[test]
fn what_is_no_import_is_no_arrow() {
    for text in [
        "use super::b;",
        "pub(in crate::m) fn f() {}",
        "// use super::X;\nconst S: &str = \"super::X\";",
        "#[cfg(test)] mod tests { use super::super::X; }",
        "#[cfg(all(test, unix))] use super::X;",
        "struct S; impl S { #[cfg(test)] fn f() { super::b::make() } }",
        "use std::fmt; use ::m::X; use serde::b::X as Y;",
        "use crate::n::Arc;",
        "mod inner { pub struct In; } use inner::In; fn f(x: self::inner::In) {}",
        "mod inner { use super::S; } struct S;",
        "fn f(x: S) { format!(\"{}\", x.b.make()) } struct S;",
    ] {
        // `use crate::n::Arc` passes through n.rs, which defines nothing of it.
        assert_eq!(arrows_of(text), [""; 0], "{text}");
    }
}

#[test]
fn inline_modules_are_part_of_their_file() {
    assert_eq!(arrows_of("mod inner { use super::super::X; }"), ["m/a.rs:1 → m/b.rs (X)"]);
    let nested =
        arrows(&[("lib.rs", "mod m { mod a; mod b; }"), ("m/a.rs", "use super::b::X;"), ("m/b.rs", "pub struct X;")]);
    assert_eq!(nested, ["m/a.rs:1 → m/b.rs (X)"]);
}

#[test]
fn a_mod_file_imports_what_it_uses_itself() {
    let of = |text| {
        arrows(&[
            ("lib.rs", "mod m; mod n;"),
            ("m/mod.rs", text),
            ("m/a.rs", "pub struct X;"),
            ("n.rs", "pub fn n() {}"),
        ])
    };
    assert_eq!(of("mod a; pub use a::X;"), [""; 0]);
    assert_eq!(of("mod a; pub(crate) use a::*;"), [""; 0]);
    assert_eq!(of("mod a; use a::X;"), ["m/mod.rs:1 → m/a.rs (X)"]);
    assert_eq!(of("mod a; pub use a::X;\nfn f(x: X) {}"), ["m/mod.rs:2 → m/a.rs (X)"]);
    assert_eq!(of("mod a; fn f(x: a::X) {}"), ["m/mod.rs:1 → m/a.rs (X)"]);
    assert_eq!(of("mod a; pub use crate::n::n;"), ["m/mod.rs:1 → n.rs (n)"]);
    // A variable of the same name is no import.
    assert_eq!(of("mod a; pub use super::n::n; fn f(n: u8) -> u8 { n }"), ["m/mod.rs:1 → n.rs (n)"]);
}

#[test]
fn items_of_macros_belong_to_the_file_that_calls_or_defines_the_macro() {
    let made = arrows(&[
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "use crate::b::{Called, Written, mac};"),
        (
            "b.rs",
            "table! { pub struct Called; } macro_rules! mac { () => { pub enum Written {} } } pub use mac; mac!();",
        ),
    ]);
    assert_eq!(made, ["a.rs:1 → b.rs (Called, Written, mac)"]);
}

#[test]
fn tests_in_files_of_their_own_are_left_out() {
    let tested = arrows(&[
        ("lib.rs", "mod a; mod b;"),
        ("a/mod.rs", "pub struct X; #[cfg(test)] mod tests;"),
        ("a/tests/mod.rs", "use crate::b::Y;"),
        ("b.rs", "pub struct Y;"),
    ]);
    assert_eq!(tested, [""; 0]);
}

#[test]
fn each_circle_is_told_once_by_its_shortest_way() {
    let circles_of = |files: &[(&str, &str)]| circles(&Arrows::of(&Sources::new(files)));
    let mods = ("lib.rs", "mod a; mod b; mod c; mod d; mod e;");
    let found = circles_of(&[
        mods,
        ("a.rs", "use crate::b::B;"),
        ("b.rs", "pub struct B;\nuse crate::{c::C, a};\nfn f(x: a::A) {}"),
        ("c.rs", "pub struct C; use crate::a::A;"),
        ("d.rs", "use crate::e::E; pub struct D;"),
        ("e.rs", "pub struct E; use super::d::D; use super::a::A;"),
    ]);
    let [first, second] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(
        first.lines().collect::<Vec<_>>(),
        [
            "3 files import each other; the shortest circle:",
            "    src/a.rs:1 → src/b.rs (B)",
            "    src/b.rs:3 → src/a.rs (A)"
        ]
    );
    assert!(second.starts_with("2 files") && second.contains("src/d.rs:1 → src/e.rs (E)"), "{second}");
    let straight = circles_of(&[mods, ("a.rs", "use crate::b::B;"), ("b.rs", "use crate::c::C;"), ("c.rs", "")]);
    assert_eq!(straight, [""; 0]);
    // Modules that glob each other do not hold up the reader.
    assert_eq!(circles_of(&[mods, ("a.rs", "use crate::b::*; fn f(x: X) {}"), ("b.rs", "use crate::a::*;")]).len(), 1);
}

#[test]
fn levels_are_those_of_the_file_that_defines() {
    let broken = |file: &str, text: &str| {
        let mods = "mod proxy; mod config; mod tls; mod pool; mod model;";
        let files = [
            ("lib.rs", mods),
            ("config/mod.rs", "mod file; pub use file::File;"),
            ("config/file.rs", "pub struct File;"),
            ("pool.rs", "pub struct Pool;"),
            ("model.rs", "pub use crate::config::File as Hidden;"),
            ("proxy.rs", ""),
            ("tls.rs", ""),
            (file, text),
        ];
        Arrows::of(&Sources::new(&files))
            .iter()
            .filter(|arrow| arrow.from == file)
            .filter_map(broken_rule)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        broken("proxy.rs", "\nuse crate::config::File;"),
        ["src/proxy.rs:2 → src/config/file.rs (File): `proxy` never imports `config`: the data path runs on \
             snapshots of the model and never on the file"]
    );
    assert_eq!(
        broken("pool.rs", "use crate::tls::Fault;"),
        ["src/pool.rs:1 → src/tls.rs (Fault): `pool` at level 2 imports levels below it only, and `tls` is at \
          level 3"]
    );
    assert_eq!(broken("proxy.rs", "use crate::model::Hidden;").len(), 1, "a re-export hides nothing");
    assert_eq!(broken("tls.rs", "use crate::config::File; use crate::pool::Pool;"), [""; 0]);
}

#[test]
fn files_are_judged_by_their_text() {
    let lines = "\n".repeat(601);
    let sources =
        Sources::new(&[("lib.rs", "//! A crate."), ("a.rs", &lines), ("b/mod.rs", "//! B."), ("b.rs", "//! B.")]);
    assert_eq!(without_a_first_line(&sources), ["src/a.rs:1: begin with a `//!` line that says what is in the file"]);
    assert_eq!(too_long(&sources), ["src/a.rs: 601 lines, at most 600: split it by concept"]);
    assert_eq!(beside_their_folder(&sources), ["src/b.rs: has a folder beside it: move it to src/b/mod.rs"]);
}

#[test]
fn files_that_cannot_be_followed_are_told() {
    let tree = CrateTree::new(&Sources::new(&[("lib.rs", "mod a; mod b;\nuse a::Missing;"), ("b.rs", "\nfn {")]));
    assert_eq!(tree.broken.len(), 2);
    assert!(tree.broken.iter().any(|broken| broken.starts_with("src/a.rs: ")), "{:?}", tree.broken);
    assert!(tree.broken.iter().any(|broken| broken.starts_with("src/b.rs:2: ")), "{:?}", tree.broken);
    assert_eq!(tree.unknown(), ["src/lib.rs:2: `a::Missing` leads to nothing known"]);
}

#[test]
fn vague_words_are_whole_words() {
    let text = "pub struct PoolManager;\nstatic handler: u8 = 0; type X = Handler; enum Utilization {}\n\
                table! { struct Helper; } fn f() { trait MyUtil {} }";
    let told = vague(&Sources::new(&[("a.rs", text)]));
    let types: Vec<_> = told.iter().map(|told| told.split('`').nth(1).unwrap()).collect();
    assert_eq!(types, ["PoolManager", "Helper", "MyUtil"]);
    assert_eq!(told[0], "src/a.rs:1: type `PoolManager`: `Manager` says nothing, name what it is");
}
