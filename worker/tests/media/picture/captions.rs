//! Closed captions.

use common::job::changes::{Fate, Kind};
use common::recipe::{Captions, Container};

use crate::picture::{FAST, fate, recipe};
use crate::studio;
use crate::studio::Studio;

/// A clip of H.264 whose captions begin with the word `HELLO`, shown twice.
pub(crate) fn captioned(studio: &Studio) -> std::path::PathBuf {
    let plain = studio.clip(
        "plain.h264",
        &format!("-frames:v 75 {FAST} -pix_fmt yuv420p -x264-params aud=1:bframes=0"),
    );
    let bytes = std::fs::read(plain).expect("bytes");
    let odd = |byte: u8| {
        if byte.count_ones().is_multiple_of(2) {
            byte | 0x80
        } else {
            byte
        }
    };
    // Pop-on captions: begin, erase, begin, first line, the text, show it.
    let word: [[u8; 2]; 8] = [
        [0x14, 0x20],
        [0x14, 0x2e],
        [0x14, 0x20],
        [0x14, 0x70],
        *b"HE",
        *b"LL",
        *b"O ",
        [0x14, 0x2f],
    ];
    let mut made = Vec::new();
    let mut frame = 0;
    for unit in units(&bytes) {
        if matches!(unit[0] & 31, 1 | 5) {
            let pair = if frame % 3 == 0 {
                word[frame / 3 % word.len()]
            } else {
                [0, 0]
            };
            frame += 1;
            let data = [0xfc, odd(pair[0]), odd(pair[1]), 0xff];
            let mut message = vec![0xb5, 0x00, 0x31];
            message.extend(b"GA94\x03\xc1\xff");
            message.extend(data);
            made.extend([0, 0, 0, 1, 6, 4, message.len() as u8]);
            made.extend(message);
            made.push(0x80);
        }
        made.extend([0, 0, 0, 1]);
        made.extend(unit);
    }
    let raw = studio.path("captions.h264");
    std::fs::write(&raw, made).expect("written");
    studio.make(
        "two words: 'captions', [a].ts",
        &format!("-r 25 -i {} -c copy", raw.display()),
    )
}

/// The units of a raw stream of H.264.
fn units(bytes: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> = (0..bytes.len().saturating_sub(3))
        .filter(|&at| bytes[at..].starts_with(&[0, 0, 1]))
        .collect();
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    let unit = |(start, end): (&usize, usize)| {
        let unit = &bytes[start + 3..end];
        unit.strip_suffix(&[0]).unwrap_or(unit)
    };
    starts.iter().zip(ends).map(unit).collect()
}

#[tokio::test]
async fn captions_are_kept_or_become_a_track_or_are_reported() {
    for studio in Studio::each() {
        let source = captioned(&studio);
        for (encoder, is_kept) in [
            ("libx264", true),
            ("mpeg2video", true),
            ("libx265", studio.is_recent()),
            ("libsvtav1", false),
            ("ffv1", false),
        ] {
            let recipe = recipe(encoder, Container::Mkv);
            let changes = studio.foresee(&source, &recipe).await.expect(encoder);
            let told = (!is_kept).then_some(Fate::Lost);
            assert_eq!(fate(&changes, Kind::Captions), told, "{encoder}");
            studio.encode(&source, &recipe).await.expect(encoder);
            let made = studio.look();
            assert_eq!(
                made.contains("Closed Captions"),
                is_kept,
                "{encoder}: {made}"
            );
        }
        for (recipe, form) in [
            (recipe("libsvtav1", Container::Mkv), "subrip"),
            (recipe("libx264", Container::Mp4), "mov_text"),
            (recipe("libvpx-vp9", Container::Webm), "webvtt"),
            (studio::copy(), "subrip"),
        ] {
            let recipe = recipe
                .edit(|draft| draft.captions = Captions::Srt)
                .expect("a sound recipe");
            studio.encode(&source, &recipe).await.expect(form);
            assert_eq!(studio.codecs()[1..], [form]);
            let text = studio.text();
            assert!(text.contains("HELLO"), "{form}: {text}");
        }
    }
}
