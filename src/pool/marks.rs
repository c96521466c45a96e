//! Which members of a pool may have changed since a choice last looked at them.

use super::atomic::{AtomicBool, AtomicU32, Mutex, Ordering, fence};

/// Which members of a pool may have changed since a choice last looked at them, by their positions in the table of
/// choices. Whoever changes a member marks it afterwards, and only then wakes those who wait. Each mark holds the lock
/// for an instant, and takes none where nobody asks for marks.
#[derive(Debug, Default)]
pub(super) struct Marks {
    is_asked: AtomicBool,
    marked: Mutex<Marked>,
}

#[derive(Debug, Default)]
struct Marked {
    /// Of each position.
    is_marked: Vec<bool>,
    positions: Vec<u32>,
    /// Whether choices go by the number of persistence records.
    records_matter: bool,
}

/// A change that was made: whoever begins to ask for marks and cannot be told of it sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Changed(());

impl Changed {
    /// Is for whatever this thread changed before.
    pub(super) fn now() -> Self {
        // Between the change and the look whether anybody asks; `restart` has the same the other way round.
        fence(Ordering::SeqCst);
        Self(())
    }

    /// Is for what is changed under the turnstile's lock, where nobody else begins to ask.
    pub(super) fn in_turn(_: &mut u64) -> Self {
        Self(())
    }
}

impl Marks {
    /// Gives the members positions in this order, and forgets all marks. From here on the changes of these members are
    /// marked, so whoever looks at all of them next misses none. Without members nothing is marked.
    pub(super) fn restart<'a>(&self, members: impl Iterator<Item = &'a AtomicU32>, records_matter: bool) {
        let mut marked = self.marked.lock();
        let mut count = 0;
        for position in members {
            position.store(count, Ordering::Relaxed);
            count += 1;
        }
        *marked = Marked { is_marked: vec![false; count as usize], positions: Vec::new(), records_matter };
        self.is_asked.store(count > 0, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// Marks the member that has this position. One that the table does not have marks another one, or nothing.
    pub(super) fn mark(&self, position: &AtomicU32, _: Changed) {
        if self.is_asked.load(Ordering::Relaxed) {
            self.marked.lock().mark(position);
        }
    }

    /// Marks a member of which the number of persistence records has changed.
    pub(super) fn mark_records(&self, position: &AtomicU32, _: Changed) {
        if self.is_asked.load(Ordering::Relaxed) {
            let mut marked = self.marked.lock();
            if marked.records_matter {
                marked.mark(position);
            }
        }
    }

    /// Replaces the contents of `positions` with what is marked, and forgets all marks.
    pub(super) fn take(&self, positions: &mut Vec<u32>) {
        positions.clear();
        let Marked { is_marked, positions: marked, .. } = &mut *self.marked.lock();
        std::mem::swap(marked, positions);
        positions.iter().for_each(|position| is_marked[*position as usize] = false);
    }
}

impl Marked {
    fn mark(&mut self, position: &AtomicU32) {
        // Under the lock, as `restart` changes it.
        let position = position.load(Ordering::Relaxed);
        if let Some(is_marked @ false) = self.is_marked.get_mut(position as usize) {
            *is_marked = true;
            self.positions.push(position);
        }
    }
}
