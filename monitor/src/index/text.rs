//! Names of a million jobs in a few large pieces, without an allocation for each.

/// Bytes of one piece. A name is shorter.
const PIECE: usize = 1 << 20;
/// Longest name that is kept whole, in bytes.
const LONGEST: usize = 4096;
/// Longest reason of a failure that is kept, in characters.
const REASON: usize = 160;

/// Where a name lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// The piece and the place in it.
    at: u32,
    length: u16,
}

/// Names.
#[derive(Default)]
pub(super) struct Texts {
    pieces: Vec<String>,
    removed: usize,
}

impl Texts {
    /// Keeps a name, or the beginning of a name that is too long.
    pub(super) fn add(&mut self, text: &str) -> Text {
        let text = beginning(text);
        let is_full = |piece: &String| piece.len() + text.len() > PIECE;
        if self.pieces.last().is_none_or(is_full) {
            self.pieces.push(String::with_capacity(PIECE));
        }
        let nth = self.pieces.len() - 1;
        let piece = &mut self.pieces[nth];
        let at = nth * PIECE + piece.len();
        piece.push_str(text);
        Text {
            at: u32::try_from(at).expect("names of fewer than 4 GiB"),
            length: u16::try_from(text.len()).expect("cut above"),
        }
    }

    pub(super) fn get(&self, text: Text) -> &str {
        let at = text.at as usize;
        let from = at % PIECE;
        &self.pieces[at / PIECE][from..from + usize::from(text.length)]
    }

    /// Removes a name.
    pub(super) fn remove(&mut self, text: Text) {
        self.removed += usize::from(text.length);
    }

    #[cfg(test)]
    pub(super) fn pieces(&self) -> usize {
        self.pieces.len()
    }

    /// Whether most of the memory holds removed names.
    pub(super) fn is_wasteful(&self) -> bool {
        self.removed > PIECE && 2 * self.removed > self.pieces.len() * PIECE
    }
}

/// As much of a name as is kept.
fn beginning(text: &str) -> &str {
    let end = (0..=LONGEST.min(text.len())).rfind(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

/// A reason, short enough to be kept for many jobs.
pub(super) fn shortened(reason: &str) -> String {
    reason.chars().take(REASON).collect()
}
