//! Films with transparency.

use common::job::changes::{Fate, Kind};
use common::recipe::Container;

use crate::picture::{fate, recipe};
use crate::studio;
use crate::studio::Studio;

#[tokio::test]
async fn transparency_is_kept_or_laid_on_black_and_reported() {
    for studio in Studio::each() {
        // The fully transparent pixels are white.
        let clear = "-f lavfi -i color=white@0.0:size=160x90:rate=25,format=rgba -frames:v 3";
        let webm = studio.make(
            "clear.webm",
            &format!("{clear} -c:v libvpx-vp9 -pix_fmt yuva420p -auto-alt-ref 0"),
        );
        let mov = studio.make(
            "clear.mov",
            &format!("{clear} -c:v prores_ks -profile:v 4444 -pix_fmt yuva444p10le"),
        );
        let rgba = studio.make("clear.mkv", &format!("{clear} -c:v png"));
        // Each encoder with two of the forms of transparency.
        for (source, encoder, container, is_kept) in [
            (&webm, "libvpx-vp9", Container::Webm, true),
            (&rgba, "libvpx-vp9", Container::Webm, true),
            (&mov, "prores_ks", Container::Mov, true),
            (&webm, "prores_ks", Container::Mov, true),
            (&rgba, "ffv1", Container::Mkv, true),
            (&mov, "ffv1", Container::Mkv, true),
            (&webm, "libvpx-vp9", Container::Mp4, false),
            (&mov, "libvpx-vp9", Container::Mp4, false),
            (&rgba, "libx264", Container::Mkv, false),
            (&webm, "libx264", Container::Mkv, false),
            (&mov, "libsvtav1", Container::Mkv, false),
            (&rgba, "libsvtav1", Container::Mkv, false),
        ] {
            let recipe = recipe(encoder, container);
            let changes = studio.foresee(source, &recipe).await.expect(encoder);
            let told = (!is_kept).then_some(Fate::Lost);
            let what = format!("{encoder} of {source:?}");
            assert_eq!(fate(&changes, Kind::Alpha), told, "{what}");
            studio.encode(source, &recipe).await.expect(&what);
            let media = studio.made().await;
            let film = media.films().next().expect("a film");
            assert_eq!(film.has_alpha, is_kept, "{what}: {film:?}");
            if is_kept {
                assert_eq!(studio.opacity(), 0, "{what}");
            } else {
                let [red, green, blue] = studio.colour();
                assert!(
                    red < 20 && green < 20 && blue < 20,
                    "{what} shows what was hidden"
                );
            }
        }
        studio.encode(&webm, &studio::copy()).await.expect("copy");
        assert_eq!(studio.opacity(), 0);
    }
}
