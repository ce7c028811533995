//! Sprites: small pictures on one sheet, and a WebVTT file that tells when each is shown. Players show them above
//! their time line.

use std::fmt::Write;

use common::job::companion::Suffix;
use common::job::failure::Failure;
use common::names::location::Location;
use common::recipe::Companions;

use crate::attempt::companions::sheet::Sheet;
use crate::attempt::companions::{Made, Maker};

/// Seconds that one picture stands for, unless the film is too long for that.
const EVERY: f64 = 10.0;
const MOST: u32 = 100;
const COLUMNS: u32 = 10;
/// Pixels.
const WIDTH: u32 = 160;

impl Maker<'_> {
    pub(super) async fn sprites(&self, output: &Location) -> Result<[Made; 2], Failure> {
        let pictures = ((self.duration / EVERY).ceil() as u32).clamp(1, MOST);
        let sheet = Sheet {
            pictures,
            columns: COLUMNS.min(pictures),
            width: WIDTH,
            gap: 0,
        };
        let picture = self.sheet(sheet, Companions::SPRITES).await?;
        let times = times(
            &url(&picture.suffix, output),
            self.duration,
            sheet,
            self.size(WIDTH),
        );
        Ok([picture, self.text(Companions::SPRITE_TIMES, times).await?])
    }
}

/// The picture's address, relative to the file of times.
fn url(suffix: &Suffix, output: &Location) -> String {
    let beside = String::from(suffix.beside(output));
    beside.rsplit('/').next().unwrap_or_default().to_owned()
}

fn times(url: &str, duration: f64, sheet: Sheet, (width, height): (u32, u32)) -> String {
    let part = duration / f64::from(sheet.pictures);
    let mut text = "WEBVTT\n".to_owned();
    for number in 0..sheet.pictures {
        let (from, to) = (f64::from(number) * part, f64::from(number + 1) * part);
        let (x, y) = (
            number % sheet.columns * width,
            number / sheet.columns * height,
        );
        let (from, to) = (time(from), time(to));
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\n{from} --> {to}\n{url}#xywh={x},{y},{width},{height}\n"
        );
    }
    text
}

/// `HH:MM:SS.mmm`.
fn time(seconds: f64) -> String {
    let milliseconds = (seconds * 1000.0).round() as u64;
    let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    format!(
        "{:02}:{:02}:{seconds:02}.{rest:03}",
        minutes / 60,
        minutes % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sprite_has_its_time_and_its_place() {
        let sheet = Sheet {
            pictures: 12,
            columns: 10,
            width: 160,
            gap: 0,
        };
        let text = times("a%20film.sprites.jpg", 4000.0, sheet, (160, 90));
        assert_eq!(text.matches("-->").count(), 12);
        let last = "01:01:06.667 --> 01:06:40.000\na%20film.sprites.jpg#xywh=160,90,160,90\n";
        assert!(text.ends_with(last), "{text}");
    }

    #[test]
    fn the_picture_is_named_as_in_a_link() {
        let output = Location::s3("media", "out/a film.mkv").expect("a location");
        let suffix = Suffix::new("sprites.jpg").expect("sound");
        assert_eq!(url(&suffix, &output), "a%20film.sprites.jpg");
    }
}
