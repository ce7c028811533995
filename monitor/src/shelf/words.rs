//! Words that many files share, each kept once.

use std::collections::HashMap;
use std::sync::Arc;

/// Words by small numbers; 0 stands for none.
#[derive(Default)]
pub(super) struct Words {
    words: Vec<Arc<str>>,
    ids: HashMap<Arc<str>, u32>,
}

impl Words {
    /// The number of a word. A new word gets a new number.
    pub(super) fn id(&mut self, word: Option<&str>) -> u32 {
        let Some(word) = word else {
            return 0;
        };
        if let Some(id) = self.ids.get(word) {
            return *id;
        }
        let word: Arc<str> = word.into();
        self.words.push(Arc::clone(&word));
        let id = u32::try_from(self.words.len()).expect("fewer words than files");
        self.ids.insert(word, id);
        id
    }

    /// The word of a number.
    pub(super) fn get(&self, id: u32) -> Option<&str> {
        let at = (id as usize).checked_sub(1)?;
        self.words.get(at).map(|word| &**word)
    }

    /// The number of a word that is known.
    pub(super) fn known(&self, word: &str) -> Option<u32> {
        self.ids.get(word).copied()
    }
}
