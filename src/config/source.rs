//! The texts that a configuration is made of.

use std::sync::Arc;

/// One built-in file.
#[derive(Clone, Debug)]
pub struct BuiltIn {
    /// Its path below the root of the sources, such as `profiles/clientssl.yaml`.
    pub name: &'static str,
    /// The section that its entries belong to.
    pub section: &'static str,
    pub text: String,
}

/// The texts that a configuration is made of: the user's file first, then the built-in profiles.
#[derive(Clone, Debug)]
pub(super) struct Sources(Vec<Source>);

#[derive(Clone, Debug)]
pub(super) struct Source {
    pub name: Arc<str>,
    pub text: Arc<str>,
    pub section: Option<&'static str>,
}

/// A stretch of one source, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct At {
    pub source: usize,
    pub start: usize,
    pub length: usize,
}

impl At {
    pub(super) fn is_built_in(self) -> bool {
        self.source > 0
    }
}

impl Sources {
    pub(super) fn new(name: &str, text: &str, built_in: Vec<BuiltIn>) -> Self {
        let user = Source { name: name.into(), text: text.into(), section: None };
        let built_in = built_in.into_iter().map(|file| Source {
            name: file.name.into(),
            text: file.text.into(),
            section: Some(file.section),
        });
        Self(std::iter::once(user).chain(built_in).collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Source)> {
        self.0.iter().enumerate()
    }

    /// File, line, column (both from 1) and the line's text.
    pub(super) fn place(&self, at: At) -> (&str, usize, usize, &str) {
        let source = &self.0[at.source];
        let start = source.text.floor_char_boundary(at.start.min(source.text.len()));
        let line_start = source.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line = source.text[..start].matches('\n').count() + 1;
        let column = source.text[line_start..start].chars().count() + 1;
        (&source.name, line, column, source.text[line_start..].lines().next().unwrap_or(""))
    }

    /// Returns where a value comes from, as `file:line`.
    pub(super) fn origin(&self, at: At) -> String {
        let (file, line, ..) = self.place(at);
        format!("{file}:{line}")
    }
}
