//! What administrators set while pronk runs: changing it and listing it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answers::AskedProcess;
use super::caller::Caller;
use super::drains::{DrainQuery, ListedDrain};
use super::other_processes::Reply;
use crate::cert::date;
use crate::control::{Administered, Change, Entry, Handle, Request, TargetKind};
use crate::model::{AdminState, SetBy};

/// A change, as the query of a request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SetQuery {
    #[schemars(extend("enum" = ["node", "member", "virtual-server"]))]
    kind: String,
    /// Of a member `node:port`, or `pool/node:port` where several pools have it.
    name: String,
    /// Either this or a ratio.
    #[schemars(extend("enum" = ["enabled", "disabled", "forced-offline"]))]
    state: Option<String>,
    #[schemars(range(min = 1, max = 65535))]
    ratio: Option<u32>,
    /// Forget it when pronk starts again.
    #[serde(default)]
    until_restart: bool,
}

/// What is to be as the configuration says again; without a kind and a name everything.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClearQuery {
    #[schemars(extend("enum" = ["node", "member", "virtual-server"]))]
    kind: Option<String>,
    /// Of a member `node:port`, or `pool/node:port` where several pools have it.
    name: Option<String>,
}

/// What is set, one row a value.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct AdministrativeChanges {
    pub changes: Vec<AdministrativeChange>,
    /// What is being drained.
    pub drains: Vec<ListedDrain>,
    /// Processes that drain after an upgrade, whose drains are listed too.
    #[serde(default)]
    pub processes: Vec<AskedProcess>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct AdministrativeChange {
    /// node, member or virtual-server.
    pub kind: String,
    pub name: String,
    pub state: Option<String>,
    pub ratio: Option<u32>,
    pub who: String,
    /// As in `2027-02-03T04:05:06Z`.
    pub when: String,
    pub why: Option<String>,
    /// Whether it is forgotten when pronk starts again.
    pub until_restart: bool,
}

/// What was changed.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Changed {
    /// Each as in `member pool/node:port`.
    pub targets: Vec<String>,
    /// Why it is not kept for the next start, if it should be.
    pub not_kept: Option<String>,
    /// Processes that drain after an upgrade, in which it was changed too.
    #[serde(default)]
    pub processes: Vec<AskedProcess>,
}

impl From<Administered> for Changed {
    fn from(administered: Administered) -> Self {
        let targets = administered.targets.iter().map(ToString::to_string).collect();
        Self { targets, not_kept: administered.not_kept, processes: Vec::new() }
    }
}

impl AdministrativeChanges {
    pub(super) fn of(handle: &Handle) -> Self {
        let row = |Entry { target, change, by }: Entry| {
            let (state, ratio) = match change {
                Change::State(state) => (Some(state.as_str().to_owned()), None),
                Change::Ratio(ratio) => (None, Some(ratio)),
            };
            AdministrativeChange {
                kind: target.kind().as_str().to_owned(),
                name: target.name(),
                state,
                ratio,
                who: by.who.clone(),
                when: date::instant(by.when),
                why: by.why.clone(),
                until_restart: by.until_restart,
            }
        };
        let changes = handle.administration().entries().map(row).collect();
        Self { changes, drains: ListedDrain::all(handle), processes: Vec::new() }
    }

    /// Adds what is drained in other processes.
    pub(super) fn with(mut self, replies: Vec<Reply<Self>>) -> Self {
        self.processes = replies.iter().map(|reply| reply.told(|_| None)).collect();
        for other in replies.into_iter().filter_map(|reply| reply.answer.ok()) {
            ListedDrain::add(&mut self.drains, other.drains);
        }
        self
    }
}

impl SetQuery {
    /// Returns the request of whoever asks.
    ///
    /// # Errors
    /// What is wrong with the query.
    pub(super) fn request(self, caller: Caller, now: i64) -> Result<Request, String> {
        let change = match (&self.state, self.ratio) {
            (Some(state), None) => Change::State(state_of(state)?),
            (None, Some(ratio @ 1..=65535)) => Change::Ratio(ratio),
            (None, Some(ratio)) => return Err(format!("a ratio is from 1 to 65535, found {ratio}")),
            (None, None) | (Some(_), Some(_)) => return Err("name a state or a ratio".to_owned()),
        };
        let by = SetBy { who: caller.who, when: now, why: caller.why, until_restart: self.until_restart };
        Ok(Request::Set { kind: kind_of(&self.kind)?, name: self.name, change, by })
    }
}

impl DrainQuery {
    /// Returns the request of whoever asks.
    ///
    /// # Errors
    /// What is wrong with the query.
    pub(super) fn request_of(self, caller: Caller, now: i64) -> Result<Request, String> {
        let by = SetBy { who: caller.who, when: now, why: caller.why, until_restart: self.until_restart };
        let kind = kind_of(&self.kind)?;
        self.request(kind, by)
    }
}

impl ClearQuery {
    /// Returns the request of whoever asks.
    ///
    /// # Errors
    /// What is wrong with the query.
    pub(super) fn request(self, caller: Caller) -> Result<Request, String> {
        let target = match (self.kind, self.name) {
            (Some(kind), Some(name)) => Some((kind_of(&kind)?, name)),
            (None, None) => None,
            _ => return Err("name both a kind and a name, or neither".to_owned()),
        };
        Ok(Request::Clear { target, who: caller.who })
    }
}

pub(super) fn kind_of(text: &str) -> Result<TargetKind, String> {
    let kind = TargetKind::ALL.into_iter().find(|kind| kind.as_str() == text);
    kind.ok_or_else(|| format!("a kind is node, member or virtual-server, found `{text}`"))
}

fn state_of(text: &str) -> Result<AdminState, String> {
    let state = AdminState::ALL.into_iter().find(|state| state.as_str() == text);
    state.ok_or_else(|| format!("a state is enabled, disabled or forced-offline, found `{text}`"))
}
