//! Waiting for a member's service-down action: what is done with its connections when it goes down or is removed.

use std::future::pending;

use tokio::sync::watch;

use crate::model::ServiceDownAction;

/// Waits until an action is due for a member's connections, and returns it.
pub(super) async fn action_due(mut due: watch::Receiver<ServiceDownAction>) -> ServiceDownAction {
    let action = due.wait_for(|action| *action != ServiceDownAction::None).await.map(|action| *action);
    match action {
        Ok(action) => action,
        // The member's state outlives its connections, as their guards hold it.
        Err(_) => pending().await,
    }
}
