//! Reads one file into a [`CrateTree`]: the names that its modules have, and every path that is written in it.

use std::collections::HashSet;

use proc_macro2::Span;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Field, Ident, ImplItem, Item, ItemMacro, ItemMod, ItemUse, Macro, Meta, PatIdent, UseTree, Visibility,
};

use crate::crate_tree::{CrateTree, Kind, Mention, Module, ModuleId, Name};
use crate::sources::Sources;
use crate::{items, macros};

pub struct Reader<'a> {
    tree: &'a mut CrateTree,
    sources: &'a Sources,
    /// The one whose items are being read.
    module: ModuleId,
    mentions: Vec<Mention>,
    declared: Vec<ModuleId>,
    /// They hide functions of the same name.
    variables: HashSet<String>,
}

impl<'a> Reader<'a> {
    pub fn new(tree: &'a mut CrateTree, sources: &'a Sources, module: ModuleId) -> Self {
        Self { tree, sources, module, mentions: Vec::new(), declared: Vec::new(), variables: HashSet::new() }
    }

    /// Hands over what was read, and returns the modules that have files of their own.
    pub fn finish(self) -> Vec<ModuleId> {
        let is_variable = |mention: &Mention| {
            mention.kind == Kind::Code && mention.path.len() == 1 && self.variables.contains(&mention.path[0])
        };
        self.tree.mentions.extend(self.mentions.into_iter().filter(|mention| !is_variable(mention)));
        self.declared
    }

    fn mention(&mut self, path: Vec<String>, span: Span, kind: Kind) {
        self.mentions.push(Mention { module: self.module, path, line: span.start().line, kind });
    }

    fn define(&mut self, name: String, what: Name) {
        self.tree.modules[self.module].names.entry(name).or_default().push(what);
    }

    fn imports(&mut self, tree: &UseTree, prefix: &[String], public: bool) {
        let joined = |ident: &Ident| [prefix, &[ident.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.imports(&path.tree, &joined(&path.ident), public),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.imports(tree, prefix, public)),
            UseTree::Name(name) => self.import(joined(&name.ident), None, name.ident.span(), public),
            UseTree::Rename(rename) => {
                self.import(joined(&rename.ident), Some(&rename.rename), rename.ident.span(), public);
            }
            UseTree::Glob(glob) => {
                self.tree.modules[self.module].globs.push(prefix.to_vec());
                self.mention(prefix.to_vec(), glob.star_token.spans[0], Kind::Glob { public });
            }
        }
    }

    fn import(&mut self, mut path: Vec<String>, renamed: Option<&Ident>, span: Span, public: bool) {
        // `use place::{self}`
        path.pop_if(|last| last == "self");
        let name = renamed.map_or_else(|| path.last().cloned().unwrap_or_default(), Ident::to_string);
        // `pub use mac;` only widens what is defined beside it.
        if path != [name.as_str()] {
            self.define(name, Name::Import(path.clone()));
        }
        self.mention(path, span, Kind::Import { public });
    }

    fn read_tokens(&mut self, tokens: &proc_macro2::TokenStream) {
        for path in macros::paths(tokens.clone()) {
            self.mention(path.names, path.span, Kind::Code);
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if items::is_only_for_tests(items::attributes(item)) {
            return;
        }
        if let Some(name) = items::defined_name(item) {
            self.define(name.to_string(), Name::Item);
        }
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        let name = item.ident.to_string();
        let outer = self.module;
        let Module { file, folder, .. } = &self.tree.modules[outer];
        let below = format!("{folder}{name}/");
        if let Some((_, items)) = &item.content {
            let inline = Module::new(Some(outer), file.clone(), below);
            self.module = self.tree.add(&name, inline);
            items.iter().for_each(|item| self.visit_item(item));
            self.module = outer;
        } else {
            let in_folder = format!("{below}mod.rs");
            let has_folder = self.sources.0.contains_key(&in_folder);
            let file = if has_folder { in_folder } else { format!("{folder}{name}.rs") };
            let declared = self.tree.add(&name, Module::new(Some(outer), file, below));
            self.declared.push(declared);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        // `use ::x` is of another crate.
        if item.leading_colon.is_none() {
            self.imports(&item.tree, &[], !matches!(item.vis, Visibility::Inherited));
        }
    }

    fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
        // What it defines when it is called counts as defined beside it.
        for name in macros::definitions(item.mac.tokens.clone()) {
            self.define(name.to_string(), Name::Item);
        }
        visit::visit_item_macro(self, item);
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        if !items::is_only_for_tests(items::attributes_in_impl(item)) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_field(&mut self, field: &'ast Field) {
        if !items::is_only_for_tests(&field.attrs) {
            visit::visit_field(self, field);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let (None, Some(first)) = (&path.leading_colon, path.segments.first()) {
            let names = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.mention(names, first.ident.span(), Kind::Code);
        }
        visit::visit_path(self, path);
    }

    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        let name = pattern.ident.to_string();
        // A pattern of one name is a constant if it is written as one.
        if name.starts_with(char::is_uppercase) {
            self.mention(vec![name], pattern.ident.span(), Kind::Code);
        } else {
            self.variables.insert(name);
        }
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        self.visit_path(&called.path);
        self.read_tokens(&called.tokens);
    }

    /// Reads the arguments only: an attribute's own name is no item of the crate.
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.read_tokens(&list.tokens);
        }
    }

    /// `pub(in crate::x)` says who may import, and imports nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}
