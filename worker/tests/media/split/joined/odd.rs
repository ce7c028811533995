//! Sources that say more about their film, or begin and last otherwise, than plain ones.

use std::path::PathBuf;

use common::recipe::Container;

use super::chunks::At;
use super::lossless;
use super::sources::{is_joined_to_the_same, note};
use crate::studio::Studio;

/// A picture in motion, 5 s.
const PICTURE: &str = "-f lavfi -i testsrc2=s=160x96:r=24000/1001:d=5";
const SOUND: &str = "-f lavfi -i sine=f=440:d=5";
const X264: &str = "-pix_fmt yuv420p -c:v libx264 -preset veryfast -g 12 -bf 3";

/// Fields of 50 a second, woven to frames.
fn fields(first: &str) -> String {
    format!(
        "-f lavfi -i testsrc2=s=160x96:r=50:d=5 {SOUND} -vf tinterlace=interleave_{first} -pix_fmt yuv420p \
         -flags +ilme+ildct -c:v libx264 -preset veryfast -g 12 -x264-params {}=1 -c:a aac",
        match first {
            "top" => "tff",
            _ => "bff",
        }
    )
}

/// A film with text, a font, a cover, chapters, tags and marks.
fn furnished(studio: &Studio) -> PathBuf {
    let file = |name: &str, content: &str| {
        let path = studio.path(name);
        std::fs::write(&path, content).expect("room");
        path.display().to_string()
    };
    let text =
        "1\n00:00:00,500 --> 00:00:01,500\nHello\n\n2\n00:00:03,200 --> 00:00:04,400\nGoodbye\n";
    let text = file("film.srt", text);
    let font = file("font.ttf", "no real font");
    let about = ";FFMETADATA1\ntitle=A film\ncomment=Long ago\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=2000\n\
                 title=One\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=2000\nEND=5000\ntitle=Two\n";
    let about = file("about.txt", about);
    let cover = studio.make("cover.jpg", "-f lavfi -i color=red:s=64x64 -frames:v 1");
    studio.make(
        "furnished.mkv",
        &format!(
            "{PICTURE} {SOUND} -f lavfi -i anullsrc=cl=5.1:d=4.5 -i {text} -i {about} -map 0 -map 1 -map 2 -map 3 -map 3 \
             -map_metadata 4 -map_chapters 4 {X264} -c:a:0 aac -c:a:1 ac3 -c:s:0 srt -c:s:1 ass \
             -metadata:s:a:0 language=ger -metadata:s:a:1 title=Wide -metadata:s:s:1 language=eng \
             -disposition:a:1 default -disposition:a:0 0 -disposition:s:1 forced \
             -attach {font} -metadata:s:t:0 mimetype=font/ttf -metadata:s:t:0 filename=font.ttf \
             -attach {} -metadata:s:t:1 mimetype=image/jpeg -metadata:s:t:1 filename=cover.jpg",
            cover.display()
        ),
    )
}

/// A film that an edit list makes begin in the middle of a group of pictures.
fn cut(studio: &Studio) -> PathBuf {
    let line = format!("{PICTURE} {SOUND} {X264} -c:a aac");
    let whole = studio.make("uncut.mp4", &line);
    studio.make(
        "cut.mp4",
        &format!("-ss 1.3 -i {} -c copy", whole.display()),
    )
}

/// Each with its encoder and container.
fn films(studio: &Studio) -> Vec<(PathBuf, &'static str, Container)> {
    let make = |name: &str, line: String| studio.make(name, &line);
    let rates =
        format!("{PICTURE} {SOUND} -vf select='not(eq(mod(n,7),3))' -fps_mode vfr {X264} -c:a aac");
    let full = "-vf scale=out_range=pc -color_range pc -chroma_sample_location topleft";
    let vp8 = "-c:v libvpx -g 12 -b:v 400k -deadline realtime -cpu-used 8 -c:a libvorbis";
    let prores = "-pix_fmt yuv422p10le -c:v prores_ks -c:a pcm_s16le -timecode 01:00:00:00";
    vec![
        (make("rates.mp4", rates), "libx264", Container::Mkv),
        (make("top.mkv", fields("top")), "libx264", Container::Mkv),
        (make("bottom.mp4", fields("bottom")), "ffv1", Container::Mkv),
        (
            make(
                "full.mkv",
                format!("{PICTURE} {SOUND} {full} {X264} -c:a flac"),
            ),
            "ffv1",
            Container::Mkv,
        ),
        (
            make("plain.webm", format!("{PICTURE} {SOUND} {vp8}")),
            "ffv1",
            Container::Mkv,
        ),
        (
            make(
                "late.ts",
                format!("-itsoffset 1.7 {PICTURE} {SOUND} {X264} -c:a ac3 -output_ts_offset 20"),
            ),
            "libx264",
            Container::Mkv,
        ),
        (
            make(
                "code.mov",
                format!("{PICTURE} {SOUND} {prores} -metadata:s:a:0 language=ger"),
            ),
            "prores_ks",
            Container::Mov,
        ),
        (cut(studio), "libx264", Container::Mp4),
        (furnished(studio), "libx264", Container::Mkv),
    ]
}

#[test]
fn odd_sources_are_joined_to_the_unsplit_film() {
    let mut wrong = Vec::new();
    for studio in Studio::each() {
        for (film, encoder, container) in films(&studio) {
            let recipe = match encoder {
                "prores_ks" => crate::studio::recipe(encoder)
                    .edit(|draft| draft.container = container)
                    .expect("a sound recipe"),
                _ => lossless(encoder, "copy", container),
            };
            let compared = is_joined_to_the_same(&studio, &film, recipe, (4, At::Keys));
            note(&mut wrong, &studio, compared);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
