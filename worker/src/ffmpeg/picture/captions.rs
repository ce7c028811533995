//! Closed captions inside the video.

use common::job::changes::{Change, Kind};
use common::recipe::Captions;
use common::recipe::encoder::EncoderKind;

use super::{Picture, Task};

pub(super) fn keep(task: &Task<'_>, captions: Captions, picture: &mut Picture) {
    let Task { film, encoder, .. } = task;
    // Nothing is known of an encoder outside the catalogue.
    if !film.has_captions || encoder.codec().is_none() {
        return;
    }
    if encoder.as_str() == "libx265" {
        // The option is off by default. An older build does not know it and only warns.
        picture.option("a53cc", "1");
    }
    if writes(task) {
        return;
    }
    let why = format!("{encoder} of this ffmpeg writes none");
    picture.changes.push(match captions {
        Captions::Srt => Change::converted(
            Kind::Captions,
            film.index,
            "closed captions",
            "a subtitle track",
            why,
        )
        .wanted(),
        Captions::Keep => Change::lost(
            Kind::Captions,
            film.index,
            "closed captions",
            format!("{why}: --captions srt makes a subtitle track of them"),
        ),
    });
}

fn writes(task: &Task<'_>) -> bool {
    match (task.encoder.kind(), task.encoder.as_str()) {
        (_, "libx264" | "mpeg2video") => true,
        (_, "libx265") => task.build.hands_frame_data_on(),
        (EncoderKind::Nvidia | EncoderKind::Apple, name) => {
            name.starts_with("h264") || name.starts_with("hevc")
        }
        (EncoderKind::Intel, name) => name.starts_with("h264"),
        _ => false,
    }
}
