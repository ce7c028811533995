//! The files beside an output.

use common::names::location::Location;
use common::recipe::Companions;
use worker::attempt::companions;

use crate::studio::{self, Studio};

/// Width and height of a picture or a film.
fn size(studio: &Studio, file: &std::path::Path) -> (u64, u64) {
    let judged = studio.judged(file);
    let film = &judged["streams"][0];
    let side = |name: &str| film[name].as_u64().expect("a number");
    (side("width"), side("height"))
}

#[tokio::test]
async fn pictures_sheets_and_a_clip_are_made_of_the_output() {
    for studio in Studio::each() {
        // Pixels that are twice as wide as high: the pictures have square ones.
        let chapters = studio.path("chapters.txt");
        let words = ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=2\ntitle=One\n";
        std::fs::write(&chapters, words).expect("written");
        let film = studio.clip(
            "film.mkv",
            &format!(
                "-i {} -map_chapters 1 -t 3 -vf setsar=2 -c:v libx264 -preset ultrafast -pix_fmt yuv420p",
                chapters.display()
            ),
        );
        let recipe = studio::copy()
            .edit(|draft| {
                draft.companions = Companions {
                    thumbnails: 2,
                    contact_sheet: true,
                    sprites: true,
                    preview: true,
                };
            })
            .expect("a sound recipe");
        let verified = studio.verified(&film, &recipe).await;
        let verified = verified.expect("a good output");
        let output = Location::s3("media", "out/a film.mkv").expect("a location");
        let made = companions::make(&verified, &output, None).await;
        let made = made.expect("all are made");
        let names: Vec<String> = made.iter().map(|made| made.suffix.to_string()).collect();
        let expected = [
            "1.jpg",
            "2.jpg",
            "contact.jpg",
            "sprites.jpg",
            "sprites.vtt",
            "preview.mp4",
        ];
        assert_eq!(names, expected);
        let suffixes: Vec<String> = recipe
            .companions
            .suffixes()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(suffixes, expected);
        let path = |number: usize| made[number].file.path();
        let bytes = |number: usize| std::fs::read(path(number)).expect("it is there");
        assert_eq!(size(&studio, path(0)), (320, 90));
        assert_ne!(bytes(0), bytes(1), "two moments");
        // Four columns and five rows with gaps of four pixels.
        assert_eq!(size(&studio, path(2)), (4 * 320 + 5 * 4, 5 * 90 + 6 * 4));
        assert_eq!(size(&studio, path(3)), (160, 46));
        let times = String::from_utf8(bytes(4)).expect("text");
        let cue = "00:00:00.000 --> 00:00:03.000\na%20film.sprites.jpg#xywh=0,0,160,46\n";
        assert_eq!(times, format!("WEBVTT\n\n{cue}"));
        let preview = studio.judged(path(5));
        assert_eq!(preview["streams"].as_array().expect("streams").len(), 1);
        // A preview is no film whose chapters were kept.
        let chapters = studio
            .ffmpeg()
            .arg("-i")
            .arg(path(5))
            .args(["-f", "ffmetadata", "-"])
            .output();
        let chapters = chapters.expect("ffmpeg runs").stdout;
        assert!(!String::from_utf8_lossy(&chapters).contains("[CHAPTER]"));
        let length: f64 = preview["format"]["duration"]
            .as_str()
            .expect("a length")
            .parse()
            .expect("a number");
        assert!((length - 3.0).abs() < 0.2, "{length}");
    }
}

#[tokio::test]
async fn the_cells_of_a_contact_sheet_show_the_film_from_its_beginning_to_its_end() {
    for studio in Studio::each() {
        // The film grows brighter from black to white.
        let film = studio.make(
            "film.mkv",
            "-f lavfi -i color=black:size=64x36:rate=25 -t 4 -vf geq=lum='16+N*219/100':cb=128:cr=128 -c:v ffv1",
        );
        let recipe = studio::copy()
            .edit(|draft| draft.companions.contact_sheet = true)
            .expect("a sound recipe");
        let verified = studio.verified(&film, &recipe).await;
        let verified = verified.expect("a good output");
        let output = Location::s3("media", "out/film.mkv").expect("a location");
        let made = companions::make(&verified, &output, None).await;
        let made = made.expect("a sheet");
        let mut cells = Vec::new();
        for cell in 0..20 {
            let (x, y) = (4 + cell % 4 * 68, 4 + cell / 4 * 40);
            let shown = studio
                .ffmpeg()
                .arg("-i")
                .arg(made[0].file.path())
                .args([
                    "-vf",
                    &format!("crop=64:36:{x}:{y},scale=1:1:flags=area,format=gray"),
                ])
                .args(["-f", "rawvideo", "-"])
                .output()
                .expect("ffmpeg runs");
            cells.push(shown.stdout[0]);
        }
        assert!(cells.is_sorted(), "{cells:?}");
        // Each cell is from the middle of its twentieth.
        assert!(cells[0] < 16 && cells[19] > 235, "{cells:?}");
    }
}

/// A film may say that it is HDR and nothing else about its colours.
#[tokio::test]
async fn pictures_of_hdr_films_are_mapped_to_what_every_screen_shows() {
    for studio in Studio::each() {
        // 100 cd/m² in PQ are half of the range. They are the white of SDR before tones are mapped.
        let film = studio.make(
            "hdr.mkv",
            "-f lavfi -i color=black:size=64x36:rate=25 -t 1 -vf format=yuv420p10le,geq=lum=510:cb=512:cr=512 \
             -color_trc smpte2084 -c:v libx265 -preset ultrafast -x265-params log-level=error:transfer=smpte2084",
        );
        let recipe = studio::copy()
            .edit(|draft| {
                draft.companions.thumbnails = 1;
                draft.companions.preview = true;
            })
            .expect("a sound recipe");
        let verified = studio.verified(&film, &recipe).await;
        let verified = verified.expect("a good output");
        let output = Location::s3("media", "out/film.mkv").expect("a location");
        let made = companions::make(&verified, &output, None).await;
        let made = made.expect("all are made");
        let levels: Vec<u8> = made
            .iter()
            .map(|made| {
                let mut shown = studio.ffmpeg();
                shown.arg("-i").arg(made.file.path());
                let filter = "scale=1:1:flags=area:out_range=pc,format=gray";
                let rest = ["-frames:v", "1", "-vf", filter, "-f", "rawvideo", "-"];
                shown.args(rest).output().expect("ffmpeg runs").stdout[0]
            })
            .collect();
        // A code of 0.5 would be 128 if it were only copied.
        assert!(
            levels.iter().all(|level| (190..=245).contains(level)),
            "{levels:?}"
        );
        let preview = &studio.judged(made[1].file.path())["streams"][0];
        assert_eq!(preview["color_transfer"], "bt709", "{preview}");
    }
}
