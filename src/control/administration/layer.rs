//! Administrative states and ratios that were set while running, as a layer over the configuration. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::change::Change;
use super::request::Request;
use super::target::{NotFound, Target, TargetKind};
use crate::model::{AdminState, Member, Model, Name, Node, Pool, SetBy, VirtualServer};

/// What administrators set while pronk runs. It counts more than the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Administration(BTreeMap<Target, Setting>);

/// What is set of one target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Setting {
    state: Option<(AdminState, Arc<SetBy>)>,
    ratio: Option<(u32, Arc<SetBy>)>,
}

/// One value that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub target: Target,
    pub change: Change,
    pub by: Arc<SetBy>,
}

impl Administration {
    /// Returns every value that is set, by target.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        self.0.iter().flat_map(|(target, setting)| {
            let entry = |change, by: &Arc<SetBy>| Entry { target: target.clone(), change, by: Arc::clone(by) };
            let state = setting.state.iter().map(move |(state, by)| entry(Change::State(*state), by));
            state.chain(setting.ratio.iter().map(move |(ratio, by)| entry(Change::Ratio(*ratio), by)))
        })
    }

    /// Makes a change that an administrator asks for. Returns what it is for. With `every_pool` a member without its pool
    /// is that of each pool that has it.
    ///
    /// # Errors
    /// There is nothing of that name in the configuration, or several of them.
    pub(in crate::control) fn change(
        &mut self,
        request: Request,
        configured: &Model,
        every_pool: bool,
    ) -> Result<Vec<Target>, NotFound> {
        match request {
            Request::Set { kind, name, change, by } => {
                let targets = Target::find(configured, kind, &name, every_pool)?;
                if kind == TargetKind::VirtualServer && !change.is_state() {
                    return Err(NotFound::Unclear("a virtual server has no ratio".to_owned()));
                }
                let by = Arc::new(by);
                for target in &targets {
                    let (who, why) = (&by.who, &by.why);
                    tracing::info!(%target, change = %change, %who, why, "administrative change");
                    self.set(Entry { target: target.clone(), change, by: Arc::clone(&by) }, configured);
                }
                Ok(targets)
            }
            Request::Drain { kind, name, by, .. } => {
                let change = Change::State(AdminState::ForcedOffline);
                self.change(Request::Set { kind, name, change, by }, configured, every_pool)
            }
            Request::Clear { target: None, who } => {
                tracing::info!(%who, "administrative changes are cleared");
                Ok(self.clear(None))
            }
            Request::Clear { target: Some((kind, name)), who } => {
                // What is set may be of something that the configuration has no more.
                let known = Target::parse(kind, &name).filter(|target| self.0.contains_key(target));
                let found =
                    known.map_or_else(|| Target::find(configured, kind, &name, every_pool), |target| Ok(vec![target]));
                let cleared = |target| {
                    tracing::info!(%target, %who, "administrative changes are cleared");
                    self.clear(Some(&target))
                };
                Ok(found?.into_iter().flat_map(cleared).collect())
            }
        }
    }

    /// Sets a value. What the configuration says without this layer needs no entry.
    pub(in crate::control) fn set(&mut self, entry: Entry, configured: &Model) {
        let Entry { target, change, by } = entry;
        let is_configured = configured_as(configured, &target, change);
        let setting = self.0.entry(target).or_default();
        match change {
            Change::State(state) => setting.state = (!is_configured).then_some((state, by)),
            Change::Ratio(ratio) => setting.ratio = (!is_configured).then_some((ratio, by)),
        }
        self.0.retain(|_, setting| *setting != Setting::default());
    }

    /// Forgets what is set of a target, or all. Returns whose values were forgotten.
    pub(in crate::control) fn clear(&mut self, target: Option<&Target>) -> Vec<Target> {
        let cleared = self.0.extract_if(.., |known, _| target.is_none_or(|target| target == known));
        cleared.map(|(target, _)| target).collect()
    }

    /// Returns the configuration with what is set.
    pub(in crate::control) fn apply(&self, mut model: Model) -> Model {
        if self.0.is_empty() {
            return model;
        }
        for node in model.nodes.values_mut() {
            *node = self.node(node);
        }
        for pool in model.pools.values_mut() {
            let members: Vec<_> = pool.members.iter().map(|member| self.member(&pool.name, member)).collect();
            if members != pool.members {
                *pool = Arc::new(Pool { members, ..Pool::clone(pool) });
            }
        }
        for server in model.virtual_servers.values_mut() {
            let pool = model.pools.get(&server.pool.name).unwrap_or(&server.pool);
            let (state, state_set_by) = self.state_of(&Target::VirtualServer(server.name.clone()), server.state);
            if state_set_by.is_some() || !Arc::ptr_eq(pool, &server.pool) {
                let pool = Arc::clone(pool);
                *server = Arc::new(VirtualServer { pool, state, state_set_by, ..VirtualServer::clone(server) });
            }
        }
        model
    }

    fn node(&self, node: &Arc<Node>) -> Arc<Node> {
        let target = Target::Node(node.name.clone());
        let Some(setting) = self.0.get(&target) else { return Arc::clone(node) };
        let (state, state_set_by) = self.state_of(&target, node.state);
        let ratio = setting.ratio.as_ref().map_or(node.ratio, |(ratio, _)| *ratio);
        Arc::new(Node { state, state_set_by, ratio, ..Node::clone(node) })
    }

    fn member(&self, pool: &Name, member: &Arc<Member>) -> Arc<Member> {
        let target = Target::Member { pool: pool.clone(), member: member.key() };
        let node = self.node(&member.node);
        let setting = self.0.get(&target);
        if setting.is_none() && Arc::ptr_eq(&node, &member.node) {
            return Arc::clone(member);
        }
        let (state, state_set_by) = self.state_of(&target, member.state);
        let set = setting.and_then(|setting| setting.ratio.clone());
        let (ratio, ratio_set_by) = set.map_or((member.ratio, None), |(ratio, by)| (ratio, Some(by)));
        Arc::new(Member { node, state, state_set_by, ratio, ratio_set_by, ..Member::clone(member) })
    }

    fn state_of(&self, target: &Target, configured: AdminState) -> (AdminState, Option<Arc<SetBy>>) {
        let set = self.0.get(target).and_then(|setting| setting.state.clone());
        set.map_or((configured, None), |(state, by)| (state, Some(by)))
    }
}

fn configured_as(model: &Model, target: &Target, change: Change) -> bool {
    let (state, ratio) = match target {
        Target::Node(name) => model.nodes.get(name).map(|node| (node.state, Some(node.ratio))),
        Target::VirtualServer(name) => model.virtual_servers.get(name).map(|it| (it.state, None)),
        Target::Member { pool, member } => {
            let member = model.pools.get(pool).and_then(|pool| pool.member(member));
            member.map(|member| (member.state, Some(member.ratio)))
        }
    }
    .unzip();
    match change {
        Change::State(wanted) => state == Some(wanted),
        Change::Ratio(wanted) => ratio.flatten() == Some(wanted),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config;
    use crate::control::administration::state_file;

    const FILE: &str = "
nodes: { n1: { address: 10.0.0.1 }, n2: { address: 10.0.0.2, state: disabled, ratio: 3 } }
pools: { a: { members: ['n1:1', 'n2:1'] }, b: { members: ['n1:1', { member: 'n2:2', ratio: 2, state: forced-offline }] } }
virtual-servers:
  x: { destination: 10.9.9.9:1, pool: a }
  y: { destination: 10.9.9.9:2, pool: b, state: disabled }
";

    fn by(who: &str) -> SetBy {
        SetBy { who: who.into(), when: 7, why: None, until_restart: false }
    }

    /// What a configuration says of a target.
    fn value(model: &Model, target: &Target) -> (AdminState, Option<u32>) {
        match target {
            Target::Node(name) => (model.nodes[name].state, Some(model.nodes[name].ratio)),
            Target::VirtualServer(name) => (model.virtual_servers[name].state, None),
            Target::Member { pool, member } => {
                let member = model.pools[pool].member(member).unwrap();
                (member.state, Some(member.ratio))
            }
        }
    }

    /// Random changes, against a list of what was set last of each target.
    #[test]
    fn last_value_that_was_set_counts_and_everything_else_is_as_configured() {
        let configured = config::parse("", FILE, Path::new("/")).unwrap().model;
        let named = |kind, name: &str| Target::find(&configured, kind, name, false).unwrap().remove(0);
        let all: Vec<_> = ["n1", "n2"]
            .map(|name| named(TargetKind::Node, name))
            .into_iter()
            .chain(["a/n1:1", "a/n2:1", "b/n1:1", "b/n2:2"].map(|name| named(TargetKind::Member, name)))
            .chain(["x", "y"].map(|name| named(TargetKind::VirtualServer, name)))
            .collect();
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut administration = Administration::default();
            let mut expected: BTreeMap<_, _> =
                all.iter().map(|target| (target.clone(), value(&configured, target))).collect();
            for _ in 0..random.usize(..20) {
                let target = random.choice(&all).unwrap().clone();
                let (kind, name) = (target.kind(), target.name());
                let as_configured = value(&configured, &target);
                let now = expected.get_mut(&target).unwrap();
                let request = match random.u8(..4) {
                    0 => {
                        *now = as_configured;
                        Request::Clear { target: Some((kind, name)), who: "w".into() }
                    }
                    1 if now.1.is_some() => {
                        let ratio = random.u32(1..4);
                        now.1 = Some(ratio);
                        Request::Set { kind, name, change: Change::Ratio(ratio), by: by("w") }
                    }
                    _ => {
                        let state = *random.choice(&AdminState::ALL).unwrap();
                        now.0 = state;
                        Request::Set { kind, name, change: Change::State(state), by: by("w") }
                    }
                };
                administration.change(request, &configured, false).unwrap();
            }
            let model = administration.apply(configured.clone());
            for (target, expected) in &expected {
                assert_eq!(value(&model, target), *expected, "{seed}: {target}");
            }
            for (name, pool) in &model.pools {
                assert!(
                    pool.members.iter().all(|member| model.nodes[&member.node.name] == member.node),
                    "{seed}: {name}"
                );
            }
            for server in model.virtual_servers.values() {
                assert!(Arc::ptr_eq(&server.pool, &model.pools[&server.pool.name]), "{seed}: one pool, one Arc");
            }
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("state/file.json");
            state_file::write(&path, &administration).unwrap();
            assert_eq!(state_file::read(&path).unwrap(), administration, "{seed}");
            administration.clear(None);
            assert_eq!(administration.apply(configured.clone()), configured);
        }
    }
}
