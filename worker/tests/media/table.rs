//! The table of docs/MEDIA.md: what is kept, converted or lost, by container and encoder. Each cell is what an old and a
//! recent ffprobe find in a real output; our own list has to agree.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::job::changes::{Change, Fate, Kind};
use common::recipe::{Container, Recipe};
use serde_json::Value;

use crate::studio::Studio;
use crate::{picture, studio};

/// Where the table is, and the lines that it lies between.
const DOCUMENT: &str = "../docs/MEDIA.md";
const BEGIN: &str = "<!-- table of what is kept: made by a test -->\n";
const END: &str = "<!-- end of the table -->\n";
/// Set, it has the table written instead of compared.
const REWRITE: &str = "REWRITE_MEDIA_TABLE";

/// What is found of one kind in one output, or that it was refused.
type Cell = &'static str;

/// An input, and the kinds of things that it is there for.
struct Input {
    path: PathBuf,
    kinds: &'static [Kind],
}

/// What an output is made by.
struct Column {
    name: String,
    recipe: Recipe,
}

fn column(encoder: &str, container: Container) -> Column {
    let recipe = match encoder {
        "copy" => Recipe {
            container,
            ..studio::copy()
        },
        _ => picture::recipe(encoder, container),
    };
    let audio = match container {
        Container::Webm => "copy,else=libopus",
        _ => "copy",
    };
    Column {
        name: format!("{encoder} {container}"),
        recipe: Recipe {
            audio: audio.parse().expect("audio"),
            ..recipe
        },
    }
}

/// A film with a bit of all that files hold beside pictures.
fn film(studio: &Studio) -> PathBuf {
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

/// Inputs for what containers hold.
fn files(studio: &Studio) -> Vec<Input> {
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

/// Inputs for what encoders write.
fn pictures(studio: &Studio) -> Vec<Input> {
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
        one(picture::captioned(studio), &[Kind::Captions]),
    ]
}

/// What a file holds of a kind, so that two files can be compared; `None` where it holds nothing.
fn held(kind: Kind, file: &Value) -> Option<String> {
    let streams = || file["streams"].as_array().into_iter().flatten();
    let of = |sort: &'static str| {
        streams().find(move |stream| {
            stream["codec_type"] == sort && stream["disposition"]["attached_pic"] != 1
        })
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let tag = |value: &Value, name: &str| {
        let tags = value["tags"].as_object()?;
        let mut tags = tags.iter();
        let (_, value) = tags.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        text(value)
    };
    let film = of("video")?;
    let frame = || file["frames"].as_array().and_then(|frames| frames.first());
    let side = |name: &str| {
        let lists = [&film["side_data_list"], &frame()?["side_data_list"]];
        let mut all = lists.into_iter().filter_map(Value::as_array).flatten();
        all.find(|data| {
            data["side_data_type"]
                .as_str()
                .is_some_and(|kind| kind.contains(name))
        })
    };
    let ratio = |value: &Value| {
        let (above, below) = value.as_str()?.split_once(['/', ':'])?;
        let ratio = above.parse::<f64>().ok()? / below.parse::<f64>().ok()?;
        ratio.is_finite().then_some(ratio)
    };
    match kind {
        Kind::Track => of("subtitle").and_then(|stream| text(&stream["codec_name"])),
        Kind::Language => {
            let code = tag(of("audio")?, "language")?;
            (code != "und").then(|| code.replace("ger", "deu"))
        }
        Kind::Title => {
            let sound = of("audio")?;
            let title = || tag(sound, "title");
            let name = || tag(sound, "handler_name").filter(|name| !name.ends_with("Handler"));
            title().or_else(name)
        }
        Kind::Disposition => {
            let marks = &of("subtitle")?["disposition"];
            (marks["forced"] == 1).then(|| format!("forced, default {}", marks["default"]))
        }
        Kind::Chapters => {
            let chapters = file["chapters"].as_array()?;
            let words = chapters.iter().map(|chapter| {
                let start: f64 = chapter["start_time"].as_str()?.parse().ok()?;
                Some(format!("{start:.1} {}", tag(chapter, "title")?))
            });
            words
                .collect::<Option<Vec<_>>>()
                .map(|words| words.join(", "))
                .filter(|words| !words.is_empty())
        }
        Kind::Attachment => {
            let mut fonts = streams().filter(|stream| stream["codec_type"] == "attachment");
            fonts.find_map(|stream| tag(stream, "filename"))
        }
        Kind::Cover => {
            let mut covers = streams().filter(|stream| stream["disposition"]["attached_pic"] == 1);
            covers.find_map(|stream| text(&stream["codec_name"]))
        }
        Kind::Tag => tag(&file["format"], "artist"),
        Kind::Timecode => std::iter::once(&file["format"])
            .chain(streams())
            .find_map(|place| tag(place, "timecode")),
        Kind::Layout => text(&of("audio")?["channel_layout"]),
        Kind::Rotation => {
            let upright = film["height"].as_u64() > film["width"].as_u64();
            match side("Display Matrix").map(|data| &data["rotation"]) {
                Some(degrees) if *degrees != 0 => Some(format!("{degrees}")),
                _ => upright.then(|| "upright".to_owned()),
            }
        }
        Kind::Aspect => {
            let pixel = ratio(&film["sample_aspect_ratio"]).unwrap_or(1.0);
            let shape = pixel * film["width"].as_f64()? / film["height"].as_f64()?;
            Some(format!("{shape:.2}"))
        }
        Kind::Timing => {
            let (base, mean) = (
                ratio(&film["r_frame_rate"])?,
                ratio(&film["avg_frame_rate"])?,
            );
            let is_even = (base - mean).abs() < 0.1;
            Some(format!("{is_even} {mean:.1}"))
        }
        Kind::Colour => {
            let depth = film["pix_fmt"].as_str()?.contains("10");
            let words = ["color_primaries", "color_transfer", "color_space"].map(|key| &film[key]);
            Some(format!("{depth} {words:?}"))
        }
        Kind::Hdr10 => {
            let brightest = ratio(&side("Mastering display")?["max_luminance"])?;
            let light = &side("Content light")?["max_content"];
            Some(format!("{brightest:.0} {light}"))
        }
        Kind::Hlg => (film["color_transfer"] == "arib-std-b67").then(|| "HLG".to_owned()),
        Kind::Interlacing => Some(match frame()?["interlaced_frame"].as_u64() {
            Some(1) => "fields".to_owned(),
            _ => "whole frames".to_owned(),
        }),
        Kind::Alpha => {
            let format = film["pix_fmt"].as_str()?;
            let has = format.starts_with("yuva") || tag(film, "alpha_mode").as_deref() == Some("1");
            has.then(|| "transparency".to_owned())
        }
        Kind::Captions => side("A53").map(|_| "captions".to_owned()),
        Kind::Hdr10plus | Kind::DolbyVision => None,
    }
}

/// What the judge finds: the same in both, something else, or nothing.
fn found(kind: Kind, before: &Value, after: &Value) -> Cell {
    let held_before =
        held(kind, before).unwrap_or_else(|| panic!("the input holds no {kind}: {before:#}"));
    match held(kind, after) {
        Some(after) if after == held_before => "kept",
        Some(_) => "converted",
        None => "lost",
    }
}

/// What our list says of a kind: the worst of it.
fn told(kind: Kind, changes: &[Change]) -> Cell {
    // Video and sound that are encoded are converted on purpose.
    let of_kind = changes
        .iter()
        .filter(|change| change.kind == kind && !(kind == Kind::Track && change.is_wanted));
    match of_kind.map(|change| change.fate).max() {
        Some(Fate::Kept) => "kept",
        Some(Fate::Converted) => "converted",
        Some(Fate::Lost) => "lost",
        None => "not told",
    }
}

type Table = BTreeMap<(Kind, String), Cell>;

/// Encodes all inputs by all columns with one build of ffmpeg.
async fn measure(studio: &Studio, inputs: &[Input], columns: &[Column]) -> (Table, Vec<String>) {
    let mut table = Table::new();
    let mut wrong = Vec::new();
    for input in inputs {
        let before = studio.judged(&input.path);
        for column in columns {
            let what = format!("{} of {}", column.name, input.path.display());
            let made = studio.encode(&input.path, &column.recipe).await;
            for kind in input.kinds {
                let place = (*kind, column.name.clone());
                let Ok(checked) = &made else {
                    table.insert(place, "refused");
                    continue;
                };
                let cell = found(*kind, &before, &studio.judged(&studio.output()));
                let says = told(*kind, &checked.changes);
                if says != cell {
                    let list: Vec<String> = checked
                        .changes
                        .iter()
                        .filter(|change| change.kind == *kind)
                        .map(ToString::to_string)
                        .collect();
                    wrong.push(format!(
                        "{what}: {kind} is {cell}, told as {says}: {list:?}"
                    ));
                }
                table.insert(place, cell);
            }
            if let Err(failure) = made
                && failure.fault != common::job::failure::Fault::Input
            {
                wrong.push(format!("{what}: {failure}"));
            }
        }
    }
    (table, wrong)
}

/// A table in Markdown; where the two builds differ, a cell has both.
fn markdown(columns: &[Column], kinds: &[Kind], old: &Table, recent: &Table) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let mut text = format!(
        "| | {} |\n|---|{}\n",
        names.join(" | "),
        "---|".repeat(names.len())
    );
    for kind in kinds {
        let cells = columns.iter().map(|column| {
            let place = (*kind, column.name.clone());
            match (old[&place], recent[&place]) {
                (old, recent) if old == recent => old.to_owned(),
                (old, recent) => format!("{old}, recent: {recent}"),
            }
        });
        let cells: Vec<String> = cells.collect();
        text += &format!("| {kind} | {} |\n", cells.join(" | "));
    }
    text
}

#[tokio::test]
async fn the_table_of_what_is_kept_is_true() {
    use Container::{Mkv, Mov, Mp4, Webm};
    let by_container = [
        column("libx264", Mkv),
        column("libx264", Mp4),
        column("libx264", Mov),
        column("libvpx-vp9", Webm),
        column("copy", Mkv),
        column("copy", Mp4),
        column("copy", Mov),
    ];
    let by_encoder = [
        column("libx264", Mkv),
        column("libx264", Mp4),
        column("libx265", Mkv),
        column("libx265", Mp4),
        column("libsvtav1", Mkv),
        column("libsvtav1", Mp4),
        column("libvpx-vp9", Webm),
        column("copy", Mkv),
        column("copy", Mp4),
    ];
    let [old, recent] = Studio::each();
    let all = async |studio: &Studio| {
        let files = measure(studio, &files(studio), &by_container).await;
        let pictures = measure(studio, &pictures(studio), &by_encoder).await;
        (files, pictures)
    };
    let (old, recent) = tokio::join!(all(&old), all(&recent));
    let kinds = |table: &Table| {
        let mut kinds: Vec<Kind> = table.keys().map(|(kind, _)| *kind).collect();
        kinds.dedup();
        kinds
    };
    let text = format!(
        "{}\n{}",
        markdown(&by_container, &kinds(&old.0.0), &old.0.0, &recent.0.0),
        markdown(&by_encoder, &kinds(&old.1.0), &old.1.0, &recent.1.0)
    );
    let wrong: Vec<&String> = [&old.0.1, &old.1.1, &recent.0.1, &recent.1.1]
        .into_iter()
        .flatten()
        .collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
    let document = std::fs::read_to_string(&path).expect("the document");
    let (before, rest) = document.split_once(BEGIN).expect("the table begins");
    let (written, after) = rest.split_once(END).expect("the table ends");
    if std::env::var_os(REWRITE).is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}\n{text}\n{END}{after}")).expect("written");
    } else {
        assert_eq!(written.trim(), text.trim(), "{REWRITE}=1 writes it anew");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
