use std::process::Command;

use crate::submit::sniff::*;

fn of(name: &str, bytes: &[u8]) -> Option<NoVideo> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("written");
    no_video(&path).expect("it can be read")
}

#[test]
fn what_is_text_is_no_video() {
    let code = "export const x: number = 1;\n".repeat(10_000);
    for (name, bytes, found) in [
        ("index.ts", code.as_bytes(), NoVideo::Text),
        ("b.ts", b"x", NoVideo::Text),
        ("c.ts", "const ü = 'größer';\r\n".as_bytes(), NoVideo::Text),
        ("d.ts", b"caf\xe9 \x96 in an old encoding", NoVideo::Text),
        ("e.ts", b"\xff\xfel\0e\0t\0 \0x\0", NoVideo::Text),
        (
            "list.mkv",
            b"#EXTM3U\n#EXTINF:4,\nok.mp4\n",
            NoVideo::Playlist,
        ),
        ("bom.mkv", b"\xef\xbb\xbf#EXTM3U\n", NoVideo::Playlist),
        (
            "concat.mp4",
            b"ffconcat version 1.0\nfile ok.mp4\n",
            NoVideo::Playlist,
        ),
        (
            "error.mkv",
            b"<!DOCTYPE html>\n<html><title>404",
            NoVideo::WebPage,
        ),
        ("empty.mkv", b"", NoVideo::Empty),
    ] {
        assert_eq!(of(name, bytes), Some(found), "{name}");
    }
}

/// An ID3 tag with so many bytes in it.
fn tag(bytes: u32) -> Vec<u8> {
    let size = [21, 14, 7, 0].map(|shift| (bytes >> shift & 0x7f) as u8);
    [b"ID3\x04\0\0".as_slice(), &size, &vec![0; bytes as usize]].concat()
}

#[test]
fn pictures_archives_and_bare_sound_are_no_video() {
    let mut frames = Vec::new();
    for _ in 0..8 {
        // 417 bytes: 128 kbit/s at 44.1 kHz.
        frames.extend(b"\xff\xfb\x90\x64");
        frames.resize(frames.len() + 413, 0);
    }
    for (name, bytes, found) in [
        (
            "photo.mp4",
            &b"\xff\xd8\xff\xe0\0\x10JFIF\0"[..],
            NoVideo::Picture,
        ),
        (
            "shot.mkv",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
            NoVideo::Picture,
        ),
        (
            "phone.mp4",
            b"\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\0\x0cmeta\0\0\0\0",
            NoVideo::Picture,
        ),
        ("films.mkv", b"PK\x03\x04\x14\0\0\0", NoVideo::Other),
        (
            "film.ts",
            b"%PDF-1.7\n\xe2\xe3\xcf\xd3\n\x01",
            NoVideo::Other,
        ),
        ("memo.flac", b"fLaC\0\0\0\x22", NoVideo::Sound),
        ("memo.avi", b"RIFF\x24\0\0\0WAVEfmt ", NoVideo::Sound),
        ("song.mpg", &frames, NoVideo::Sound),
        (
            "tagged.mpg",
            &[tag(70_000), vec![0; 9], frames.clone()].concat(),
            NoVideo::Sound,
        ),
    ] {
        assert_eq!(of(name, bytes), Some(found), "{name}");
    }
}

#[test]
fn what_may_be_video_is_left_to_its_job() {
    let stream = [b"\0\0\0\x01\x67\x42".as_slice(), &[0x80; 100]].concat();
    let transport: Vec<u8> = [b"\x47\x40\0\x10".as_slice(), &[0xff; 184]]
        .concat()
        .repeat(5);
    for (name, bytes) in [
        ("raw.h264", stream.as_slice()),
        ("dvb.ts", &transport),
        (
            "disc.m2ts",
            &[b"\x09\x1a\x2b\x3c".as_slice(), &transport].concat(),
        ),
        ("dvd.vob", b"\0\0\x01\xba\x44\0\x04\0\x04\x01"),
        ("tape.dv", b"\x1f\x07\0\xbf\xf8\x78\x78\x78"),
        ("test.y4m", b"YUV4MPEG2 W320 H180 F25:1\nFRAME\n"),
        ("cam.mjpeg", b"\xff\xd8\xff\xe0\0\x10JFIF\0"),
        (
            "half.mp4",
            b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2\xff\xff\xff\xffmdat",
        ),
        ("cut.mkv", b"\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\x1f"),
        ("zeros.mkv", &[0; 9000][..]),
        ("noise.ts", &[0, 1, 2, 3, 200, 201, 202][..]),
    ] {
        assert_eq!(of(name, bytes), None, "{name}");
    }
}

/// ffmpeg finds media behind any of these.
#[test]
fn what_stands_before_a_video_hides_it_from_nobody() {
    let mut video = Vec::new();
    for frame in 0..4000_u32 {
        video.extend(b"\0\0\0\x01\x67\x42");
        video.extend(frame.to_be_bytes().map(|byte| byte | 0x80));
        video.extend(b"\x03\x12\x1b".repeat(4));
    }
    for (name, before) in [
        ("a short tag", tag(100)),
        ("a tag that is larger than what is looked at", tag(100_000)),
        ("two tags", [tag(10), tag(10)].concat()),
        ("zeros", vec![0; 100_000]),
        ("ones", vec![0xff; 100_000]),
        ("a server's header", b"HTTP/1.0 200 OK\r\n\r\n".to_vec()),
        ("text", b"a note of the recorder\n".repeat(4000)),
    ] {
        let whole = [before.as_slice(), &video].concat();
        assert_eq!(of("film.ts", &whole), None, "{name}");
    }
}

#[test]
fn text_is_text_to_its_end() {
    let units = "Привет, мир\n".repeat(20_000);
    let mut wide = b"\xff\xfe".to_vec();
    wide.extend(units.encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(of("a.ts", &wide), Some(NoVideo::Text));
    assert_eq!(of("b.ts", units.as_bytes()), Some(NoVideo::Text));
}

#[test]
fn pictures_one_after_the_other_are_a_film() {
    let jpeg = b"\xff\xd8\xff\xe0\0\x10JFIF\0 picture \xff\xd9".as_slice();
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\0IEND\xae\x42\x60\x82".as_slice();
    let mut bitmap = b"BM\x40\0\0\0\0\0\0\0\x36\0\0\0\x28\0".to_vec();
    bitmap.resize(0x40, 0);
    for picture in [jpeg, png, &bitmap] {
        assert_eq!(of("one.mkv", picture), Some(NoVideo::Picture));
        assert_eq!(of("many.mkv", &picture.repeat(3)), None);
    }
}

/// Real files of the containers that say what they hold, by the ffmpeg that is there.
#[test]
fn containers_with_sound_only_are_told_from_those_with_video() {
    let folder = tempfile::tempdir().expect("a folder");
    let make = |name: &str, arguments: &[&str]| {
        let path = folder.path().join(name);
        let done = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error"])
            .args(arguments)
            .arg(&path)
            .status()
            .expect("ffmpeg is there");
        assert!(done.success(), "{name}");
        no_video(&path).expect("it can be read")
    };
    let sound = ["-f", "lavfi", "-i", "sine=d=0.3"];
    let film = ["-f", "lavfi", "-i", "testsrc2=s=64x64:r=10:d=0.3"];
    let fast = ["-movflags", "+faststart"];
    let pieces = ["-movflags", "+frag_keyframe+empty_moov"];
    for (name, further) in [
        ("a.mp4", &[][..]),
        ("b.mp4", &fast),
        ("c.mp4", &pieces),
        ("d.mov", &[]),
        ("e.mkv", &[]),
        ("f.webm", &["-c:a", "libopus"]),
        ("g.ogg", &["-c:a", "libvorbis"]),
        ("h.wma", &[]),
        ("i.mp3", &["-write_id3v2", "0"]),
        ("j.aac", &[]),
        ("k.wav", &[]),
    ] {
        let arguments = [&sound, further].concat();
        assert_eq!(make(name, &arguments), Some(NoVideo::Sound), "{name}");
    }
    let both = [film, sound].concat();
    for (name, further) in [
        ("a.mp4", &["-c:v", "mpeg4"][..]),
        ("b.mp4", &["-c:v", "mpeg4", "-movflags", "+faststart"]),
        (
            "c.mp4",
            &["-c:v", "mpeg4", "-movflags", "+frag_keyframe+empty_moov"],
        ),
        ("d.mov", &["-c:v", "mjpeg"]),
        ("e.mkv", &["-c:v", "mpeg4"]),
        ("f.webm", &["-c:v", "libvpx", "-c:a", "libopus"]),
        ("g.ogv", &["-c:v", "libtheora", "-c:a", "libvorbis"]),
        ("h.wmv", &["-c:v", "wmv2"]),
        ("i.avi", &["-c:v", "mpeg4"]),
        ("j.ts", &["-c:v", "mpeg2video"]),
        ("k.mpg", &["-c:v", "mpeg2video"]),
        ("l.flv", &["-c:v", "flv"]),
    ] {
        let name = format!("video-{name}");
        let arguments = [&both, further].concat();
        assert_eq!(make(&name, &arguments), None, "{name}");
    }
}
