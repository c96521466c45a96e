//! Noticing at once that a member is gone: a client's connection fails as it does when a process dies, and then its
//! port refuses connections.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::assignment::Assignment;
use super::probe::refusal;
use crate::pool::PassiveEvent;

/// What a client's connection says against its member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hint {
    /// It ended as it does when a member dies. That may be its client's doing.
    Ended,
    /// It could not be made.
    Failed,
    /// It could not be made, or its session was not opened, as no answer came.
    TimedOut,
}

/// Waits until a client's connection goes as it does when a member dies or hangs.
pub(super) async fn hint(served: &mut Receiver<PassiveEvent>) -> Hint {
    loop {
        match served.recv().await {
            Ok(PassiveEvent::Lost) => return Hint::Ended,
            Ok(PassiveEvent::Failed(_)) => return Hint::Failed,
            Ok(PassiveEvent::TimedOut(_) | PassiveEvent::Hanging) => return Hint::TimedOut,
            Ok(PassiveEvent::Silent(_)) | Err(RecvError::Lagged(_)) => {}
            // The member outlives its monitors.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// Returns why nothing listens on the member's port any more, if so. That is no slow answer which might yet come, so
/// the timeout need not pass. A process that is killed loses its connections and its ports one after the other, so this
/// looks several times: at once, as its clients come back at once.
pub(super) async fn is_gone(assignment: &Assignment) -> Option<String> {
    for pause in LOOKS {
        tokio::time::sleep(pause).await;
        if let Some(reason) = all_refuse(assignment).await {
            return Some(reason);
        }
    }
    None
}

async fn all_refuse(assignment: &Assignment) -> Option<String> {
    let mut gone = None;
    for address in assignment.node.addresses().iter() {
        let address = SocketAddr::new(*address, assignment.member.port);
        gone = Some(refusal(address, assignment.probe_limit()).await?);
    }
    gone
}

/// The pauses before each look.
const LOOKS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(20), Duration::from_millis(100)];
