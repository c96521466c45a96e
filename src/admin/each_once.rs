//! What is told of a pool, made once however many virtual servers share the pool.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::Name;
use crate::pool::Pool;

/// What is told of each pool, made once however many virtual servers share it.
pub(super) struct EachOnce<T>(HashMap<Name, (Arc<Pool>, T)>);

impl<T> Default for EachOnce<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Clone> EachOnce<T> {
    /// Returns what is told of a pool, which is made if it is not known. A reload may replace the pool while virtual
    /// servers are asked one after the other.
    pub(super) fn of(&mut self, pool: &Arc<Pool>, make: impl FnOnce(&Pool) -> T) -> T {
        match self.0.get(&pool.config.name) {
            Some((known, told)) if Arc::ptr_eq(known, pool) => told.clone(),
            _ => {
                let told = make(pool);
                self.0.insert(pool.config.name.clone(), (Arc::clone(pool), told.clone()));
                told
            }
        }
    }
}
