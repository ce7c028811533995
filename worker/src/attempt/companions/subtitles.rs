//! Subtitle tracks as files. They are made of the input, because the output may not hold them, and before the encode, so
//! that no hours are lost on an input whose subtitles cannot be read.

use common::job::failure::{Failure, Fault};

use crate::attempt::companions::Made;
use crate::attempt::scratch::AttemptFolder;
use crate::attempt::tool_output::ToolOutput;
use crate::ffmpeg::Source;
use crate::ffmpeg::arguments::SubtitleFiles;
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::run::runner::Runner;

/// Makes the files. A track without a text makes none.
///
/// # Errors
/// If ffmpeg cannot read the subtitles, or if the disk refuses.
pub(crate) async fn extract(
    runner: &Runner,
    source: &Source,
    folder: &AttemptFolder,
    files: &SubtitleFiles,
) -> Result<Vec<Made>, Failure> {
    let ran = runner.ffmpeg(&files.list, Origin::of(source), |_| {}).await;
    ran.map_err(|mut failure| {
        if failure.fault == Fault::Input {
            failure.message = format!("the subtitles cannot become files: {}", failure.message);
        }
        failure
    })?;
    let mut made = Vec::new();
    for suffix in &files.suffixes {
        let name = suffix.to_string();
        let written = folder.work().symlink_metadata(&name);
        if written.is_ok_and(|written| written.is_file() && written.len() == 0) {
            continue;
        }
        made.push(Made {
            suffix: suffix.clone(),
            file: ToolOutput::take(folder, &name)?,
        });
    }
    Ok(made)
}
