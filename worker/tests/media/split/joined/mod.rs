//! Films that are encoded in chunks and joined: the output is that of an unsplit encode.

mod alike;
mod chunks;
mod long;
mod odd;
mod seams;
mod sources;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use common::farm::card::Proof;
use common::job::split::Chunk;
use common::recipe::encoder::{Codec, Encoder};
use common::recipe::{Container, Recipe};
use worker::ffmpeg::Source;
use worker::ffmpeg::arguments::{self, Pieces, Whole};
use worker::ffmpeg::build::Build;
use worker::ffmpeg::findings::Findings;
use worker::ffmpeg::probe::media::Media;
use worker::ffmpeg::split::header::{Header, header};
use worker::ffmpeg::split::stated;

use crate::studio;
use crate::studio::Studio;

/// An encode of a clip, in whole and in chunks.
struct Encode<'a> {
    studio: &'a Studio,
    clip: PathBuf,
    recipe: Recipe,
    media: Media,
    findings: Findings,
    encoder: (Encoder, Proof),
    build: Build,
    source: Source,
}

/// What was made of a clip.
struct Made {
    whole: PathBuf,
    joined: PathBuf,
    headers: Vec<Header>,
    /// The complaints of ffmpeg about the join.
    told: String,
}

impl<'a> Encode<'a> {
    async fn of(studio: &'a Studio, clip: &Path, recipe: Recipe) -> Self {
        let whole = studio.probe(clip).await.expect("media");
        let mut findings = Findings::default();
        let media = findings.applied_to(&recipe, &whole);
        Self {
            studio,
            clip: clip.to_owned(),
            media,
            findings,
            encoder: studio::encoder(&recipe).expect("an encode"),
            build: studio.build(),
            source: Source::File(clip.to_owned()),
            recipe,
        }
    }

    fn whole(&self) -> Whole<'_> {
        Whole {
            recipe: &self.recipe,
            media: &self.media,
            findings: &self.findings,
            encoder: Some((&self.encoder.0, &self.encoder.1)),
            build: &self.build,
            source: &self.source,
        }
    }

    /// Runs ffmpeg. Returns its complaints.
    fn run(&self, list: &[OsString]) -> String {
        let ran = std::process::Command::new(self.studio.tool())
            .args(list)
            .output()
            .expect("ffmpeg runs");
        let told = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(ran.status.success(), "{list:?}: {told}");
        told
    }

    /// Encodes the clip in whole, and in these chunks.
    async fn make(&self, chunks: &[Chunk], time_base: (u32, u32)) -> Made {
        let whole = self.studio.path("whole");
        let arguments = arguments::encode(
            &self.recipe,
            &self.media,
            &self.findings,
            Some((&self.encoder.0, &self.encoder.1)),
            &self.build,
            &self.source,
            &whole,
        )
        .expect("a line");
        if let Some(before) = &arguments.before {
            self.run(before);
        }
        self.run(&arguments.list);
        let codec = self.encoder.0.codec().expect("a codec");
        let (mut pieces, mut headers) = (Vec::new(), Vec::new());
        for (number, chunk) in chunks.iter().enumerate() {
            let piece = self.piece(number, codec);
            let line = arguments::chunk(&self.whole(), chunk, time_base, &piece).expect("a line");
            self.run(&line.list);
            let source = Source::File(piece.clone());
            let header = header(&self.studio.runner(&piece), &source).await;
            let header = header.expect("a piece");
            assert!(header.begins_with_key, "chunk {number} of {}", self.name());
            assert_eq!(
                header.frames,
                chunk.frames,
                "chunk {number} of {}: {:?}",
                self.name(),
                line.list
            );
            headers.push(header);
            pieces.push(source);
        }
        let rest = self.studio.path(&format!(
            "rest.{}",
            arguments::extension_of_rest(self.recipe.container)
        ));
        let line = arguments::rest(&self.whole(), &rest).expect("a line");
        let has_rest = line.is_some();
        if let Some(line) = line {
            self.run(&line.list);
        }
        let rest = Source::File(rest);
        let first = self.studio.path("first");
        let line = arguments::first_frame(&self.whole(), &first).expect("a line");
        self.run(&line.list);
        let stated = stated::read(&self.studio.runner(&first), &first).await;
        let stated = stated.expect("a frame");
        let list = self.studio.path("list");
        let text = arguments::list_of_pieces(&pieces, chunks, time_base).expect("a list");
        std::fs::write(&list, text).expect("written");
        let joined = self.studio.path("joined");
        let pieces = Pieces {
            chunks,
            time_base,
            list: &list,
            is_remote: false,
            rest: has_rest.then_some(&rest),
            stated: &stated,
        };
        let line = arguments::join(&self.whole(), &pieces, &joined).expect("a line");
        let told = self.run(&line.list);
        for (file, finish) in [(&whole, &arguments.finish), (&joined, &line.finish)] {
            let opened = std::fs::File::options().read(true).write(true).open(file);
            finish.write(&mut opened.expect("made")).expect("written");
        }
        Made {
            whole,
            joined,
            headers,
            told,
        }
    }

    fn piece(&self, number: usize, codec: Codec) -> PathBuf {
        let extension = arguments::extension_of_chunks(codec);
        self.studio.path(&format!("chunk-{number}.{extension}"))
    }

    fn name(&self) -> String {
        format!(
            "{} by {} in {}",
            self.clip.file_name().expect("a name").to_string_lossy(),
            self.encoder.0,
            self.recipe.container
        )
    }
}

/// A recipe without loss.
fn lossless(encoder: &str, audio: &str, container: Container) -> Recipe {
    studio::with(studio::recipe(encoder), |video| {
        video.rate = common::recipe::Rate::Lossless;
    })
    .edit(|draft| {
        draft.audio = audio.parse().expect("audio");
        draft.container = container;
    })
    .expect("a sound recipe")
}
