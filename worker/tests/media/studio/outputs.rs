//! The content of the last output.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use worker::ffmpeg::Source;
use worker::ffmpeg::probe::media::Media;
use worker::ffmpeg::probe::probe;
use worker::ffmpeg::run::runner::Runner;

use crate::studio::Studio;

impl Studio {
    /// The content of the output, by the judge's ffprobe.
    pub(crate) async fn made(&self) -> Media {
        let output = self.output();
        let runner = Runner {
            tools: self.judge.clone(),
            ..self.runner(&output)
        };
        let made = probe(&runner, &Source::File(output)).await;
        made.expect("the output is media")
    }

    /// The content of a file, by the judge's ffprobe: its streams, tags, chapters and the first frames of its film.
    pub(crate) fn judged(&self, file: &Path) -> serde_json::Value {
        let ask = |what: &str| -> serde_json::Value {
            let answer = Command::new(&self.judge.ffprobe)
                .args(["-v", "error", "-of", "json"])
                .args(what.split(' '))
                .arg(file)
                .output()
                .expect("ffprobe runs");
            serde_json::from_slice(&answer.stdout).expect("JSON")
        };
        let mut whole = ask("-show_streams -show_format -show_chapters");
        let first = ask("-show_frames -select_streams V:0 -read_intervals %+#4");
        whole["frames"] = first["frames"].clone();
        whole
    }

    /// The sound of the output's first track, as mono of this many samples a second.
    pub(crate) fn pcm(&self, rate: usize) -> Vec<i16> {
        let heard = Command::new(&self.tools.ffmpeg)
            .args(["-v", "error", "-i"])
            .arg(self.output())
            .args(["-map", "0:a:0", "-af", "aresample=async=1:first_pts=0"])
            .args(["-ac", "1", "-ar", &rate.to_string(), "-f", "s16le", "-"])
            .output()
            .expect("ffmpeg runs");
        let samples = heard.stdout.chunks_exact(2);
        samples
            .map(|bytes| i16::from_le_bytes([bytes[0], bytes[1]]))
            .collect()
    }

    /// The titles of the output's chapters, and when each begins.
    pub(crate) fn chapters(&self) -> Vec<(String, f64)> {
        let judged = self.judged(&self.output());
        let chapters = judged["chapters"].as_array().cloned().unwrap_or_default();
        let of = |chapter: serde_json::Value| {
            let title = chapter["tags"]["title"].as_str().unwrap_or_default();
            let start = chapter["start_time"]
                .as_str()
                .and_then(|at| at.parse().ok());
            (title.to_owned(), start.expect("a time"))
        };
        chapters.into_iter().map(of).collect()
    }

    /// The first frames and the streams of the output, as ffprobe prints them.
    pub(crate) fn look(&self) -> String {
        let first = ["-read_intervals", "%+#3", "-show_frames", "-show_streams"];
        self.ask(&[&["-select_streams", "v:0", "-of", "flat"][..], &first].concat())
            .join("\n")
    }

    /// The mean red, green and blue of the output's first frame.
    pub(crate) fn colour(&self) -> [u8; 3] {
        let shown = Command::new(&self.tools.ffmpeg)
            .args(["-v", "error", "-i"])
            .arg(self.output())
            .args(["-frames:v", "1", "-vf", "scale=1:1:flags=area,format=rgb24"])
            .args(["-f", "rawvideo", "-"])
            .output()
            .expect("ffmpeg runs");
        <[u8; 3]>::try_from(shown.stdout.as_slice()).expect("one pixel")
    }

    /// The hashes of all pictures of a file, after a filter.
    pub(crate) fn frames(&self, file: &Path, filter: &str) -> Vec<String> {
        let made = Command::new(&self.tools.ffmpeg)
            .args(["-nostdin", "-v", "error", "-i"])
            .arg(file)
            .args(["-map", "0:V", "-vf", filter, "-fps_mode", "passthrough"])
            .args(["-f", "framemd5", "-"])
            .output()
            .expect("ffmpeg runs");
        let list = String::from_utf8(made.stdout).expect("text");
        let hashes: Vec<String> = list
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| Some(line.split(',').nth(5)?.trim().to_owned()))
            .collect();
        assert!(
            !hashes.is_empty(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        hashes
    }

    /// The output's first track of text, as SubRip.
    pub(crate) fn text(&self) -> String {
        let text = Command::new(&self.judge.ffmpeg)
            .args(["-v", "error", "-i"])
            .arg(self.output())
            .args(["-map", "0:s:0", "-f", "srt", "-"])
            .output()
            .expect("ffmpeg runs");
        String::from_utf8(text.stdout).expect("text")
    }

    /// The mean opacity of the output's first frame, 0 to 255.
    pub(crate) fn opacity(&self) -> u8 {
        let is_vp9 = self.describe("codec_name") == "vp9";
        let decoder: &[&str] = if is_vp9 { &["-c:v", "libvpx-vp9"] } else { &[] };
        let shown = Command::new(&self.judge.ffmpeg)
            .args(["-v", "error"])
            .args(decoder)
            .arg("-i")
            .arg(self.output())
            .args([
                "-frames:v",
                "1",
                "-vf",
                "format=rgba,alphaextract,scale=1:1:flags=area",
            ])
            .args(["-pix_fmt", "gray", "-f", "rawvideo", "-"])
            .output()
            .expect("ffmpeg runs");
        shown.stdout[0]
    }

    /// Properties of the output's first film, as ffprobe orders and prints them.
    pub(crate) fn describe(&self, what: &str) -> String {
        self.ask(&[
            "-select_streams",
            "v:0",
            "-show_entries",
            &format!("stream={what}"),
        ])
        .remove(0)
    }

    /// The codecs of the output's streams.
    pub(crate) fn codecs(&self) -> Vec<String> {
        let mut codecs = self.ask(&["-show_entries", "stream=codec_name"]);
        codecs.retain(|codec| codec != "bin_data");
        codecs
    }

    /// The times of the output's frames, in seconds and in order.
    pub(crate) fn times(&self) -> Vec<String> {
        let mut times = self.ask(&["-select_streams", "v:0", "-show_entries", "packet=pts_time"]);
        times.sort_by(|a, b| {
            a.parse::<f64>()
                .expect("a time")
                .total_cmp(&b.parse().expect("a time"))
        });
        times
    }

    /// The output, as ffprobe prints it.
    pub(crate) fn probed(&self) -> serde_json::Value {
        let all = ["-show_streams", "-show_format", "-show_chapters"];
        let answer = Command::new(&self.tools.ffprobe)
            .args(["-v", "error", "-of", "json"])
            .args(all)
            .arg(self.output())
            .output()
            .expect("ffprobe runs");
        serde_json::from_slice(&answer.stdout).expect("JSON")
    }

    pub(crate) fn ask(&self, what: &[&str]) -> Vec<String> {
        let output = self.output();
        let arguments = ["-v", "error", "-of", "csv=p=0"]
            .iter()
            .chain(what)
            .map(OsStr::new);
        let answer = Command::new(&self.judge.ffprobe)
            .args(arguments)
            .arg(output)
            .output()
            .expect("ffprobe runs");
        let answer = String::from_utf8(answer.stdout).expect("text");
        answer
            .lines()
            .map(|line| line.trim_end_matches(',').to_owned())
            .filter(|line| !line.is_empty())
            .collect()
    }
}
