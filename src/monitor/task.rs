//! The task of one monitor on one member.

use std::convert::Infallible;
use std::sync::Arc;

use super::assignment::Assignment;
use super::kind::Method;
use super::{active, inband};

/// Monitors a member for as long as its task runs.
pub async fn run(assignment: Arc<Assignment>) -> Infallible {
    match Method::of(&assignment) {
        Method::Active(probe) => active::run(&assignment, probe).await,
        Method::Inband(config) => inband::run(&assignment, config).await,
    }
}
