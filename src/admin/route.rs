//! A route: what is asked for, who may ask, and what is answered. The router, the authorization and the OpenAPI document
//! are made from the same rows, so that they cannot differ.

use axum::handler::Handler;
use axum::http::{Method, StatusCode};
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::parameters::{self, NoParameters};
use super::state::ApiState;
use crate::access::Role;

/// Who may ask for something over the network. The admin socket lets in whom its mode does, and they may do all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Whoever can connect, without a token.
    Anyone,
    /// Viewers, or anyone if the configuration says so (`metrics-without-token`).
    Metrics,
    /// Tokens of this role, and of those that may do more.
    Role(Role),
}

/// A route of the API.
pub(super) struct Route {
    pub method: Method,
    pub path: &'static str,
    pub access: Access,
    /// What it does, as a sentence.
    pub summary: &'static str,
    pub parameters: fn() -> Schema,
    pub answer: Content,
    /// Further codes with which the same is answered.
    pub also_with: &'static [StatusCode],
    /// The refusals of its own, besides those that every route has.
    pub refusals: &'static [StatusCode],
    pub serve: MethodRouter<ApiState>,
}

/// What is answered with 200.
#[derive(Clone, Copy)]
pub(super) enum Content {
    Json(fn(&mut SchemaGenerator) -> Schema),
    /// Text of one of these media types.
    Text(&'static [&'static str]),
}

impl Route {
    /// Returns a route that shows something, to viewers.
    pub(super) fn get(path: &'static str, summary: &'static str) -> Self {
        Self::new(Method::GET, path, summary, Role::Viewer)
    }

    /// Returns a route that changes something, for administrators.
    pub(super) fn post(path: &'static str, summary: &'static str) -> Self {
        Self::new(Method::POST, path, summary, Role::Admin)
    }

    fn new(method: Method, path: &'static str, summary: &'static str, role: Role) -> Self {
        Self {
            method,
            path,
            access: Access::Role(role),
            summary,
            parameters: parameters::schema::<NoParameters>,
            answer: Content::Text(&["text/plain"]),
            also_with: &[],
            refusals: &[],
            serve: MethodRouter::new(),
        }
    }

    /// Says who may ask for it.
    pub(super) fn access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    /// Says which role may ask for it.
    pub(super) fn role(self, role: Role) -> Self {
        self.access(Access::Role(role))
    }

    /// Says which parameters it has.
    pub(super) fn parameters<T: JsonSchema>(self) -> Self {
        Self { parameters: parameters::schema::<T>, ..self }
    }

    /// Says what it answers, as JSON.
    pub(super) fn answers<T: JsonSchema>(self) -> Self {
        Self { answer: Content::Json(SchemaGenerator::subschema_for::<T>), ..self }
    }

    /// Says of which media types the text may be that it answers.
    pub(super) fn answers_text(self, media_types: &'static [&'static str]) -> Self {
        Self { answer: Content::Text(media_types), ..self }
    }

    /// Says with which further codes the same is answered.
    pub(super) fn also_with(self, codes: &'static [StatusCode]) -> Self {
        Self { also_with: codes, ..self }
    }

    /// Says which refusals of its own it has.
    pub(super) fn refuses(self, refusals: &'static [StatusCode]) -> Self {
        Self { refusals, ..self }
    }

    /// Says which function answers it.
    pub(super) fn by<H: Handler<T, ApiState>, T: 'static>(self, handler: H) -> Self {
        let filter = if self.writes() { MethodFilter::POST } else { MethodFilter::GET };
        Self { serve: on(filter, handler), ..self }
    }

    /// Returns whether it changes something: then it is in the audit log.
    pub(super) fn writes(&self) -> bool {
        self.method != Method::GET
    }
}
