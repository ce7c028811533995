//! What the container of an output states about its film. Pieces do not hold all of it, so an output with the first frame
//! of the film is made as an unsplit encode makes it, and the join repeats what that states.

use std::ffi::OsString;
use std::fs::File;
use std::path::Path;

use common::job::failure::Failure;
use common::job::split::Stated;

use crate::ffmpeg::Source;
use crate::ffmpeg::containers::matroska;
use crate::ffmpeg::probe::packets::field;
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::run::runner::{Printed, Runner};

/// Reads what a file states about its film, its first track.
///
/// # Errors
/// If ffprobe cannot read the file.
pub async fn read(runner: &Runner, file: &Path) -> Result<Stated, Failure> {
    let entries =
        "stream=color_range,color_space,color_transfer,color_primaries,chroma_location,field_order";
    let mut arguments: Vec<OsString> = ["-v", "error", "-of", "compact", "-select_streams", "v:0"]
        .map(OsString::from)
        .into();
    arguments.extend(["-show_entries", entries].map(OsString::from));
    arguments.extend(Source::File(file.to_owned()).arguments());
    let mut stated = Stated::default();
    let on_line = |printed: Printed<'_>| {
        if let Printed::Answer(line) = printed {
            take(&mut stated, line);
        }
    };
    runner
        .ffprobe_lines(&arguments, Origin::Local, on_line)
        .await?;
    stated.frame = File::open(file)
        .and_then(|file| matroska::frame(file, 0))
        .unwrap_or_default();
    Ok(stated)
}

fn take(stated: &mut Stated, line: &str) {
    let places = [
        ("color_range", &mut stated.range),
        ("color_space", &mut stated.matrix),
        ("color_transfer", &mut stated.transfer),
        ("color_primaries", &mut stated.primaries),
        ("chroma_location", &mut stated.chroma_location),
        ("field_order", &mut stated.field_order),
    ];
    for (name, place) in places {
        let known = field(line, name).filter(|value| !matches!(*value, "unknown" | "unspecified"));
        if let Some(value) = known {
            *place = value.to_owned();
        }
    }
}

/// The options of ffmpeg that make the first film of an output state the same.
pub fn options(stated: &Stated) -> Vec<String> {
    // ffprobe and ffmpeg have two words for these.
    let matrix = match stated.matrix.as_str() {
        "gbr" => "rgb",
        matrix => matrix,
    };
    let transfer = match stated.transfer.as_str() {
        "bt470m" => "gamma22",
        "bt470bg" => "gamma28",
        transfer => transfer,
    };
    let colours = [
        ("color_range", stated.range.as_str()),
        ("colorspace", matrix),
        ("color_trc", transfer),
        ("color_primaries", stated.primaries.as_str()),
        ("chroma_sample_location", stated.chroma_location.as_str()),
    ];
    let or_unknown = |(name, value): (&'static str, &str)| match value {
        // A piece may say more than the whole does.
        "" => (name, "unknown".to_owned()),
        value => (name, value.to_owned()),
    };
    let order = Some(("field_order", stated.field_order.clone()));
    let order = order.filter(|(_, value)| !value.is_empty());
    colours
        .map(or_unknown)
        .into_iter()
        .chain(order)
        .flat_map(|(name, value)| [format!("-{name}:v:0"), value])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stated_is_repeated() {
        let mut stated = Stated::default();
        take(
            &mut stated,
            "stream|color_range=pc|color_space=gbr|color_transfer=unknown|color_primaries=bt709|chroma_location=unspecified|field_order=tb|",
        );
        assert_eq!(
            (stated.range.as_str(), stated.matrix.as_str()),
            ("pc", "gbr")
        );
        assert_eq!(
            options(&stated).join(" "),
            "-color_range:v:0 pc -colorspace:v:0 rgb -color_trc:v:0 unknown -color_primaries:v:0 bt709 \
             -chroma_sample_location:v:0 unknown -field_order:v:0 tb"
        );
    }
}
