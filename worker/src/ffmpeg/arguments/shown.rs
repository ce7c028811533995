//! A command line as people read it: quoted for a shell, with short names in place of the paths of an attempt.

use std::ffi::OsString;
use std::path::Path;

use crate::ffmpeg::arguments::Arguments;
use crate::ffmpeg::arguments::passes::at_bitrate;
use crate::ffmpeg::{Source, file};

impl Arguments {
    /// The runs of ffmpeg, one a line, for a person who wants to run them. `input` and `output` are the names that stand
    /// for the source and the output; files of the attempt's folder have no folder. For a size, the bitrate is an estimate:
    /// the worker weighs the other tracks first.
    pub fn shown(&self, source: &Source, output: &Path, names: (&str, &str)) -> String {
        let bitrate = self.size.as_ref().map(|plan| plan.budget.estimate);
        let passes = self.first_pass.iter().chain([&self.list]);
        let passes = passes.map(|run| match bitrate {
            Some(bitrate) => at_bitrate(run, bitrate),
            None => run.clone(),
        });
        let runs = self.before.iter().cloned().chain(passes);
        let shown = Shown::new(source, output, names);
        let lines: Vec<String> = runs.map(|run| shown.line(&run)).collect();
        lines.join("\n")
    }
}

/// What is written in place of what.
struct Shown {
    input: (OsString, String),
    output: (OsString, String),
    /// The folder of the attempt, with the slash.
    folder: String,
}

impl Shown {
    fn new(source: &Source, output: &Path, (input, to): (&str, &str)) -> Self {
        let read = source.arguments().pop().unwrap_or_default();
        let folder = output.parent().unwrap_or(Path::new(""));
        Self {
            input: (read, input.to_owned()),
            output: (file(output), to.to_owned()),
            folder: format!("{}/", folder.display()),
        }
    }

    fn line(&self, run: &[OsString]) -> String {
        let words: Vec<String> = run.iter().map(|word| self.word(word)).collect();
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
        text.replace(&inside, "").replace(&self.folder, "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            "ffmpeg -y -i '/in/a film.mkv' -attach cover.jpg -vf 'subtitles=subtitles.ass' 'a film.new.mkv'"
        );
        let url = "https://s3/b/k?X-Amz-Signature=abc";
        let source = Source::Url(url.to_owned());
        let shown = Shown::new(&source, output, ("s3://b/k", "k.mkv"));
        assert_eq!(shown.line(&[url.into()]), "ffmpeg s3://b/k");
    }
}
