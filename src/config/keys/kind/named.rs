//! Names of profiles and pools, which become what they name.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::read::{Kind, Written, Wrong};
use crate::config::fields::Fields;
use crate::config::source::At;
use crate::config::tree::Node;
use crate::model::{LoadBalancing, Model, Name, Pool};

/// The name of a profile or monitor of one of these types; `none` is none.
pub(in crate::config::keys) struct Reference<T: 'static> {
    /// `profile` or `monitor`.
    pub what: &'static str,
    pub section: &'static str,
    pub types: &'static [&'static str],
    pub of: fn(&Model) -> &BTreeMap<Name, Arc<T>>,
    pub name: fn(&T) -> &Name,
}

impl<T> Reference<T> {
    /// Returns what has this name; `None` when nothing of the right type has it, which is noted at `at`.
    pub(in crate::config::keys) fn named(&self, name: &str, at: At, fields: &Fields<'_>) -> Option<Arc<T>> {
        let is_there = fields.context.has_reference(self.what, self.section, name, at, self.types);
        is_there.then(|| (self.of)(fields.context.model).get(name).cloned()).flatten()
    }
}

impl<T> Kind for Reference<T> {
    type Value = Option<Arc<T>>;

    fn describe(&self) -> String {
        format!("the name of a {}", self.what)
    }

    fn schema(&self) -> Json {
        json!({ "type": "string", "minLength": 1 })
    }

    fn read(&self, written: Written<'_>) -> Result<Self::Value, Wrong> {
        if written.node.is_none() {
            return Ok(None);
        }
        let name = written.node.scalar().ok_or(Wrong::Kind)?;
        self.named(&name, written.node.at, written.fields).ok_or(Wrong::Noted).map(Some)
    }

    fn absent(&self) -> Self::Value {
        None
    }

    fn tell(&self, value: &Self::Value) -> String {
        value.as_ref().map_or_else(|| "none".to_owned(), |it| (self.name)(it).to_string())
    }
}

/// The name of a pool.
#[derive(Clone, Copy)]
pub(in crate::config::keys) struct PoolReference;

impl Kind for PoolReference {
    type Value = Arc<Pool>;

    fn describe(&self) -> String {
        "the name of a pool".into()
    }

    fn is_absent(&self, node: &Node) -> bool {
        node.is_none()
    }

    fn schema(&self) -> Json {
        json!({ "type": "string", "minLength": 1 })
    }

    fn read(&self, written: Written<'_>) -> Result<Self::Value, Wrong> {
        let name = written.node.scalar().ok_or(Wrong::Kind)?;
        let context = written.fields.context;
        if !context.has_reference("pool", "pools", &name, written.node.at, &[]) {
            return Err(Wrong::Noted);
        }
        Ok(context.model.pools.get(name.as_str()).cloned().unwrap_or_else(|| self.absent()))
    }

    fn absent(&self) -> Self::Value {
        Arc::new(Pool::new(Name::from(""), LoadBalancing::RoundRobin, Vec::new()))
    }

    fn tell(&self, value: &Self::Value) -> String {
        value.name.to_string()
    }
}
