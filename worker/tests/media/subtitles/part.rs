//! Subtitles that are drawn into a part of a film.

use common::recipe::Recipe;

use crate::studio::{Studio, bluray};
use crate::subtitles::burn_in::{recipe, shows, with_text};
use crate::subtitles::{film, join, write};

/// The recipe for a part of the film only.
fn part(trim: &str, recipe: Recipe) -> Recipe {
    let edited = recipe.edit(|draft| draft.trim = Some(trim.parse().expect("a part")));
    edited.expect("a sound recipe")
}

#[tokio::test]
async fn text_is_drawn_at_its_time_in_a_part_of_the_film() {
    for studio in Studio::each() {
        let source = with_text(&studio);
        let late = format!("-i {} -map 0 -c copy -output_ts_offset 7", source.display());
        let late = studio.make("late.mkv", &late);
        for (source, trim, track, start, end) in [
            (&source, "1-1.8", "2", 0.2, 0.6),
            (&source, "0.6-1", "1", 0.0, 0.2),
            (&late, "1-1.8", "eng", 0.2, 0.6),
        ] {
            let made = studio
                .encode(source, &part(trim, recipe(track, |_| {})))
                .await;
            made.unwrap_or_else(|failure| panic!("{trim}: {failure}"));
            shows(&studio, 170.0, start, end);
        }
    }
}

#[tokio::test]
async fn pictures_are_drawn_at_their_time_in_a_part_of_the_film() {
    for studio in Studio::each() {
        let film = film(&studio);
        let disc = write(&studio, "disc.sup", bluray(1000, 1400));
        let source = join(&studio, "disc.mkv", &[&film, &disc]);
        let of = |name: &str, arguments: &str| {
            let disc = source.display();
            studio.make(
                name,
                &format!("-fix_sub_duration -i {disc} -map 0 {arguments}"),
            )
        };
        let late = of("late.mkv", "-c copy -output_ts_offset 7");
        let broadcast = of("dvb.ts", "-an -c copy -c:s dvbsub");
        let whole = studio.encode(&broadcast, &recipe("1", |_| {})).await;
        whole.unwrap_or_else(|failure| panic!("a broadcast: {failure}"));
        shows(&studio, 170.0, 1.0, 1.4);
        for (source, trim, start, end) in [
            (&source, "0.8-1.8", 0.2, 0.6),
            (&source, "1.2-1.8", 0.0, 0.2),
            (&late, "0.8-1.8", 0.2, 0.6),
            (&broadcast, "0.8-1.8", 0.2, 0.6),
        ] {
            let made = studio
                .encode(source, &part(trim, recipe("1", |_| {})))
                .await;
            made.unwrap_or_else(|failure| panic!("{trim}: {failure}"));
            shows(&studio, 170.0, start, end);
        }
    }
}
