//! Inputs with everything that the table is about.

use std::path::PathBuf;

use common::job::changes::Kind;

use crate::picture;
use crate::studio::Studio;

/// An input, and the kinds of things that it tests.
pub(crate) struct Input {
    pub(crate) path: PathBuf,
    pub(crate) kinds: &'static [Kind],
}

/// A film with some of everything that files hold beside pictures.
pub(crate) fn film(studio: &Studio) -> PathBuf {
    let write = |name: &str, text: &str| {
        let path = studio.path(name);
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    let chapters = write(
        "chapters.txt",
        ";FFMETADATA1\nartist=Somebody\ntimecode=01:00:00:00\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=300\ntitle=One\n\
         [CHAPTER]\nTIMEBASE=1/1000\nSTART=300\nEND=1000\ntitle=Two\n",
    );
    let text = write(
        "text.srt",
        "1\n00:00:00,100 --> 00:00:00,900\nGood morning.\n",
    );
    let font = write("a.ttf", "no font");
    let cover = studio.make("cover.png", "-f lavfi -i color=red:size=32x32 -frames:v 1");
    studio.make(
        "film.mkv",
        &format!(
            "-f lavfi -i testsrc2=size=160x90:rate=24000/1001 -f lavfi -i anullsrc=channel_layout=5.1 -i {text} -i {chapters} \
             -map 0 -map 1 -map 2 -map_metadata 3 -map_chapters 3 -t 1 -vf setsar=4/3 -pix_fmt yuv420p \
             -c:v libx264 -preset ultrafast -c:a aac -c:s srt -metadata:s:a:0 language=ger -metadata:s:a:0 title=Kommentar \
             -metadata:s:s:0 language=eng -disposition:s:0 forced \
             -attach {font} -metadata:s:t:0 mimetype=application/x-truetype-font -metadata:s:t:0 filename=a.ttf \
             -attach {} -metadata:s:t:1 mimetype=image/png -metadata:s:t:1 filename=cover.png",
            cover.display()
        ),
    )
}

/// Inputs for the columns of containers.
pub(crate) fn files(studio: &Studio) -> Vec<Input> {
    vec![
        Input {
            path: film(studio),
            kinds: &[
                Kind::Track,
                Kind::Language,
                Kind::Title,
                Kind::Disposition,
                Kind::Chapters,
                Kind::Attachment,
                Kind::Cover,
                Kind::Tag,
                Kind::Aspect,
                Kind::Timing,
                Kind::Timecode,
                Kind::Layout,
            ],
        },
        Input {
            path: studio.rotated(),
            kinds: &[Kind::Rotation],
        },
    ]
}

/// Inputs for the columns of encoders.
pub(crate) fn pictures(studio: &Studio) -> Vec<Input> {
    let colours = |transfer| {
        format!(
            "-frames:v 5 -vf setparams=color_primaries=bt2020:color_trc={transfer}:colorspace=bt2020nc:range=tv"
        )
    };
    let deep = "-pix_fmt yuv420p10le -c:v libx265 -preset ultrafast -x265-params log-level=error";
    let hlg = studio.clip("hlg.mkv", &format!("{} {deep}", colours("arib-std-b67")));
    let fields = "-frames:v 8 -vf tinterlace=interleave_top,fieldorder=tff,format=yuv420p -c:v libx264 -preset ultrafast";
    let fields = format!("-f lavfi -i testsrc2=size=192x144:rate=50 {fields} -flags +ildct+ilme");
    let fields = studio.make("fields.ts", &fields);
    let alpha = studio.clip(
        "alpha.webm",
        "-frames:v 3 -vf format=yuva420p,colorchannelmixer=aa=0.5 -c:v libvpx-vp9 -pix_fmt yuva420p -auto-alt-ref 0",
    );
    let one = |path, kinds| Input { path, kinds };
    vec![
        one(picture::hdr10(studio), &[Kind::Colour, Kind::Hdr10]),
        one(hlg, &[Kind::Hlg]),
        one(fields, &[Kind::Interlacing]),
        one(alpha, &[Kind::Alpha]),
        one(picture::captions::captioned(studio), &[Kind::Captions]),
    ]
}
