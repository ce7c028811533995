use super::*;

fn imported(line: &str) -> (String, Vec<String>) {
    let imported = read(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    (imported.preset.recipe.to_string(), imported.left_out)
}

/// Every track is kept without `-map`; noted for each such line.
const TRACKS: &str =
    "without -map: ffmpeg takes one track of each kind, and every track is kept here";

#[test]
fn command_lines_become_the_recipes_that_they_say() {
    for (line, words) in [
        (
            "ffmpeg -i in.mkv -map 0 -c:v libx265 -crf 20 -preset slow -c:a copy -c:s copy out.mkv",
            "libx265, CRF 20, preset slow, mkv",
        ),
        (
            "ffmpeg -y -hide_banner -i 'a film.mov' -map 0 -vcodec libx264 -crf 18.5 -pix_fmt yuv420p -acodec aac -b:a 192k -ac 2 -movflags +faststart out.mp4",
            "libx264, CRF 18.5, 8 bits, 4:2:0, aac 192 kbit/s, downmix stereo, mp4",
        ),
        (
            "ffmpeg -ss 00:01:30 -to 00:02:00.5 -i in.mkv -map 0 -c copy out.mkv",
            "video as it is, 90 to 120.5 s, mkv",
        ),
        (
            "ffmpeg -i in.mkv -ss 10 -to 20 -map 0 -c copy out.mkv",
            "video as it is, 10 to 20 s, mkv",
        ),
        (
            "ffmpeg -ss 10 -i in.mkv -to 20 -map 0 -c copy out.mkv",
            "video as it is, 10 to 30 s, mkv",
        ),
        (
            "ffmpeg -ss 10 -t 60 -i in.mkv -ss 5 -to 20 -map 0 -c copy out.mkv",
            "video as it is, 15 to 30 s, mkv",
        ),
        (
            "ffmpeg -i in.mkv -map 0 -c copy -c:v libx265 -crf 20 out.mkv",
            "libx265, CRF 20, mkv",
        ),
        ("ffmpeg -i in.mkv -map 0 -map -0:v -c:a copy out.mkv", "mkv"),
        (
            "ffmpeg -i in.mkv -ss 10 -t 20 -map 0 -c:v libsvtav1 -preset 6 -crf 30 -svtav1-params tune=0:film-grain=8 -c:a libopus -b:a 96k out.webm",
            "libsvtav1, CRF 30, preset 6, svtav1-params=tune=0:film-grain=8, libopus 96 kbit/s, 10 to 30 s, webm",
        ),
        (
            "ffmpeg -i in.ts -map 0 -vf yadif,scale=-2:720,hqdn3d=2:1:2:3 -c:v libx264 -b:v 2500k -maxrate 4M -bufsize 8M -g 50 -an -sn out.mp4",
            "libx264, 2.5 Mbit/s, at most 4 Mbit/s, -2x720, enlarging, yadif,hqdn3d=2:1:2:3, bufsize=8M, g=50, no audio, no subtitles, mp4",
        ),
        (
            "ffmpeg -i in.mkv -map 0 -vf 'crop=1920:800:0:140,fps=25,format=yuv420p10le' -c:v libx265 -x265-params aq-mode=3 -tag:v hvc1 -c:a copy out.mp4",
            "libx265, 10 bits, 4:2:0, frame rate 25, crop=1920:800:0:140, x265-params=aq-mode=3, tag=hvc1, mp4",
        ),
        (
            "ffmpeg -i in.mkv -map 0 -c:v libx264 -b:v 4M -pass 1 -an -f null /dev/null && ffmpeg -i in.mkv -map 0 -c:v libx264 -b:v 4M -pass 2 -c:a copy out.mkv",
            "libx264, 4 Mbit/s, two passes, mkv",
        ),
        (
            "/usr/bin/ffmpeg -i in.mkv -map 0:v -map 0:a:m:language:eng -c:v libx264 -c:a ac3 -b:a 640k out.mkv",
            "libx264, ac3 640 kbit/s, audio in eng, no subtitles, mkv",
        ),
        (
            "ffmpeg -i in.mkv -map 0 -map -0:s -c:v hevc_nvenc -cq 28 -preset p5 -c:a copy \\\n out.mkv",
            "hevc_nvenc, CRF 28, preset p5, no subtitles, mkv",
        ),
        (
            "ffmpeg -i talk.wav -map 0 -vn -c:a libopus -b:a 32k -ac 1 -af loudnorm=I=-16:TP=-1.5:LRA=11 out.opus",
            "libopus 32 kbit/s, downmix mono, loudness -16/11/-1.5, no subtitles, opus",
        ),
        (
            "ffmpeg -i in.mkv -map 0 -c:v libx264 -qp 0 -r 30 -s 1280x720 -c:a copy out.mkv",
            "libx264, lossless, 1280x720, frame rate 30, mkv",
        ),
        (
            "ffmpeg -i in.avi -map 0 out.webm",
            "any vp9 encoder, libopus, webm",
        ),
    ] {
        let (recipe, left_out) = imported(line);
        let recipe = recipe.replace("no video, ", "");
        assert_eq!(recipe, words, "{line}");
        assert_eq!(left_out, [""; 0], "{line}");
    }
}

#[test]
fn what_cannot_be_carried_over_is_named() {
    for (line, left) in [
        ("ffmpeg -i in.mkv -c:v libx264 -c:a copy out.mkv", TRACKS),
        (
            "ffmpeg -hwaccel cuda -i in.mkv -map 0 -c:v libx264 out.mp4",
            "-hwaccel cuda: ",
        ),
        (
            "ffmpeg -i a.mkv -i b.srt -map 0 -c:v libx264 out.mp4",
            "-i b.srt: ",
        ),
        (
            "ffmpeg -i a.mkv -map 0 -map 1:s -c:v libx264 out.mp4",
            "-map 1:s: ",
        ),
        (
            "ffmpeg -i a.mkv -map 0:v -map 0:a:1 -c:v libx264 out.mp4",
            "-map 0:a:1: ",
        ),
        (
            "ffmpeg -i a.mkv -map 0 -vf subtitles=a.srt -c:v libx264 out.mp4",
            "--burn-in",
        ),
        (
            "ffmpeg -i a.mkv -map 0 -vf drawtext=text=x,hflip -c:v libx264 out.mp4",
            "drawtext=text=x: the filter is not allowed",
        ),
        (
            "ffmpeg -i a.mkv -map 0 -filter_complex '[0:v]split[a][b]' -c:v libx264 out.mp4",
            "graphs of filters",
        ),
        (
            "ffmpeg -i a.mkv -map 0 -metadata title=x -c:v libx264 out.mp4",
            "-metadata title=x: ",
        ),
        (
            "ffmpeg -i a.mkv -map 0 -c:v libx264 -ar 44100 out.mp4",
            "-ar 44100: ",
        ),
        (
            "ffmpeg -i a.mkv -map 0 -c:v libx264 -af volume=2 out.mp4",
            "-af volume=2: ",
        ),
        (
            "ffmpeg -i a.mkv -map 0 -c:v libx264 -c:a pcm_s16le out.mkv",
            "-c:a pcm_s16le: ",
        ),
        (
            "ffmpeg -i a.mkv -map 0 -c:v libx264 -x264-params stats=/tmp/x out.mkv",
            "-x264-params stats=/tmp/x: ",
        ),
        (
            "ffmpeg -i a.mkv -map 0 -c:v libx264 -frobnicate out.mkv",
            "-frobnicate out.mkv: ",
        ),
        (
            "ffmpeg -i a.mkv -map 0 -c:v copy -crf 20 out.mkv",
            "options of the video encoder: ",
        ),
        (
            "ffmpeg -i a.mkv -map 0 -c:v libx264 -shortest out.mkv",
            "-shortest: ",
        ),
        (
            "ffmpeg -i a.mkv -map 0 -c:v libx264 out.mkv -c:v libx265 b.mkv",
            "output b.mkv: ",
        ),
        (
            "ffmpeg -i a.mkv -map 0 -c:v libx264 out.ts",
            "output out.ts: ",
        ),
        (
            "ffmpeg -i a.mkv -map 0 -vn -c:v libx264 -c:a aac out.mkv",
            "options of the video encoder: ",
        ),
    ] {
        let (_, left_out) = imported(line);
        assert!(
            left_out.iter().any(|one| one.contains(left)),
            "{line}: {left_out:?}"
        );
    }
}

#[test]
fn what_is_not_understood_leaves_nothing_else_out() {
    for (line, words, left) in [
        (
            "ffmpeg -i a.mkv -filter_complex '[0:v]hflip[v]' -map '[v]' -map 0:a -c:a copy out.mp4",
            "any h264 encoder, mp4",
            "-map [v]: ",
        ),
        (
            "ffmpeg -i a.mkv -map 0:v:0 -map 0:1 -c:v libx264 -c:a ac3 out.mkv",
            "libx264, ac3, mkv",
            "-map 0:1: ",
        ),
        (
            "ffmpeg -i a.mkv -map 0 -c:v libx264 -c:a copy a.mp4 -vn -c:a aac b.m4a",
            "libx264, mp4",
            "output b.m4a: ",
        ),
        (
            "ffmpeg -i a.mkv -map 0 -map -0:a:1 -c copy out.mkv",
            "video as it is, mkv",
            "-map -0:a:1: ",
        ),
    ] {
        let (recipe, left_out) = imported(line);
        assert_eq!(recipe, words, "{line}");
        assert!(
            left_out.iter().any(|one| one.starts_with(left)),
            "{line}: {left_out:?}"
        );
    }
}

#[test]
fn what_is_no_command_line_is_refused() {
    for (line, why) in [
        ("", "empty"),
        ("mkvmerge -o a.mkv b.mkv", "and not with ffmpeg"),
        ("ffmpeg -c:v libx264 out.mkv", "no input"),
        ("ffmpeg -i 'a.mkv -c:v libx264 out.mkv", "quote"),
        ("ffmpeg -i a.mkv -f mpegts - | ffplay -", "pipe"),
        ("cd films && ffmpeg -i a.mkv out.mkv", "several commands"),
        (
            "ffmpeg -i a.mkv -c:v libx264 -crf 99 out.mkv",
            "0 (best) to 51",
        ),
        (
            "ffmpeg -i a.mkv -c:v libx264 out.webm",
            "webm cannot hold h264",
        ),
        (
            "ffmpeg -i a.mkv -c:v h264_nvenc -pix_fmt p010le out.mkv",
            "--bit-depth 8",
        ),
    ] {
        let error = read(line).map(|one| one.preset.recipe).expect_err(line);
        assert!(error.contains(why), "{line}: {error}");
    }
}
