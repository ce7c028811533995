//! Inputs that ffmpeg makes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use worker::ffmpeg::Tools;

use crate::studio::Studio;

impl Studio {
    /// The ffmpeg and the ffprobe of this studio.
    pub(crate) fn tools(&self) -> &Tools {
        &self.tools
    }

    /// The path of an input with this name.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.inputs.path().join(name)
    }

    /// A clip of 160×90 at 25 frames a second.
    pub(crate) fn clip(&self, name: &str, arguments: &str) -> PathBuf {
        let test = "-f lavfi -i testsrc2=size=160x90:rate=25";
        self.make(name, &format!("{test} {arguments}"))
    }

    /// A second of sound without a picture.
    pub(crate) fn sound(&self) -> PathBuf {
        self.make("sound.m4a", "-f lavfi -i sine -t 1 -c:a aac")
    }

    /// A clip that players turn by a quarter.
    pub(crate) fn rotated(&self) -> PathBuf {
        let plain = self.clip(
            "plain.mp4",
            "-frames:v 6 -c:v libx264 -preset ultrafast -pix_fmt yuv420p",
        );
        let mut bytes = std::fs::read(&plain).expect("bytes");
        // Turns the unit matrix in the track's header, which every version of ffmpeg writes.
        let matrix = |a: i32, b: i32, c: i32, d: i32| -> Vec<u8> {
            [a, b, 0, c, d, 0, 0, 0, 0x4000_0000]
                .iter()
                .flat_map(|n| n.to_be_bytes())
                .collect()
        };
        let one = 0x1_0000;
        let unit = matrix(one, 0, 0, one);
        let place = |bytes: &[u8], from: usize| {
            from + bytes[from..]
                .windows(unit.len())
                .position(|window| window == unit)
                .expect("a matrix")
        };
        // The first matrix is that of the whole film.
        let first = place(&bytes, 0);
        let second = place(&bytes, first + 1);
        bytes[second..second + unit.len()].copy_from_slice(&matrix(0, one, -one, 0));
        let path = self.path("rotated.mp4");
        std::fs::write(&path, bytes).expect("written");
        path
    }

    /// A film with two tracks of sound, of 2 and 6 channels, and with subtitles.
    pub(crate) fn tracks(&self) -> PathBuf {
        let text = self.path("text.srt");
        std::fs::write(&text, "1\n00:00:00,100 --> 00:00:00,900\nGood morning.\n")
            .expect("written");
        self.make(
            "tracks.mkv",
            &format!(
                "-f lavfi -i testsrc2=size=160x90:rate=25 -f lavfi -i sine -i {} -map 0 -map 1 -map 1 -map 2 -t 1.2 \
                 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a:0 aac -ac:a:0 2 -c:a:1 ac3 -ac:a:1 6 -c:s srt",
                text.display()
            ),
        )
    }

    /// Five lossless pictures of this size.
    pub(crate) fn picture(&self, path: &Path, size: &str) {
        let name = path.file_name().expect("a name").to_string_lossy();
        let source = format!("-f lavfi -i testsrc2=size={size}:rate=25");
        self.make(&name, &format!("{source} -frames:v 5 -c:v ffv1"));
    }

    /// The packets of the first stream of a kind: the offset and the size of each, in bytes.
    pub(crate) fn packets(&self, file: &Path, kind: &str) -> Vec<(usize, usize)> {
        let answer = Command::new(&self.tools.ffprobe)
            .args(["-v", "error", "-of", "csv=p=0", "-select_streams"])
            .arg(format!("{kind}:0"))
            .args(["-show_entries", "packet=pos,size"])
            .arg(file)
            .output()
            .expect("ffprobe runs");
        let answer = String::from_utf8(answer.stdout).expect("text");
        let number = |text: &str| text.trim_end_matches(',').parse().expect("a number");
        answer
            .lines()
            .filter_map(|line| line.split_once(','))
            // ffprobe prints them in this order.
            .map(|(size, place)| (number(place), number(size)))
            .collect()
    }

    /// The number of packets in the first stream of a kind.
    pub(crate) fn count_packets(&self, file: &Path, kind: &str) -> usize {
        let answer = Command::new(&self.tools.ffprobe)
            .args(["-v", "error", "-of", "csv=p=0", "-count_packets"])
            .args(["-select_streams", &format!("{kind}:0")])
            .args(["-show_entries", "stream=nb_read_packets"])
            .arg(file)
            .output()
            .expect("ffprobe runs");
        let answer = String::from_utf8(answer.stdout).expect("text");
        // The programs of a transport stream list their streams, too.
        let last = answer.split_whitespace().last().expect("a number");
        last.trim_matches(',').parse().expect("a number")
    }

    /// The names of all filters.
    pub(crate) fn filters(&self) -> BTreeSet<String> {
        let list = Command::new(&self.tools.ffmpeg)
            .args(["-hide_banner", "-filters"])
            .output()
            .expect("ffmpeg runs");
        let list = String::from_utf8(list.stdout).expect("text");
        list.lines()
            .filter_map(|line| Some(line.split_whitespace().nth(1)?.to_owned()))
            .collect()
    }

    /// The number of frames that a filter makes of a film.
    pub(crate) fn filter(&self, source: &Path, filter: &str) -> usize {
        let made = Command::new(&self.tools.ffmpeg)
            .args(["-nostdin", "-v", "error", "-i"])
            .arg(source)
            .args(["-vf", filter, "-fps_mode", "passthrough"])
            .args(["-f", "framecrc", "-"])
            .output()
            .expect("ffmpeg runs");
        let complaints = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "{filter}: {complaints}");
        let list = String::from_utf8(made.stdout).expect("text");
        list.lines().filter(|line| !line.starts_with('#')).count()
    }

    /// A file that ffmpeg makes with these arguments, split at spaces.
    pub(crate) fn make(&self, name: &str, arguments: &str) -> PathBuf {
        let path = self.path(name);
        let made = Command::new(&self.tools.ffmpeg)
            .args(["-nostdin", "-v", "error", "-y"])
            .args(arguments.split_whitespace())
            .arg(&path)
            .env("SVT_LOG", "1")
            .output()
            .expect("ffmpeg runs");
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        path
    }
}
