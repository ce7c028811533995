//! Ogg: pages, the first of which begin one stream each.

/// How the first page of a stream begins that is sound.
const SOUND: [&[u8]; 4] = [b"\x01vorbis", b"OpusHead", b"\x7fFLAC", b"Speex   "];
/// The same of streams that describe others, or are words.
const WORDS: [&[u8]; 3] = [b"fishead\0", b"\x80kate", b"CMML"];
/// The flag of a stream's first page.
const FIRST: u8 = 2;

/// Whether every stream that begins at the beginning is sound, or words beside it;
/// `false` where the first pages go on beyond the head.
pub(crate) fn is_sound_only(mut head: &[u8]) -> bool {
    let mut is_any_sound = false;
    loop {
        let Some((flags, body, rest)) = page(head) else {
            return false;
        };
        if flags & FIRST == 0 {
            return is_any_sound;
        }
        let begins = |kinds: &[&[u8]]| kinds.iter().any(|kind| body.starts_with(kind));
        if begins(&SOUND) {
            is_any_sound = true;
        } else if !begins(&WORDS) {
            return false;
        }
        head = rest;
    }
}

/// A page's flags, what is in it, and what follows.
fn page(head: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let rest = head.strip_prefix(b"OggS\0")?;
    let flags = *rest.first()?;
    let segments = usize::from(*rest.get(21)?);
    let sizes = rest.get(22..22 + segments)?;
    let size: usize = sizes.iter().map(|size| usize::from(*size)).sum();
    let body = rest.get(22 + segments..)?;
    Some((flags, body.get(..size)?, body.get(size..)?))
}
