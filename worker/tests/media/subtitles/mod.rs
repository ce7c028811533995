//! What recipes do with subtitles, with both builds of ffmpeg.

mod burn_in;
mod choice;
mod external;
mod extract;
mod gate;
mod part;

use std::path::PathBuf;
use std::process::Command;

use crate::studio::Studio;

/// The inputs for two seconds of film and sound, as arguments.
const FILM: &str = "-f lavfi -i color=c=gray:size=160x90:rate=25:d=2 -f lavfi -i sine=d=2";

/// The codecs of film and sound, as arguments.
const CODED: &str =
    "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac -metadata:s:a language=eng";

/// A gray film with sound in English.
fn film(studio: &Studio) -> String {
    let path = studio.make("film.mkv", &format!("{FILM} {CODED}"));
    path.to_str().expect("text").to_owned()
}

/// A file with this content, beside the inputs.
fn write(studio: &Studio, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = studio.path(name);
    std::fs::write(&path, content).expect("room");
    path.to_str().expect("text").to_owned()
}

/// A time as SubRip writes it.
fn srt_time(milliseconds: u32) -> String {
    let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
    format!("00:00:{seconds:02},{rest:03}")
}

/// Subtitles in SubRip: the start, end and text of each cue, in milliseconds.
fn srt(cues: &[(u32, u32, &str)]) -> String {
    let mut text = String::new();
    for (number, (start, end, words)) in cues.iter().enumerate() {
        let (start, end) = (srt_time(*start), srt_time(*end));
        text += &format!("{}\n{start} --> {end}\n{words}\n\n", number + 1);
    }
    text
}

/// Joins inputs with mkvmerge.
fn join(studio: &Studio, name: &str, arguments: &[&str]) -> PathBuf {
    let path = studio.path(name);
    let done = Command::new("mkvmerge")
        .args(["-q", "-o"])
        .arg(&path)
        .args(arguments)
        .output()
        .expect("mkvmerge is installed");
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{arguments:?}: {said}");
    path
}
