//! What a file holds of a kind, by ffprobe.

use common::job::changes::Kind;
use serde_json::Value;

/// What a file holds of a kind, in a form that can be compared; `None` if it holds nothing.
pub(crate) fn held(kind: Kind, file: &Value) -> Option<String> {
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
        Kind::Hdr10plus | Kind::DolbyVision | Kind::Loudness => None,
    }
}
