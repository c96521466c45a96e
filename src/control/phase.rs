//! The phases of the process: starting, serving, draining, stopped.

use tokio::sync::watch;

/// The phase of the process. It only moves forward.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The first configuration is being prepared; nothing listens yet.
    #[default]
    Starting,
    Serving,
    /// pronk was asked to stop: nothing listens, and connections go on until they end or the drain time is over.
    Draining,
    /// The drain is over, and the process ends.
    Stopped,
}

impl Phase {
    pub const ALL: [Self; 4] = [Self::Starting, Self::Serving, Self::Draining, Self::Stopped];

    /// Returns the word for logs, the service manager and `pronk show map`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Serving => "serving",
            Self::Draining => "draining",
            Self::Stopped => "stopped",
        }
    }

    /// Moves forward to `next`, and never back.
    pub(super) fn advance(phase: &watch::Sender<Self>, next: Self) {
        let moved = phase.send_if_modified(|current| {
            let moves = next > *current;
            *current = next.max(*current);
            moves
        });
        if moved {
            tracing::debug!(phase = next.as_str(), "phase");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_only_move_forward() {
        let phase = watch::Sender::new(Phase::default());
        let mut orders = fastrand::Rng::with_seed(7);
        for _ in 0..100 {
            let (before, next) = (*phase.borrow(), Phase::ALL[orders.usize(..4)]);
            Phase::advance(&phase, next);
            assert_eq!(*phase.borrow(), before.max(next));
        }
    }
}
