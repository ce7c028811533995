//! What the samples tell about the whole film, in words and as JSON.

use common::job::batch::SampledFilm;
use common::job::id::BatchId;
use common::job::run::RunState;
use common::job::run::quality::{OutputQuality, rounded};
use common::names::printable::printable;
use common::submit::result::SubmitResult;
use common::submit::sample::{Clip, SampleForecast};
use serde::Serialize;

use crate::cli::exit::{Error, Exit};
use crate::display::table::NameTable;
use crate::display::{output, units};
use crate::submit::entry::Entry;

/// The samples of a film, and the forecast for all of it.
#[derive(Serialize)]
pub(super) struct Sampled {
    batch: Option<BatchId>,
    forecast: Option<SampleForecast>,
    clips: Vec<Clip>,
    /// Why samples could not be made.
    failed: Vec<String>,
}

impl Sampled {
    pub(super) fn of(entries: &[Entry], film: &SampledFilm) -> Self {
        let (mut clips, mut failed) = (Vec::new(), Vec::new());
        for entry in entries {
            let SubmitResult::Run(run) = &entry.state else {
                failed.push(format!("{}: not encoded", entry.name));
                continue;
            };
            let job = &run.job;
            match &run.state {
                RunState::Completed { report } => {
                    clips.push(Clip::new(job.id, job.output.clone(), &job.recipe, report));
                }
                RunState::Failed { failure } => {
                    failed.push(format!("{}: {}", entry.name, failure.message));
                }
                state => failed.push(format!("{}: {}", entry.name, state.as_str())),
            }
            let download = entry.download.as_ref();
            failed.extend(download.and_then(|download| download.problem()));
        }
        Self {
            batch: entries.first().map(|entry| entry.job.batch),
            forecast: SampleForecast::of(&clips, film),
            clips,
            failed,
        }
    }

    pub(super) fn print(&self, json: bool) -> Result<(), Error> {
        if json {
            return output::print_json(self);
        }
        let mut table = NameTable::new(&["At", "Length", "Size", "Time", "Quality", "Clip"]);
        for clip in &self.clips {
            let cells = vec![
                units::seconds(clip.from),
                units::seconds(clip.length),
                units::bytes(clip.size),
                units::seconds(clip.seconds),
                clip.quality
                    .map_or(String::new(), |quality| quality.to_string()),
            ];
            let place = match clip.output.path() {
                Some(path) => path.display().to_string(),
                None => clip.output.to_string(),
            };
            table.row(cells, printable(&place), None);
        }
        output::print(&table.text());
        for why in &self.failed {
            output::print(&printable(why));
        }
        if let Some(forecast) = &self.forecast {
            output::print(&in_words(forecast));
        }
        Ok(())
    }

    pub(super) fn exit(&self) -> Exit {
        match self.failed.is_empty() && !self.clips.is_empty() {
            true => Exit::Done,
            false => Exit::Failed,
        }
    }
}

/// `The whole: about 1.2 GB (1.1 GB to 1.4 GB), 58% smaller, vmaf 95.1 (lowest 93.2), 42m 3s on this worker`.
fn in_words(forecast: &SampleForecast) -> String {
    let SampleForecast {
        size,
        least,
        most,
        saving,
        seconds,
        ..
    } = forecast;
    let mut words = format!("The whole: about {}", units::bytes(*size));
    if least != most {
        words += &format!(" ({} to {})", units::bytes(*least), units::bytes(*most));
    }
    words += &match saving.round() {
        saving if saving < 0.0 => format!(", {}% larger", -saving),
        saving => format!(", {saving}% smaller"),
    };
    let score = |quality: &OutputQuality| rounded(quality.metric, quality.score);
    if let (Some(mean), Some(lowest)) = (&forecast.mean, &forecast.lowest) {
        words += &format!(", {mean} (lowest {})", score(lowest));
    }
    words + &format!(", {} of encoding", units::seconds(*seconds))
}
