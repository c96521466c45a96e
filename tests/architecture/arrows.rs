//! Who imports whom: an arrow from each file to each other file whose items it names.

use std::collections::BTreeMap;
use std::fmt;

use crate::crate_tree::{CrateTree, Kind, Mention, Target};
use crate::sources::Sources;

/// The arrows of a crate by the file that they begin at and the file that they lead to.
pub struct Arrows(pub BTreeMap<String, BTreeMap<String, Arrow>>);

/// All that one file imports from another.
pub struct Arrow {
    pub from: String,
    pub to: String,
    /// Where the first of them is named.
    pub line: usize,
    pub names: Vec<String>,
}

impl Arrows {
    fn new(tree: &CrateTree) -> Self {
        let mut arrows: BTreeMap<String, BTreeMap<String, Arrow>> = BTreeMap::new();
        for mention in &tree.mentions {
            let from = &tree.modules[mention.module].file;
            let Some((to, name)) = imported(tree, mention).filter(|(to, _)| to != from) else { continue };
            let arrow = arrows.entry(from.clone()).or_default().entry(to.clone()).or_insert_with(|| Arrow {
                from: from.clone(),
                to,
                line: mention.line,
                names: Vec::new(),
            });
            arrow.line = arrow.line.min(mention.line);
            if !arrow.names.contains(&name) {
                arrow.names.push(name);
            }
        }
        Self(arrows)
    }

    pub fn of(sources: &Sources) -> Self {
        Self::new(&CrateTree::new(sources))
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arrow> {
        self.0.values().flat_map(BTreeMap::values)
    }

    /// The files that a file imports.
    pub fn from(&self, file: &str) -> impl Iterator<Item = &str> {
        self.0.get(file).into_iter().flat_map(|arrows| arrows.keys().map(String::as_str))
    }
}

impl fmt::Display for Arrow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "src/{}:{} → src/{} ({})", self.from, self.line, self.to, self.names.join(", "))
    }
}

/// The file that defines what is mentioned, and the name that it has there.
fn imported(tree: &CrateTree, mention: &Mention) -> Option<(String, String)> {
    let module = &tree.modules[mention.module];
    match (mention.kind, tree.resolve(mention.module, &mention.path)) {
        // A module is only passed through: what is named in it counts where it is named.
        (Kind::Code | Kind::Import { .. } | Kind::Glob { public: true }, Target::Module(_)) | (_, Target::Outside) => {
            None
        }
        (Kind::Glob { public: false }, Target::Module(of)) => Some((tree.modules[of].file.clone(), "*".into())),
        (kind, Target::Item { module: of, name } | Target::Unknown { module: of, name }) => {
            let file = &tree.modules[of].file;
            let hands_on = matches!(kind, Kind::Import { public: true } | Kind::Glob { public: true });
            let is_root = module.file.ends_with("mod.rs") || module.file == "lib.rs";
            (!(hands_on && is_root && file.starts_with(&module.folder))).then(|| (file.clone(), name))
        }
    }
}
