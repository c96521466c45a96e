//! From entries of the file to the [`Model`]: sections in the order in which they refer to one another.
//!
//! A mistake ends nothing. What is wrong is noted, something of the right type stands in for it, and reading goes on, so
//! that all mistakes are told at once. A model of a file with errors is good for finding more of them, and is never run.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use super::diagnostic::Diagnostics;
use super::elsewhere::{self, plain};
use super::fields::{Context, Fields, Notes};
use super::inherit::{Broken, Document, MOST_PARENTS};
use super::keys::{
    self, ADMIN, AdminKeys, LINT, LintKeys, MONITORS, NODE, NodeKeys, POOL, PROFILES, PoolKeys, Section, Setting, TOP,
    TopKeys, Type, VIRTUAL_SERVER, VirtualServerKeys,
};
use super::long_form;
use super::protocols;
use super::source::At;
use super::suggest::is_near;
use super::transports;
use super::tree::{Entry, Value};
use super::verification;
use crate::model::profile::Profiles;
use crate::model::{Admin, AdminState, Level, LintLevel, Model, Monitor, Name, Node, Pool, VirtualServer, overlap};
use crate::words::bounded;

/// Bytes of a name; names are in every log line.
const LONGEST_NAME: usize = 255;

/// Resolves a document, noting every mistake. Returns the model, and the places of the errors.
pub(super) fn model(document: &Document, folder: &Path, diagnostics: &mut Diagnostics) -> (Model, Vec<At>) {
    // What is noted of built-in entries, which the user did not write.
    let (notes, unheard) = (Notes::default(), Notes::default());
    let mut model = Model::default();
    // Each section sees those before it.
    Resolver::new(document, folder, &model, &notes, &unheard).check_sections();
    let top = Resolver::new(document, folder, &model, &notes, &unheard).top();
    (model.certificate_store, model.certificate_refresh) = (top.certificate_store, top.certificate_refresh);
    model.nodes = Resolver::new(document, folder, &model, &notes, &unheard).nodes();
    model.profiles = Resolver::new(document, folder, &model, &notes, &unheard).profiles();
    model.monitors = Resolver::new(document, folder, &model, &notes, &unheard).monitors();
    model.pools = Resolver::new(document, folder, &model, &notes, &unheard).pools();
    model.virtual_servers = Resolver::new(document, folder, &model, &notes, &unheard).virtual_servers();
    model.admin = Resolver::new(document, folder, &model, &notes, &unheard).admin();
    let context = Context { document, folder, model: &model, notes: &notes };
    transports::check(&model, context);
    protocols::check(&model, context);
    verification::check(&model, context);
    model.lint = Resolver::new(document, folder, &model, &notes, &unheard).lint();
    let (noted, errors) = notes.into_parts();
    diagnostics.absorb(noted);
    (model, errors)
}

struct Resolver<'a> {
    context: Context<'a>,
    unheard: &'a Notes,
}

impl<'a> Resolver<'a> {
    fn new(document: &'a Document, folder: &'a Path, model: &'a Model, notes: &'a Notes, unheard: &'a Notes) -> Self {
        Self { context: Context { document, folder, model, notes }, unheard }
    }

    /// Checks what all sections have in common: that they are maps, and the names in them.
    fn check_sections(&self) {
        let root = &self.context.document.root;
        self.context.check_keys(root.entries(), &TOP, |_| Vec::new());
        for key in TOP.keys().into_iter().filter(|key| key.is_section()) {
            let section = key.name();
            let Some(entry) = root.entry(section) else { continue };
            if !matches!(entry.value.value, Value::Map(_) | Value::Null) {
                let found = entry.value.describe();
                let message = format!("`{section}` is a map by name, found {found}");
                self.context.error(entry.value.at, message, Some(long_form::of_section(section)));
            }
            self.context.check_twice(entry.value.entries());
            entry.value.entries().iter().for_each(|named| self.check_name(named));
        }
        self.check_that_something_listens();
    }

    /// A file that is cut short, as while it is being written, must not close every listener.
    fn check_that_something_listens(&self) {
        let root = &self.context.document.root;
        let at = match root.entry("virtual-servers") {
            None => root.at,
            Some(entry) if matches!(entry.value.value, Value::Null) => entry.key_at,
            Some(_) => return,
        };
        let help = "write `virtual-servers: {}` if none is meant";
        self.context.error(at, "`virtual-servers` is missing; the file may be cut short", Some(help.to_owned()));
    }

    /// Names appear in `node:port`, in metrics, in URLs and on command lines.
    fn check_name(&self, entry: &Entry) {
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let name = &entry.key;
        if name.is_empty()
            || name.len() > LONGEST_NAME
            || name == "none"
            || name.starts_with('-')
            || !name.chars().all(good)
        {
            let name = bounded(name);
            let help =
                "names are of up to 255 letters, digits, `.`, `_` and `-`, do not begin with `-`, and are not `none`";
            self.context.error(entry.key_at, format!("`{name}` cannot be a name"), Some(help.to_owned()));
        }
    }

    fn top(&self) -> keys::Top {
        let root = &self.context.document.root;
        TopKeys.read(&Fields::new(self.context, &TOP, ("", ""), root.entries(), root.at))
    }

    fn nodes(&self) -> BTreeMap<Name, Arc<Node>> {
        self.section("nodes", &NODE, |fields| {
            let node = NodeKeys.read(fields);
            keys::check_node(&node, fields);
            node
        })
    }

    fn pools(&self) -> BTreeMap<Name, Arc<Pool>> {
        self.section("pools", &POOL, |fields| {
            let pool = PoolKeys.read(fields);
            keys::check_pool(&pool, fields);
            pool
        })
    }

    fn virtual_servers(&self) -> BTreeMap<Name, Arc<VirtualServer>> {
        let all = self.section("virtual-servers", &VIRTUAL_SERVER, |fields| {
            let virtual_server = VirtualServerKeys.read(fields);
            keys::check_virtual_server(&virtual_server, fields);
            virtual_server
        });
        self.check_destinations(&all);
        all
    }

    /// Reads the keys of the admin API, if there are any.
    fn admin(&self) -> Option<Arc<Admin>> {
        let entry = self.context.document.root.entry("admin").filter(|entry| !entry.value.is_null())?;
        let fields = Fields::of_entry(self.context, &ADMIN, entry)?;
        let admin = AdminKeys.read(&fields);
        let listening = self.context.model.virtual_servers.values().map(|it| &**it);
        keys::check_admin(&admin, listening.filter(|it| it.state != AdminState::ForcedOffline), &fields);
        Some(Arc::new(admin))
    }

    /// Reads the levels of checks. Whether a check exists is for those to say who know the checks.
    fn lint(&self) -> BTreeMap<Name, LintLevel> {
        let all = self.section("lint", &LINT, |fields| {
            let check = LintKeys.read(fields);
            let level = LintKeys::level();
            let is_allowed = check.level == Level::Allow && fields.has(level) && fields.is_good(level);
            if is_allowed && check.reason.is_none() {
                let message = format!("`{}` is allowed without a reason", fields.name);
                let help = "write `reason`, for those who read the file when somebody asks why".to_owned();
                fields.error(fields.at, message, Some(help));
            }
            check
        });
        all.into_iter().map(|(name, check)| (name, Arc::unwrap_or_clone(check))).collect()
    }

    fn section<T>(
        &self,
        name: &str,
        section: &'static Section,
        read: impl Fn(&Fields<'a>) -> T,
    ) -> BTreeMap<Name, Arc<T>> {
        let entries = self.context.document.section(name).iter();
        let fields = entries.filter_map(|entry| Fields::of_entry(self.context, section, entry));
        fields.map(|fields| (Name::from(fields.name), Arc::new(read(&fields)))).collect()
    }

    fn profiles(&self) -> Profiles {
        let mut profiles = Profiles::default();
        for entry in self.context.document.all("profiles") {
            self.typed("profiles", "profile", PROFILES, entry, |of_type, fields| (of_type.read)(fields, &mut profiles));
        }
        profiles
    }

    fn monitors(&self) -> BTreeMap<Name, Arc<Monitor>> {
        let mut monitors = BTreeMap::new();
        for entry in self.context.document.all("monitors") {
            self.typed("monitors", "monitor", MONITORS, entry, |of_type, fields| {
                let monitor = (of_type.read)(fields);
                monitors.insert(monitor.name.clone(), Arc::new(monitor));
            });
        }
        monitors
    }

    /// Reads a profile or monitor with what it inherits, if its type and its parents are known. Where they are not,
    /// that is noted, and its other mistakes are looked for all the same.
    fn typed<R>(
        &self,
        section: &str,
        what: &str,
        types: &'static [&'static Type<R>],
        entry: &'a Entry,
        take: impl FnOnce(&'static Type<R>, &Fields<'a>),
    ) {
        // What the user did to a built-in entry's parents is reported where the user did it.
        let notes = if entry.key_at.is_built_in() { self.unheard } else { self.context.notes };
        let context = Context { notes, ..self.context };
        let this = Resolver { context, unheard: self.unheard };
        if !matches!(entry.value.value, Value::Map(_) | Value::Null) {
            let message = format!("a {what} is a map, found {}", entry.value.describe());
            context.error(entry.value.at, message, long_form::of_map(what, &entry.value));
            return;
        }
        let inherited = this.inherited(section, entry);
        let entries = inherited.clone().unwrap_or_else(|| entry.value.entries().iter().collect());
        let known = this.type_of(section, what, types, entry, &entries, inherited.is_some());
        let Some(of_type) = known.or_else(|| likely(types, entry, &entries)) else { return };
        let having = |key: &str| -> Vec<&'static str> {
            let having = types.iter().filter(|it| it.section.key(key).is_some());
            having.map(|it| it.word).collect()
        };
        // Where the type is not known, a key of any type may be right.
        let unknown = |inner: &&Entry| known.is_some() || having(&inner.key).is_empty();
        let judged: Vec<_> = entry.value.entries().iter().filter(unknown).cloned().collect();
        context.check_keys(&judged, &of_type.section, having);
        if known.is_some() {
            this.check_parent(section, what, entry, of_type.word);
        }
        let fields = Fields::new(context, &of_type.section, (&entry.key, of_type.word), entries, entry.key_at);
        take(of_type, &fields.with_defaults(of_type.defaults));
    }

    /// The type of a profile or monitor; `None` when it has none that is known, which is noted.
    fn type_of<R>(
        &self,
        section: &str,
        what: &str,
        types: &'static [&'static Type<R>],
        entry: &'a Entry,
        entries: &[&'a Entry],
        has_parents: bool,
    ) -> Option<&'static Type<R>> {
        let written = entries.iter().rev().find(|inner| inner.key == "type" && !inner.value.is_null());
        let word = match written {
            Some(written) => written.value.scalar().unwrap_or_default(),
            // What a parent that cannot be found would have said.
            None if !has_parents => return None,
            None => match self.context.document.default_type(section) {
                Some(default) => default.to_owned(),
                None => {
                    let names: Vec<_> = types.iter().map(|it| it.word).collect();
                    // The page of persistence profiles calls it so.
                    let other = entries.iter().find(|inner| plain(&inner.key) == "persistence-type");
                    let word = other.and_then(|inner| inner.value.scalar());
                    let help =
                        word.and_then(|word| elsewhere::for_value(types[0].section.name, "type", &word)).map_or_else(
                            || format!("there are: {}", names.join(", ")),
                            |help| help.replacen("write `", "write `type: ", 1),
                        );
                    let message = format!("{what} `{}` needs a `type`", entry.key);
                    self.context.error(entry.key_at, message, Some(help));
                    return None;
                }
            },
        };
        let known = types.iter().find(|it| it.word == word).copied();
        if let (None, Some(written)) = (known, written) {
            let of_first = &types[0].section;
            let fields = Fields::new(self.context, of_first, (&entry.key, ""), [*written], entry.key_at);
            if let Some(key) = of_first.key("type") {
                fields.wrong(key, &written.value);
            }
        }
        known
    }

    fn check_parent(&self, section: &str, what: &str, entry: &'a Entry, word: &str) {
        let Some(parent) = entry.value.entry("defaults-from") else { return };
        let name = parent.value.scalar().unwrap_or_default();
        let document = self.context.document;
        let Some(of) = document.named(section, &name).filter(|of| of.key != entry.key) else { return };
        if let Some(theirs) = document.type_of(section, of).filter(|theirs| theirs != word) {
            let message = format!("{what} `{}` is {word}, its parent `{name}` is {theirs}", entry.key);
            self.context.error(parent.value.at, message, None);
        }
    }

    /// Returns what a named entry has after inheritance; `None` when its chain is broken, which is noted.
    fn inherited(&self, section: &str, entry: &'a Entry) -> Option<Vec<&'a Entry>> {
        match self.context.document.inherited_by(section, entry) {
            Ok(inherited) => Some(inherited),
            Err(Broken::Unknown(parent, at)) => {
                self.context.unknown("parent", section, &parent, at);
                None
            }
            Err(Broken::TooLong(at)) => {
                let message = format!("defaults-from leads through more than {MOST_PARENTS} others");
                self.context.error(at, message, None);
                None
            }
            Err(Broken::Cycle(names, at)) => {
                let message = format!("defaults-from goes in a circle: {}", names.join(" -> "));
                self.context.error(at, message, None);
                None
            }
        }
    }

    /// Notes destinations that two enabled virtual servers cannot both listen on.
    fn check_destinations(&self, all: &BTreeMap<Name, Arc<VirtualServer>>) {
        let mut seen: HashMap<u16, Vec<&VirtualServer>> = HashMap::new();
        let document = self.context.document;
        for entry in document.section("virtual-servers") {
            // Of several with one name the last counts.
            let counts = document.named("virtual-servers", &entry.key).is_some_and(|last| std::ptr::eq(last, entry));
            let Some(this) = all.get(entry.key.as_str()).filter(|_| counts) else { continue };
            let Some(destination) = entry.value.entry("destination").map(|written| &written.value) else { continue };
            if this.state == AdminState::ForcedOffline || !self.context.is_good(destination) {
                continue;
            }
            let on_port = seen.entry(this.destination.port()).or_default();
            if let Some(other) = on_port.iter().find(|other| overlap(this.destination, other.destination)) {
                let message = format!(
                    "virtual server `{}` cannot listen on {}: `{}` listens on {}",
                    this.name, this.destination, other.name, other.destination
                );
                let help = "an address of its own for each, or another port".to_owned();
                let help = (this.destination != other.destination).then_some(help);
                self.context.error(destination.at, message, help);
            }
            on_port.push(this);
        }
    }
}

/// Returns the type that an entry probably has whose type is not known, for finding its other mistakes: the one whose
/// word is nearly written, or, where none is written, the first that has all of its keys that are keys of any type.
fn likely<R>(types: &'static [&'static Type<R>], entry: &Entry, entries: &[&Entry]) -> Option<&'static Type<R>> {
    let written = entries.iter().rev().find(|inner| inner.key == "type").and_then(|inner| inner.value.scalar());
    if let Some(word) = written {
        let key = types[0].section.key("type");
        let is_refused = key.is_some_and(|key| key.refused().iter().any(|(refused, _)| *refused == word));
        return types.iter().find(|it| !is_refused && is_near(&word, it.word)).copied();
    }
    let keys: Vec<_> = entry.value.entries().iter().map(|inner| inner.key.as_str()).collect();
    let (known, unknown): (Vec<&str>, Vec<&str>) =
        keys.into_iter().partition(|key| types.iter().any(|it| it.section.key(key).is_some()));
    let has_all = |it: &&&'static Type<R>| known.iter().all(|key| it.section.key(key).is_some());
    if known.len() > unknown.len() { types.iter().find(has_all).copied() } else { None }
}
