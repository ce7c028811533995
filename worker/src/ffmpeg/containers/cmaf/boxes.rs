//! The boxes that MP4 files are made of: a length, four letters, and data.

use std::io::{self, Read};

use crate::ffmpeg::containers::cmaf::broken;

/// The beginning of a box.
pub(in crate::ffmpeg::containers) struct Head {
    pub(in crate::ffmpeg::containers) kind: [u8; 4],
    /// Bytes of this beginning.
    pub(in crate::ffmpeg::containers) size: u64,
    /// Bytes of the whole box; `None` if it reaches to the end of the file.
    pub(in crate::ffmpeg::containers) length: Option<u64>,
}

/// Reads the beginning of a box.
pub(in crate::ffmpeg::containers) fn head(reader: &mut impl Read) -> io::Result<Head> {
    let mut head = [0; 8];
    reader.read_exact(&mut head)?;
    let [a, b, c, d, kind @ ..] = head;
    let (size, length) = match u32::from_be_bytes([a, b, c, d]) {
        0 => (8, None),
        1 => {
            let mut large = [0; 8];
            reader.read_exact(&mut large)?;
            (16, Some(u64::from_be_bytes(large)))
        }
        length => (8, Some(length.into())),
    };
    Ok(Head { kind, size, length })
}

/// Numbers that are read one after the other, the highest byte first.
pub(super) struct Numbers<'a>(pub(super) &'a [u8]);

impl<'a> Numbers<'a> {
    pub(super) fn take(&mut self, bytes: usize) -> io::Result<&'a [u8]> {
        let (taken, rest) = self
            .0
            .split_at_checked(bytes)
            .ok_or_else(|| broken("a box is too short"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let taken = self.take(N)?;
        taken.try_into().map_err(io::Error::other)
    }

    pub(super) fn u8(&mut self) -> io::Result<u8> {
        self.array().map(|[byte]: [u8; 1]| byte)
    }

    pub(super) fn u16(&mut self) -> io::Result<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> io::Result<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> io::Result<i32> {
        self.array().map(i32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> io::Result<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// A number of four bytes, or of eight in a newer version of a box.
    pub(super) fn either(&mut self, version: u8) -> io::Result<u64> {
        match version {
            0 => self.u32().map(u64::from),
            _ => self.u64(),
        }
    }

    /// The version of a box, without its flags.
    pub(super) fn version(&mut self) -> io::Result<u8> {
        let version = self.u8()?;
        self.take(3)?;
        Ok(version)
    }
}

/// The boxes one after the other in a box's data, as their letters and data.
pub(super) fn children(data: &[u8]) -> io::Result<Vec<([u8; 4], &[u8])>> {
    let mut list = Vec::new();
    let mut rest = data;
    // QuickTime ends a list with four zeros.
    while rest.len() >= 8 {
        let mut reader = rest;
        let head = head(&mut reader)?;
        let length = head.length.unwrap_or(rest.len() as u64);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let size = head.size as usize;
        if length < size || length > rest.len() {
            return Err(broken("a box is longer than the one around it"));
        }
        list.push((head.kind, &rest[size..length]));
        rest = &rest[length..];
    }
    Ok(list)
}

/// The data of the first box with these letters.
pub(super) fn child<'a>(data: &'a [u8], kind: &[u8; 4]) -> io::Result<Option<&'a [u8]>> {
    let found = children(data)?.into_iter().find(|(name, _)| name == kind);
    Ok(found.map(|(_, data)| data))
}

/// The data of a box that must be there.
pub(super) fn needed<'a>(data: &'a [u8], kind: &[u8; 4]) -> io::Result<&'a [u8]> {
    child(data, kind)?
        .ok_or_else(|| broken(&format!("{} is missing", String::from_utf8_lossy(kind))))
}

/// A box of these parts.
pub(super) fn boxed(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let data: usize = parts.iter().map(|part| part.len()).sum();
    let length = u32::try_from(8 + data).unwrap_or(u32::MAX);
    let mut made = Vec::with_capacity(8 + data);
    made.extend(length.to_be_bytes());
    made.extend(kind);
    for part in parts {
        made.extend(*part);
    }
    made
}
