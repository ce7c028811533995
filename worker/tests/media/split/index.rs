//! The index of a film is that of the frames that a decode gives.

use std::path::{Path, PathBuf};

use worker::ffmpeg::containers::outline::top_box;
use worker::ffmpeg::split::index::outlined;
use worker::ffmpeg::split::obstacle::Obstacle;

use super::{FILM, X264, decoded, indexed, unit};
use crate::studio::Studio;

/// Films of all kinds: codecs, containers, open groups of pictures, uneven times, edit lists.
pub(super) fn films(studio: &Studio) -> Vec<PathBuf> {
    let make = |name: &str, codecs: &str| studio.make(name, &format!("{FILM} {codecs}"));
    let copy = |of: &PathBuf, name: &str, how: &str| {
        studio.make(name, &format!("{how} -i {} -c copy", of.display()))
    };
    let closed = make("closed.mp4", X264);
    let open = make("open.mp4", &format!("{X264} -x264-params open-gop=1"));
    let x265 =
        "-c:v libx265 -preset ultrafast -x265-params keyint=24:open-gop=1:bframes=3:log-level=none";
    let hevc = make("hevc.mkv", x265);
    let uneven = "-vf select='not(eq(mod(n,7),3))',setpts=PTS+mod(N\\,5)*0.01/TB -fps_mode vfr";
    let uneven = make("uneven.mp4", &format!("{uneven} {X264}"));
    let fast = "-f lavfi -i testsrc2=s=160x90:r=60000/1001:d=8 -pix_fmt yuv420p";
    vec![
        copy(&open, "open.mkv", ""),
        copy(&open, "open.ts", ""),
        // The edit list hides the first frames and the keyframe on which they depend.
        copy(&closed, "hidden.mp4", "-ss 1.3"),
        copy(&open, "open-hidden.mp4", "-ss 1.3"),
        copy(&closed, "late.mp4", "-itsoffset 3.7"),
        copy(&closed, "late.ts", "-itsoffset 100"),
        copy(&hevc, "hevc.ts", ""),
        copy(&uneven, "uneven.mkv", ""),
        make(
            "refresh.mp4",
            &format!("{X264} -x264-params intra-refresh=1:keyint=24"),
        ),
        make("mpeg2.ts", "-c:v mpeg2video -bf 2 -g 12 -q:v 4"),
        make(
            "vp9.webm",
            "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 24 -b:v 300k -lag-in-frames 16 -auto-alt-ref 1",
        ),
        make("av1.mp4", "-c:v libsvtav1 -preset 12 -g 24"),
        make("prores.mov", "-c:v prores_ks"),
        studio.make("fast.mkv", &format!("{fast} {X264}")),
        closed,
        open,
        hevc,
        uneven,
    ]
}

#[tokio::test]
async fn the_index_has_the_frames_that_a_decode_gives() {
    for studio in Studio::each() {
        for file in films(&studio) {
            let name = file.display();
            let (_, index) = indexed(&studio, &file).await;
            let index = index.unwrap_or_else(|obstacle| panic!("{name}: {obstacle}"));
            let frames = decoded(&studio, &file, &[], "", &unit(&index));
            let times: Vec<i64> = frames.into_iter().map(|(time, _)| time).collect();
            assert_eq!(index.times, times, "{name}");
            assert!(times.len() > 150, "{name}: {}", times.len());
            assert!(index.keys.len() > 3, "{name}: {:?}", index.keys);
            let after = index.end - index.times[index.times.len() - 1];
            let after = index.to_seconds(after);
            assert!(after > 0.01 && after < 0.1, "{name}: {after}");
        }
    }
}

/// The outline of a file, in a file beside it; `None` if it has none.
pub(super) fn outline(file: &Path) -> Option<PathBuf> {
    let whole = std::fs::read(file).expect("a film");
    let mut zeros = vec![0; whole.len()];
    let (mut at, size) = (0, whole.len() as u64);
    while at < size {
        let found = top_box(&whole[at as usize..], at, size)?;
        let kept = found.kept.start as usize..found.kept.end as usize;
        zeros[kept.clone()].copy_from_slice(&whole[kept]);
        at = found.end;
    }
    let outline = file.with_extension("outline");
    std::fs::write(&outline, zeros).expect("room");
    Some(outline)
}

#[tokio::test]
async fn the_outline_of_a_film_tells_its_index() {
    for studio in Studio::each() {
        let make = |name: &str, codecs: &str| studio.make(name, &format!("{FILM} {codecs}"));
        let fragments = make("fragments.mp4", "-c:v libx264 -movflags frag_keyframe");
        assert_eq!(outline(&fragments), None);
        let is_mov = |file: &PathBuf| {
            file.extension()
                .is_some_and(|end| end != "mkv" && end != "ts" && end != "webm")
        };
        let mut films: Vec<PathBuf> = films(&studio).into_iter().filter(is_mov).collect();
        assert!(films.len() > 7, "{films:?}");
        let faststart = "-c:v libx264 -bf 2 -g 12 -movflags +faststart";
        films.push(make("faststart.mov", faststart));
        for file in films {
            let name = file.display();
            let (film, index) = indexed(&studio, &file).await;
            let outline = outline(&file).unwrap_or_else(|| panic!("{name} has an outline"));
            let runner = studio.runner(&outline);
            let found = outlined(&runner, &outline, &film, "mov,mp4").await;
            let (told, _) = found.unwrap_or_else(|| panic!("{name}: nothing"));
            assert_eq!(Ok(told), index, "{name}");
        }
    }
}

#[tokio::test]
async fn films_whose_frames_the_packets_do_not_tell_are_refused() {
    for studio in Studio::each() {
        let make = |name: &str, codecs: &str| studio.make(name, &format!("{FILM} {codecs}"));
        let closed = make("closed.mp4", &format!("{X264} -bf 0"));
        let copy = |name: &str, filter: &str| {
            let how = format!("-i {} -c copy -bsf:v {filter}", closed.display());
            studio.make(name, &how)
        };
        let join = |name: &str, second: &str| {
            let first = make("first.ts", X264);
            let second = make("second.ts", &format!("{X264} {second}"));
            let bytes = [first, second].map(|file| std::fs::read(file).expect("readable"));
            let path = closed.with_file_name(name);
            std::fs::write(&path, bytes.concat()).expect("room");
            path
        };
        let damaged = make("prores.mov", "-c:v prores_ks");
        let damaged = format!(
            "-i {} -c copy -bsf:v noise=amount=-1+2*eq(n\\,7)",
            damaged.display()
        );
        for (file, expected) in [
            // Frames that are not in the order of decoding, in formats that tell no times.
            (make("frames.avi", X264), Obstacle::NoTimes),
            (make("frames.h264", X264), Obstacle::NoTimes),
            (
                make("frames.mpg", "-c:v mpeg2video -bf 2"),
                Obstacle::NoTimes,
            ),
            // The first keyframe is missing, as in a recording.
            (
                copy("middle.mkv", "noise=drop=lt(n\\,9)"),
                Obstacle::NoKeyAtStart,
            ),
            (
                copy("same.mp4", "setts=pts=if(eq(N\\,20)\\,PTS+1001\\,PTS)"),
                Obstacle::SameTimes,
            ),
            // Two recordings, one after the other, each with a clock of its own.
            (join("back.ts", ""), Obstacle::Jump),
            (join("ahead.ts", "-output_ts_offset 100"), Obstacle::Jump),
            // Packets that no decoder makes frames of.
            (studio.make("damaged.mov", &damaged), Obstacle::NotFrames),
        ] {
            let (_, index) = indexed(&studio, &file).await;
            assert_eq!(index.err(), Some(expected), "{}", file.display());
        }
    }
}
