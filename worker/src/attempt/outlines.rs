//! The outlines of remote sources that this worker has read: the parts of a split film need the same one, part by part.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use common::job::input::Input;

/// The longest outline that is kept, in bytes: tables of some hours. A longer one is read again for each part, which is
/// little beside its film.
const MOST_BYTES: usize = 16 << 20;

/// Bytes of a file, and their place.
pub type Stretch = (Range<u64>, Vec<u8>);

/// The outline that was read last.
#[derive(Default)]
pub struct Outlines(Mutex<Option<(Input, Arc<Vec<Stretch>>)>>);

impl Outlines {
    /// The outline of this version of a source, if it is known.
    pub fn of(&self, source: &Input) -> Option<Arc<Vec<Stretch>>> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, outline) = last.as_ref().filter(|(known, _)| known == source)?;
        Some(Arc::clone(outline))
    }

    /// Keeps an outline instead of the one before, unless it is too long.
    pub fn keep(&self, source: &Input, outline: &Arc<Vec<Stretch>>) {
        let bytes: usize = outline.iter().map(|(_, bytes)| bytes.len()).sum();
        if bytes <= MOST_BYTES {
            let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *last = Some((source.clone(), Arc::clone(outline)));
        }
    }
}

#[cfg(test)]
mod tests {
    use common::recipe::Choice;
    use common::recipe::encoder::Codec;
    use common::testing;

    use super::*;

    #[test]
    fn only_the_last_outline_is_kept_and_none_that_is_long() {
        let first = testing::job(Choice::Codec(Codec::Hevc), 10).input;
        let changed = Input {
            version: "another".to_owned(),
            ..first.clone()
        };
        let outline = |bytes| Arc::new(vec![(0..bytes as u64, vec![0; bytes])]);
        let outlines = Outlines::default();
        outlines.keep(&first, &outline(7));
        assert_eq!(outlines.of(&first), Some(outline(7)));
        assert_eq!(outlines.of(&changed), None);
        outlines.keep(&changed, &outline(MOST_BYTES + 1));
        assert_eq!(outlines.of(&first), Some(outline(7)));
        outlines.keep(&changed, &outline(9));
        assert_eq!(outlines.of(&first), None);
    }
}
