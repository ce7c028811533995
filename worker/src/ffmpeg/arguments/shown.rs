//! A command line as people read it: quoted for a shell, with short names in place of the paths of an attempt.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use common::recipe::Recipe;

use crate::ffmpeg::arguments::Arguments;
use crate::ffmpeg::arguments::passes::at_bitrate;
use crate::ffmpeg::picture::{LUT, WATERMARK};
use crate::ffmpeg::run::without_address;
use crate::ffmpeg::tracks::captions;
use crate::ffmpeg::tracks::subtitles::burn_in::{Extraction, FONTS};
use crate::ffmpeg::{Source, file};

impl Arguments {
    /// The runs of ffmpeg, one a line, for a person who wants to run them. `names` stand for the source and the output;
    /// files of the attempt's folder have no folder. Comments name the files that no run makes. For a size, the bitrate is
    /// an estimate: the worker weighs the other tracks first.
    pub fn shown(
        &self,
        recipe: &Recipe,
        source: &Source,
        output: &Path,
        names: (&str, &str),
    ) -> String {
        let bitrate = self.size.as_ref().map(|plan| plan.budget.estimate);
        let passes = self.first_pass.iter().chain([&self.list]);
        let passes = passes.map(|run| match bitrate {
            Some(bitrate) => at_bitrate(run, bitrate),
            None => run.clone(),
        });
        let burn_in = self.burn_in.iter().map(Extraction::arguments);
        let files = self.files.iter().map(|files| files.list.as_slice());
        let before = self.before.iter().map(Vec::as_slice);
        let before = before.chain(burn_in).chain(files);
        let runs = before.map(<[OsString]>::to_vec).chain(passes);
        let shown = Shown::new(source, output, names);
        let runs = runs.map(|run| shown.line(&run));
        let lines: Vec<String> = runs.chain(self.files(recipe)).collect();
        lines.join("\n")
    }

    /// What lies in the folder of the attempt before the first run, as comments of a shell.
    fn files(&self, recipe: &Recipe) -> Vec<String> {
        let video = recipe.video_encode();
        let fonts = self.burn_in.as_ref();
        let tables = self.tables.iter();
        let computed = tables.map(|table| (table.name.as_str(), "computed by the worker"));
        let has_lut = video.is_some_and(|video| video.lut.is_some());
        let has_watermark = video.is_some_and(|video| video.watermark.is_some());
        let has_fonts = fonts.is_some_and(|brought| brought.has_fonts());
        [
            (LUT, "the colour table of the recipe", has_lut),
            (WATERMARK, "the watermark of the recipe", has_watermark),
            (FONTS, "an empty folder", has_fonts),
        ]
        .into_iter()
        .filter_map(|(name, what, is_there)| is_there.then_some((name, what)))
        .chain(computed)
        .map(|(name, what)| format!("# {name}: {what}"))
        .collect()
    }
}

/// What is written in place of what.
struct Shown {
    input: (OsString, String),
    output: (OsString, String),
    /// The source within a graph of filters.
    read_by_filter: (String, String),
    /// The folder of the attempt, with the slash.
    folder: String,
}

impl Shown {
    fn new(source: &Source, output: &Path, (input, to): (&str, &str)) -> Self {
        let read = source.arguments().pop().unwrap_or_default();
        let folder = output.parent().unwrap_or(Path::new(""));
        Self {
            read_by_filter: (in_graph(&read), in_graph(input.as_ref())),
            input: (read, input.to_owned()),
            output: (file(output), to.to_owned()),
            folder: format!("{}/", folder.display()),
        }
    }

    fn line(&self, run: &[OsString]) -> String {
        // A worker replaces its own scratch files. A person's file in the place of the output stays.
        let words = run.iter().filter(|word| *word != "-y");
        let words: Vec<String> = words.map(|word| self.word(word)).collect();
        let words = ["ffmpeg"]
            .into_iter()
            .chain(words.iter().map(String::as_str));
        shlex::Quoter::new()
            .allow_nul(true)
            .join(words)
            .unwrap_or_default()
    }

    fn word(&self, word: &OsString) -> String {
        for (path, name) in [&self.input, &self.output] {
            if word == path {
                return name.clone();
            }
        }
        let text = word.to_string_lossy();
        let inside = format!("file:{}", self.folder);
        let (read, name) = &self.read_by_filter;
        let text = text.replace(read, name).replace(&inside, "");
        without_address(&text.replace(&self.folder, ""))
    }
}

/// A name as a graph of filters holds it.
fn in_graph(name: &OsStr) -> String {
    captions::escaped(name).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffmpeg::probe::media::{Media, StreamKind};
    use crate::ffmpeg::samples::stream;
    use crate::sandbox::address::Address;

    #[test]
    fn paths_of_an_attempt_have_short_names_and_words_are_quoted() {
        let source = Source::File("/in/a film.mkv".into());
        let output = Path::new("/scratch/7/output");
        let list = [
            "-y",
            "-i",
            "file:/in/a film.mkv",
            "-attach",
            "file:/scratch/7/cover.jpg",
            "-vf",
            "subtitles=/scratch/7/subtitles.ass",
            "file:/scratch/7/output",
        ]
        .map(OsString::from);
        let shown = Shown::new(&source, output, ("/in/a film.mkv", "a film.new.mkv"));
        assert_eq!(
            shown.line(&list),
            "ffmpeg -i '/in/a film.mkv' -attach cover.jpg -vf 'subtitles=subtitles.ass' 'a film.new.mkv'"
        );
        let url = "http://127.0.0.1:9/3a";
        let source = Source::Url(Address::new(url, 9, ()));
        let shown = Shown::new(&source, output, ("s3://b/k", "k.mkv"));
        assert_eq!(shown.line(&[url.into()]), "ffmpeg s3://b/k");
    }

    #[test]
    fn an_address_of_the_worker_is_shown_nowhere() {
        let source = Source::Url(Address::new("http://127.0.0.1:9/3a", 9, ()));
        let film = stream(0, StreamKind::Video, "h264");
        let media = Media {
            format: "matroska,webm".to_owned(),
            ..Media::default()
        };
        let shown = Shown::new(&source, Path::new("/7/output"), ("s3://b/k", "k.mkv"));
        let line = shown.line(&captions::input(&film, &media, &source, None));
        let words = shlex::split(&line).expect("quoted");
        assert_eq!(
            words.last().map(String::as_str),
            Some(r"movie=filename=s3\\://b/k:format_name=matroska:stream_index=0[out0+subcc]")
        );
        let other = "http://127.0.0.1:9/4b".into();
        assert_eq!(shown.line(&[other]), "ffmpeg input");
    }
}
