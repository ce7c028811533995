//! Values that many jobs share, each kept once.

use std::collections::HashMap;
use std::hash::Hash;

/// Values by small numbers.
pub(super) struct Interner<T> {
    values: Vec<T>,
    ids: HashMap<T, u32>,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            ids: HashMap::new(),
        }
    }
}

impl<T: Clone + Eq + Hash> Interner<T> {
    /// The number of a value. A new value gets a new number.
    pub(super) fn id(&mut self, value: &T) -> u32 {
        if let Some(id) = self.ids.get(value) {
            return *id;
        }
        let id = u32::try_from(self.values.len()).expect("fewer values than jobs");
        self.values.push(value.clone());
        self.ids.insert(value.clone(), id);
        id
    }

    /// The number of a value that was met before.
    pub(super) fn known(&self, value: &T) -> Option<u32> {
        self.ids.get(value).copied()
    }

    /// The value of a number.
    pub(super) fn get(&self, id: u32) -> &T {
        &self.values[id as usize]
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// The values, by their numbers.
    pub(super) fn values(&self) -> &[T] {
        &self.values
    }
}
