//! The names of codecs for players (RFC 6381), from the track's description.

use std::io;

use crate::ffmpeg::containers::cmaf::boxes::{Numbers, child, children, needed};
use crate::ffmpeg::containers::cmaf::broken;

/// Bytes of a description of pictures, or of sound, before the boxes in it.
const PICTURES: usize = 78;
const SOUND: usize = 28;

/// The name of the codec that `stsd` describes.
pub(super) fn name(description: &[u8]) -> io::Result<String> {
    let mut description = Numbers(description);
    description.version()?;
    description.u32()?;
    let entries = children(description.0)?;
    let Some((kind, entry)) = entries.first() else {
        return Err(broken("a track has no codec"));
    };
    let details = |at: usize| entry.get(at..).ok_or_else(|| broken("a codec is cut off"));
    match kind {
        b"avc1" | b"avc3" => avc(kind, needed(details(PICTURES)?, b"avcC")?),
        b"hvc1" | b"hev1" => hevc(kind, needed(details(PICTURES)?, b"hvcC")?),
        b"av01" => av1(needed(details(PICTURES)?, b"av1C")?),
        b"mp4a" => aac(details(SOUND)?),
        b"ac-3" => Ok("ac-3".to_owned()),
        b"ec-3" => Ok("ec-3".to_owned()),
        b"Opus" => Ok("opus".to_owned()),
        b"fLaC" => Ok("fLaC".to_owned()),
        kind => {
            let kind = String::from_utf8_lossy(kind);
            Err(broken(&format!("no player knows the codec {kind}")))
        }
    }
}

/// `avc1.64001F`: profile, constraints and level.
fn avc(kind: &[u8], record: &[u8]) -> io::Result<String> {
    let mut record = Numbers(record);
    record.u8()?;
    let (profile, constraints, level) = (record.u8()?, record.u8()?, record.u8()?);
    let kind = String::from_utf8_lossy(kind);
    Ok(format!("{kind}.{profile:02X}{constraints:02X}{level:02X}"))
}

/// `hvc1.2.4.L93.B0`: profile, the profiles that can decode it, level, and constraints.
fn hevc(kind: &[u8], record: &[u8]) -> io::Result<String> {
    let mut record = Numbers(record);
    record.u8()?;
    let profile = record.u8()?;
    let space = ["", "A", "B", "C"][usize::from(profile >> 6)];
    let tier = if profile & 0x20 == 0 { 'L' } else { 'H' };
    let compatible = record.u32()?.reverse_bits();
    let constraints = record.take(6)?;
    let level = record.u8()?;
    let kind = String::from_utf8_lossy(kind);
    let profile = profile & 0x1f;
    let mut name = format!("{kind}.{space}{profile}.{compatible:X}.{tier}{level}");
    let used = constraints.iter().rposition(|byte| *byte != 0);
    for byte in &constraints[..used.map_or(0, |last| last + 1)] {
        name += &format!(".{byte:X}");
    }
    Ok(name)
}

/// `av01.0.04M.10`: profile, level, tier and bits per sample.
fn av1(record: &[u8]) -> io::Result<String> {
    let mut record = Numbers(record);
    record.u8()?;
    let (first, second) = (record.u8()?, record.u8()?);
    let (profile, level) = (first >> 5, first & 0x1f);
    let tier = if second & 0x80 == 0 { 'M' } else { 'H' };
    let depth = match (second & 0x40 != 0, second & 0x20 != 0) {
        (false, _) => 8,
        (true, false) => 10,
        (true, true) => 12,
    };
    Ok(format!("av01.{profile}.{level:02}{tier}.{depth:02}"))
}

/// `mp4a.40.2`: the kind of AAC. It stands in descriptors within descriptors, each a number, a length and data.
fn aac(details: &[u8]) -> io::Result<String> {
    let Some(record) = child(details, b"esds")? else {
        return Err(broken("a track of sound has no description"));
    };
    let mut record = Numbers(record);
    record.version()?;
    // The stream, with its number and three flags of what follows.
    descriptor(&mut record, 3)?;
    record.u16()?;
    let flags = record.u8()?;
    if flags & 0x80 != 0 {
        record.u16()?;
    }
    if flags & 0x40 != 0 {
        let length = record.u8()?;
        record.take(length.into())?;
    }
    if flags & 0x20 != 0 {
        record.u16()?;
    }
    // The decoder.
    descriptor(&mut record, 4)?;
    let kind = record.u8()?;
    record.take(12)?;
    if kind != 0x40 {
        return Ok(format!("mp4a.{kind:02X}"));
    }
    // The five bits that begin what is meant for the decoder itself.
    descriptor(&mut record, 5)?;
    let bits = record.u8()?;
    let kind = match bits >> 3 {
        31 => 32 + (((bits & 7) << 3) | (record.u8()? >> 5)),
        kind => kind,
    };
    Ok(format!("mp4a.40.{kind}"))
}

/// Steps into a descriptor of this number.
fn descriptor(record: &mut Numbers<'_>, number: u8) -> io::Result<()> {
    if record.u8()? != number {
        return Err(broken("the description of its sound is of another form"));
    }
    // The length is in groups of seven bits.
    while record.u8()? & 0x80 != 0 {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffmpeg::containers::cmaf::boxes::boxed;

    fn described(kind: &[u8; 4], before: usize, record: &[u8; 4], data: &[u8]) -> String {
        let entry = boxed(kind, &[&vec![0; before], &boxed(record, &[data])]);
        name(&[&[0; 4][..], &1_u32.to_be_bytes(), &entry].concat()).expect("known")
    }

    #[test]
    fn codecs_have_the_names_that_players_know() {
        let avc = described(b"avc1", PICTURES, b"avcC", &[1, 0x64, 0, 0x1f, 0xff]);
        assert_eq!(avc, "avc1.64001F");
        let main10 = [1, 2, 0x20, 0, 0, 0, 0xb0, 0, 0, 0, 0, 0, 93];
        let hevc = described(b"hvc1", PICTURES, b"hvcC", &main10);
        assert_eq!(hevc, "hvc1.2.4.L93.B0");
        let av1 = described(b"av01", PICTURES, b"av1C", &[0x81, 0x04, 0x4c, 0]);
        assert_eq!(av1, "av01.0.04M.10");
        let aac = [
            &[
                0, 0, 0, 0, 3, 0x80, 0x80, 0x80, 34, 0, 1, 0, 4, 20, 0x40, 0x15,
            ][..],
            &[0; 11],
            &[5, 2, 0x11, 0x90],
        ];
        let aac = described(b"mp4a", SOUND, b"esds", &aac.concat());
        assert_eq!(aac, "mp4a.40.2");
    }
}
