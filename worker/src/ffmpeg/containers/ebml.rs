//! EBML, the binary form of Matroska: elements with an identifier, a size and data.

use std::ops::Range;

/// An element within bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Element {
    /// The identifier with its marker bits, such as `0x1654AE6B` for tracks.
    pub id: u32,
    /// The position of the size.
    pub size_at: Range<usize>,
    /// The size of the data in bytes. `None` if the file does not say.
    pub size: Option<u64>,
    /// The position of the data, cut at the end of the bytes.
    pub data: Range<usize>,
}

/// The element that begins at `at`. `None` if there is none.
pub(crate) fn element(bytes: &[u8], at: usize) -> Option<Element> {
    let (id, size_at) = number(bytes, at, 4, false)?;
    let (size, data_at) = number(bytes, size_at, 8, true)?;
    // A size of all ones means unknown.
    let size = Some(size).filter(|size| *size != (1 << (7 * (data_at - size_at))) - 1);
    let end = size
        .and_then(|size| usize::try_from(size).ok()?.checked_add(data_at))
        .unwrap_or(usize::MAX);
    Some(Element {
        id: u32::try_from(id).ok()?,
        size_at: size_at..data_at,
        size,
        data: data_at..end.min(bytes.len()),
    })
}

/// The elements within a range of bytes, one after the other.
pub(crate) fn elements(bytes: &[u8], within: Range<usize>) -> impl Iterator<Item = Element> {
    let bytes = &bytes[..within.end.min(bytes.len())];
    let mut at = within.start;
    std::iter::from_fn(move || {
        let found = element(bytes, at)?;
        at = found.data.end;
        Some(found)
    })
}

/// A number and the position of its end. The leading zeros of the first byte give the length in bytes.
fn number(bytes: &[u8], at: usize, longest: usize, strip: bool) -> Option<(u64, usize)> {
    let first = *bytes.get(at)?;
    let length = first.leading_zeros() as usize + 1;
    let all = bytes.get(at..at.checked_add(length)?)?;
    if length > longest {
        return None;
    }
    let marker = if strip { 0x80u8 >> (length - 1) } else { 0 };
    let value = all[1..]
        .iter()
        .fold(u64::from(first & !marker), |value, byte| {
            value << 8 | u64::from(*byte)
        });
    Some((value, at + length))
}

/// A size, written in this many bytes. `None` if it does not fit.
pub(crate) fn size(value: usize, bytes: usize) -> Option<Vec<u8>> {
    let value = u64::try_from(value).ok()?;
    // A size of all ones is reserved.
    if bytes == 0 || bytes > 8 || value >= (1 << (7 * bytes)) - 1 {
        return None;
    }
    let marked = value | 1 << (7 * bytes);
    Some(marked.to_be_bytes()[8 - bytes..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_found_and_a_cut_one_ends_with_the_bytes() {
        // Language, "por", and then a title that is cut.
        let bytes = b"\x22\xB5\x9C\x83por\x53\x6E\x40\x05ab";
        let found: Vec<Element> = elements(bytes, 0..bytes.len()).collect();
        assert_eq!(found[0].id, 0x22_B59C);
        assert_eq!(&bytes[found[0].data.clone()], b"por");
        assert_eq!((found[1].id, found[1].size), (0x536E, Some(5)));
        assert_eq!(&bytes[found[1].data.clone()], b"ab");
        assert_eq!(found.len(), 2);
        assert_eq!(size(5, 2), Some(vec![0x40, 0x05]));
        assert_eq!(size(127, 1), None);
        assert!(element(&[0], 0).is_none());
        let unknown = element(&[0xAE, 0xFF, 1], 0).expect("an element");
        assert_eq!(unknown.size, None);
    }
}
