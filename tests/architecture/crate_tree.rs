//! The modules of a crate, the names in each, and the file that a path leads to.

use std::collections::HashMap;

use syn::visit::Visit;

use crate::reader::Reader;
use crate::sources::Sources;

/// A crate as its `mod` lines tell it, without what only tests compile.
pub struct CrateTree {
    pub modules: Vec<Module>,
    /// Every path in the crate's files, in their order.
    pub mentions: Vec<Mention>,
    /// What keeps a file from being read: no such file, or no Rust.
    pub broken: Vec<String>,
}

/// An index into [`CrateTree::modules`].
pub type ModuleId = usize;

pub struct Module {
    pub parent: Option<ModuleId>,
    /// The file that it is written in, below `src/`; an inline module has its parent's.
    pub file: String,
    /// Where the files of its `mod` lines are, as a prefix.
    pub folder: String,
    pub names: HashMap<String, Vec<Name>>,
    /// The paths of its glob imports.
    pub globs: Vec<Vec<String>>,
}

/// What a name in a module is. Types, functions and macros may share one.
#[derive(Clone, Debug)]
pub enum Name {
    Module(ModuleId),
    /// Defined in the module itself.
    Item,
    /// Imported from a path.
    Import(Vec<String>),
}

/// A path and where it is written.
pub struct Mention {
    pub module: ModuleId,
    pub path: Vec<String>,
    pub line: usize,
    pub kind: Kind,
}

/// How a path is written; a public import hands on what it names.
#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    Code,
    Import {
        public: bool,
    },
    /// `use path::*`
    Glob {
        public: bool,
    },
}

/// Where a path leads.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    Module(ModuleId),
    /// An item of a module; further segments, such as a variant or an associated function, belong to it.
    Item {
        module: ModuleId,
        name: String,
    },
    /// A name that the module seems not to have.
    Unknown {
        module: ModuleId,
        name: String,
    },
    /// Of another crate, or of the language.
    Outside,
}

const ROOT: ModuleId = 0;

impl CrateTree {
    pub fn new(sources: &Sources) -> Self {
        let root = Module::new(None, "lib.rs".into(), String::new());
        let mut tree = Self { modules: vec![root], mentions: Vec::new(), broken: Vec::new() };
        let mut next = vec![ROOT];
        while let Some(module) = next.pop() {
            next.extend(tree.read(sources, module));
        }
        tree
    }

    /// Reads a module's file, and returns the modules that its `mod` lines declare.
    fn read(&mut self, sources: &Sources, module: ModuleId) -> Vec<ModuleId> {
        let file = self.modules[module].file.clone();
        let Some(text) = sources.0.get(&file) else {
            self.broken.push(format!("src/{file}: declared by a `mod` line, and there is no such file"));
            return Vec::new();
        };
        match syn::parse_file(text) {
            Ok(parsed) => {
                let mut reader = Reader::new(self, sources, module);
                reader.visit_file(&parsed);
                reader.finish()
            }
            Err(error) => {
                self.broken.push(format!("src/{file}:{}: {error}", error.span().start().line));
                Vec::new()
            }
        }
    }

    pub fn add(&mut self, name: &str, module: Module) -> ModuleId {
        let id = self.modules.len();
        if let Some(parent) = module.parent {
            self.modules[parent].names.entry(name.to_owned()).or_default().push(Name::Module(id));
        }
        self.modules.push(module);
        id
    }

    /// Follows a path that is written in a module.
    pub fn resolve(&self, module: ModuleId, path: &[String]) -> Target {
        self.follow(module, path, &mut Vec::new())
    }

    fn follow(&self, from: ModuleId, path: &[String], visited: &mut Vec<(ModuleId, String)>) -> Target {
        let climbed = path.iter().take_while(|name| matches!(name.as_str(), "crate" | "self" | "super")).count();
        let mut module = from;
        for step in &path[..climbed] {
            match step.as_str() {
                "crate" => module = ROOT,
                "super" => module = self.modules[module].parent.unwrap_or(ROOT),
                _ => {}
            }
        }
        for (at, name) in path.iter().enumerate().skip(climbed) {
            let found = self.look_up(module, name, visited);
            let (modules, items): (Vec<_>, Vec<_>) =
                found.into_iter().partition(|target| matches!(target, Target::Module(_)));
            let is_last = at + 1 == path.len();
            let (first, second) = if is_last { (items, modules) } else { (modules, items) };
            match first.into_iter().chain(second).next() {
                Some(Target::Module(below)) => module = below,
                Some(other) => return other,
                // A name that begins a path may be a crate, such as `std`, or a variable.
                None if at == 0 => return Target::Outside,
                None => return Target::Unknown { module, name: name.clone() },
            }
        }
        Target::Module(module)
    }

    /// All that a name in a module may be.
    fn look_up(&self, module: ModuleId, name: &str, visited: &mut Vec<(ModuleId, String)>) -> Vec<Target> {
        // Imports may form a circle, such as two modules that glob each other.
        let key = (module, name.to_owned());
        if visited.contains(&key) {
            return Vec::new();
        }
        visited.push(key);
        let mut found = Vec::new();
        for known in self.modules[module].names.get(name).into_iter().flatten() {
            match known {
                Name::Module(below) => found.push(Target::Module(*below)),
                Name::Item => found.push(Target::Item { module, name: name.to_owned() }),
                Name::Import(path) => found.push(self.follow(module, path, visited)),
            }
        }
        if found.is_empty() {
            for glob in &self.modules[module].globs {
                if let Target::Module(of) = self.follow(module, glob, visited) {
                    found.extend(self.look_up(of, name, visited));
                }
            }
        }
        visited.pop();
        found
    }

    /// Paths into the crate that lead to no name known: what would be overlooked.
    pub fn unknown(&self) -> Vec<String> {
        let lost = self
            .mentions
            .iter()
            .filter(|mention| matches!(self.resolve(mention.module, &mention.path), Target::Unknown { .. }));
        lost.map(|mention| {
            let file = &self.modules[mention.module].file;
            format!("src/{file}:{}: `{}` leads to nothing known", mention.line, mention.path.join("::"))
        })
        .collect()
    }
}

impl Module {
    pub fn new(parent: Option<ModuleId>, file: String, folder: String) -> Self {
        Self { parent, file, folder, names: HashMap::new(), globs: Vec::new() }
    }
}
