//! Interlaced films.

use common::job::changes::{Fate, Kind};
use common::recipe::Container;

use crate::picture::{FAST, fate, recipe};
use crate::studio;
use crate::studio::Studio;

#[tokio::test]
async fn fields_stay_fields_where_the_encoder_codes_them_and_show_no_combs_elsewhere() {
    for studio in Studio::each() {
        let film = |name: &str, size: &str, order: &str, arguments: &str| {
            let test = format!("-f lavfi -i testsrc2=size={size}:rate=50");
            let (mode, field) = match order {
                "top" => ("interleave_top", "tff"),
                _ => ("interleave_bottom", "bff"),
            };
            studio.make(
                name,
                &format!(
                    "{test} -frames:v 8 -vf tinterlace={mode},fieldorder={field},format=yuv420p {arguments}"
                ),
            )
        };
        let mpeg2 = "-c:v mpeg2video -flags +ildct+ilme -b:v 4M";
        let h264 = format!("{FAST} -flags +ildct+ilme");
        let mpeg2 = film("mpeg2.ts", "192x144", "top", mpeg2);
        let h264 = film("h264.ts", "192x144", "top", &h264);
        let bottom = film("bottom.dv", "720x576", "bottom", "-c:v dvvideo");
        // Each encoder with a film of either field order, each film with encoders of both kinds.
        for (source, top, encoder, container, is_kept) in [
            (&mpeg2, "1", "libx264", Container::Mkv, true),
            (&h264, "1", "libx264", Container::Mp4, true),
            (&bottom, "0", "libx264", Container::Mp4, true),
            (&mpeg2, "1", "mpeg2video", Container::Mkv, true),
            (&bottom, "0", "mpeg2video", Container::Mkv, true),
            (&h264, "1", "ffv1", Container::Mkv, true),
            (&bottom, "0", "ffv1", Container::Mkv, true),
            (&h264, "1", "prores_ks", Container::Mov, true),
            (&bottom, "0", "prores_ks", Container::Mov, true),
            (&mpeg2, "1", "libx265", Container::Mkv, false),
            (&h264, "1", "libsvtav1", Container::Mp4, false),
            (&bottom, "0", "libsvtav1", Container::Mp4, false),
        ] {
            let recipe = recipe(encoder, container);
            let changes = studio.foresee(source, &recipe).await.expect(encoder);
            let told = (!is_kept).then_some(Fate::Converted);
            assert_eq!(fate(&changes, Kind::Interlacing), told, "{encoder}");
            let checked = studio.encode(source, &recipe).await.expect(encoder);
            assert_eq!(checked.frames, 8, "{encoder}");
            let first = studio.ask(&[
                "-select_streams",
                "v:0",
                "-read_intervals",
                "%+#1",
                "-show_entries",
                "frame=interlaced_frame,top_field_first",
            ]);
            let first = first[0].trim_end_matches(|c: char| !c.is_ascii_digit());
            let wanted = if is_kept {
                format!("1,{top}")
            } else {
                "0,0".to_owned()
            };
            assert!(first.starts_with(&wanted), "{encoder} {source:?}: {first}");
            if container == Container::Mp4 {
                let order = match (is_kept, top) {
                    (true, "1") => "tt",
                    (true, _) => "bb",
                    _ => "progressive",
                };
                assert_eq!(studio.describe("field_order"), order, "{encoder}");
            }
        }
        // Fields are not scaled as frames, and a deinterlacer of the recipe is enough.
        let scaled = studio::with(recipe("libx264", Container::Mkv), |video| {
            video.scale = Some("72p".parse().expect("a size"));
        });
        let own = studio::with(recipe("libx265", Container::Mkv), |video| {
            video.filters = Some("bwdif=mode=send_frame".parse().expect("filters"));
        });
        for recipe in [&scaled, &own] {
            studio.encode(&mpeg2, recipe).await.expect("passes");
            assert!(studio.look().contains("interlaced_frame=0"));
        }
        let changes = studio.foresee(&mpeg2, &own).await.expect("told");
        assert_eq!(fate(&changes, Kind::Interlacing), None);
    }
}
