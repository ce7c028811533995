//! Subtitles that are drawn into the picture.
//!
//! They are drawn into the picture that is left after cropping, and before it is scaled, so nothing of them is cut
//! off. Text is placed by libass. A canvas of pictures keeps its shape, and is made as large as the picture allows.

use common::job::failure::Failure;

use super::conversion::{meeting, output, white_on};
use super::shape::Shape;
use super::{Picture, Task};
use crate::ffmpeg::tracks::subtitles::{Burnt, FONTS, TEXT};

/// A graph of filters that has the subtitles as a second input.
#[derive(Clone, Debug)]
pub(super) struct Overlay {
    /// The number of filters of the film that come before.
    after: usize,
    /// The filters that shape these pictures.
    shape: String,
    /// The filter that puts them on the film.
    put: String,
}

/// Whether the subtitles are drawn before the recipe's own filters: only ffmpeg knows the picture's size after them.
pub(super) fn comes_before_own_filters(task: &Task<'_>) -> bool {
    task.video.filters.is_some() && task.burnt.is_some_and(|burnt| !burnt.is_text)
}

/// # Errors
/// If this ffmpeg cannot draw text; the worker is at fault. If it lays nothing over such pictures; the input is.
pub(super) fn draw(task: &Task<'_>, picture: &mut Picture) -> Result<(), Failure> {
    match task.burnt {
        None => Ok(()),
        Some(burnt) if burnt.is_text => text(task, burnt, picture),
        Some(_) => pictures(task, picture),
    }
}

fn text(task: &Task<'_>, burnt: &Burnt, picture: &mut Picture) -> Result<(), Failure> {
    if !task.build.has_filter("subtitles") {
        return Err(Failure::worker(
            "text cannot be burnt in here, for this worker's ffmpeg was built without libass (it has no filter \
             'subtitles'): install an ffmpeg with libass, or leave out --burn-in",
        ));
    }
    let mut draw = format!("subtitles=filename={TEXT}");
    if burnt.has_fonts() {
        draw += &format!(":fontsdir={FONTS}");
    }
    // libass would otherwise stretch letters together with the pixels.
    if let Some(shape) = picture.shape.filter(|shape| shape.pixel != 1.0) {
        let width = (f64::from(shape.width) * shape.pixel).round() as u32;
        draw += &format!(":original_size={width}x{}", shape.height);
    }
    let filters = match white(task) {
        None => draw,
        // Drawn on a transparent copy of each frame, and dimmed. ffmpeg draws colours that are already multiplied by
        // their opacity.
        Some(white) => format!(
            "split[burn-film][burn-empty];[burn-empty]format=rgba,lutrgb=r=0:g=0:b=0:a=0,{draw}:alpha=1,format=gbrap,\
             unpremultiply=inplace=1,{}[burn-text];[burn-film][burn-text]{}",
            dimmed(white),
            put(task, picture, "0:0")?
        ),
    };
    picture.filters.push(match burnt.shift {
        Some(shift) => {
            format!("setpts='PTS+round({shift:.6}/TB)',{filters},setpts='PTS-round({shift:.6}/TB)'")
        }
        None => filters,
    });
    Ok(())
}

fn pictures(task: &Task<'_>, picture: &mut Picture) -> Result<(), Failure> {
    let mut shape = Vec::new();
    shape.extend(white(task).map(dimmed));
    let whole = task.film.shown();
    if let Some(Shape {
        width,
        height,
        pixel,
    }) = picture.shape
    {
        shape.push(if pixel == 1.0 || whole.0 == 0 || whole.1 == 0 {
            format!("scale={width}:{height}:force_original_aspect_ratio=decrease")
        } else {
            // The canvas of a film with other than square pixels has the same pixels.
            let factor = f64::min(
                f64::from(width) / f64::from(whole.0),
                f64::from(height) / f64::from(whole.1),
            );
            let side = |whole: u32| (f64::from(whole) * factor).round().max(1.0) as u32;
            format!("scale={}:{}", side(whole.0), side(whole.1))
        });
    }
    if shape.is_empty() {
        shape.push("null".to_owned());
    }
    let put = put(task, picture, "(W-w)/2:(H-h)/2")?;
    picture.overlay = Some(Overlay {
        after: picture.filters.len(),
        shape: shape.join(","),
        put,
    });
    Ok(())
}

/// The share of the signal that is white; `None` where white is white.
fn white(task: &Task<'_>) -> Option<f64> {
    let is_hdr_here = task.stays_hdr() || comes_before_own_filters(task);
    is_hdr_here
        .then(|| white_on(task.film))
        .filter(|white| *white < 1.0)
}

fn dimmed(white: f64) -> String {
    format!("colorchannelmixer=rr={white}:gg={white}:bb={white}")
}

/// The filter that puts one picture on another without a change to the format of the film's, or of the output's.
fn put(task: &Task<'_>, picture: &Picture, place: &str) -> Result<String, Failure> {
    let formats = [task.film.pixel_format.as_str(), output(task, picture)];
    let format = meeting(task, picture, &formats)?.picture;
    Ok(format!(
        "overlay={place}:eof_action=pass:alpha=straight:format={format}"
    ))
}

impl Overlay {
    /// The whole graph of a film, from its stream to the output's video stream of this number. The filter that comes with
    /// the film is the first one. `input` is the number of the input that holds the subtitles and a black film.
    pub(super) fn graph(
        &self,
        (film, first): (usize, Option<&str>),
        filters: &[String],
        number: usize,
        input: usize,
    ) -> String {
        let (before, after) = filters.split_at(self.after.min(filters.len()));
        let before: Vec<&str> = first
            .into_iter()
            .chain(before.iter().map(String::as_str))
            .collect();
        let before = if before.is_empty() {
            "null".to_owned()
        } else {
            before.join(",")
        };
        let Self { shape, put, .. } = self;
        let end: Vec<&str> = std::iter::once(put.as_str())
            .chain(after.iter().map(String::as_str))
            .collect();
        format!(
            "[{input}:1]nullsink;[0:{film}]{before}[under{number}];[{input}:0]{shape}[over{number}];[under{number}][over{number}]{}[film{number}]",
            end.join(",")
        )
    }
}
