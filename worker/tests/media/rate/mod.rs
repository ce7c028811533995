//! Quality, bitrate, size, passes and speed.

mod lossless;
mod passes;
mod peak;
mod size;
mod speed;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::recipe::{Rate, Recipe, VideoEncode};

use crate::studio;
use crate::studio::Studio;

/// Four seconds that are neither flat nor noise, with sound.
fn clip(studio: &Studio, name: &str) -> PathBuf {
    studio.make(
        name,
        "-f lavfi -i testsrc2=size=160x90:rate=25,noise=alls=12:allf=t:all_seed=1 -f lavfi -i sine -t 4 \
         -c:v libx264 -preset ultrafast -crf 10 -pix_fmt yuv420p -c:a aac -b:a 64k",
    )
}

fn recipe(encoder: &str, change: impl FnOnce(&mut VideoEncode)) -> Recipe {
    studio::with(studio::recipe(encoder), change)
}

fn bitrate(text: &str) -> Rate {
    Rate::Bitrate(text.parse().expect("a bitrate"))
}

/// The times and sizes of the packets of a file's first film.
fn packets(studio: &Studio, file: &Path) -> Vec<(f64, u64)> {
    let answer = Command::new(studio.ffprobe().get_program())
        .args(["-v", "error", "-of", "csv=p=0", "-select_streams", "v:0"])
        .args(["-show_entries", "packet=pts_time,size"])
        .arg(file)
        .output()
        .expect("ffprobe runs");
    let answer = String::from_utf8(answer.stdout).expect("text");
    let mut packets: Vec<(f64, u64)> = answer
        .lines()
        .filter_map(|line| {
            let mut cells = line.split(',');
            Some((cells.next()?.parse().ok()?, cells.next()?.parse().ok()?))
        })
        .collect();
    packets.sort_by(|a, b| a.0.total_cmp(&b.0));
    packets
}

/// Bits per second of a file's first film, on average.
fn mean(studio: &Studio, file: &Path, seconds: f64) -> f64 {
    let bytes: u64 = packets(studio, file).iter().map(|(_, size)| size).sum();
    bytes as f64 * 8.0 / seconds
}
