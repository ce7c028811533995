//! The changes that real encodes report: none for ordinary clips, and every loss if there is one.

use common::job::changes::{Change, Fate, Kind};
use common::job::failure::Fault;
use common::recipe::{Container, Recipe, Subtitles};

use crate::studio;
use crate::studio::Studio;

fn into(container: Container, recipe: Recipe) -> Recipe {
    recipe
        .edit(|draft| draft.container = container)
        .expect("a sound recipe")
}

fn news(changes: &[Change]) -> Vec<String> {
    changes
        .iter()
        .filter(|change| change.is_news())
        .map(ToString::to_string)
        .collect()
}

#[tokio::test]
async fn ordinary_clips_lose_nothing() {
    for studio in Studio::each() {
        let chapters = studio.path("chapters.txt");
        let text = ";FFMETADATA1\ntitle=Film\nartist=Somebody\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=400\n\
                    title=One\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=400\nEND=1000\ntitle=Two\n";
        std::fs::write(&chapters, text).expect("written");
        let with_all = format!(
            "-f lavfi -i sine -i {} -map 0 -map 1 -map_metadata 2 -map_chapters 2 -t 1 -pix_fmt yuv420p \
             -c:v libx264 -preset ultrafast -c:a aac -metadata:s:a:0 language=deu",
            chapters.display()
        );
        let sources = [
            studio.clip(
                "plain.mkv",
                "-frames:v 10 -pix_fmt yuv420p -c:v libx264 -preset ultrafast",
            ),
            studio.clip(
                "ntsc.mkv",
                "-frames:v 20 -vf fps=24000/1001 -pix_fmt yuv420p -c:v libx264 -preset ultrafast",
            ),
            studio.clip(
                "broadcast.ts",
                "-f lavfi -i sine -t 1 -c:v mpeg2video -c:a ac3",
            ),
            studio.clip("all.mkv", &with_all),
            studio.clip("all.mp4", &with_all),
        ];
        for source in &sources {
            for recipe in [
                studio::recipe("libx264"),
                studio::recipe("libx265"),
                studio::copy(),
                into(Container::Mp4, studio::recipe("libx264")),
                into(Container::Mp4, studio::copy()),
            ] {
                let name = format!("{} {recipe}", source.display());
                let checked = studio.encode(source, &recipe).await.expect(&name);
                assert_eq!(news(&checked.changes), [""; 0], "{name}");
            }
        }
    }
}

#[tokio::test]
async fn losses_of_an_output_are_reported_and_refused_on_request() {
    let studio = Studio::new();
    let source = studio.tracks();
    let mp4 = into(Container::Mp4, studio::recipe("libx264"));
    let checked = studio.encode(&source, &mp4).await.expect("passes");
    let text = checked
        .changes
        .iter()
        .find(|change| change.kind == Kind::Track && change.track == Some(3))
        .expect("subtitles are told of");
    assert_eq!(
        (text.fate, text.to.as_deref()),
        (Fate::Converted, Some("mov_text"))
    );
    let silent = mp4
        .edit(|draft| {
            draft.audio = "none".parse().expect("audio");
            draft.subtitles = Subtitles::None;
            draft.refuse_loss = Kind::ALL.iter().copied().collect();
        })
        .expect("a sound recipe");
    let checked = studio.encode(&source, &silent).await.expect("as asked for");
    assert_eq!(news(&checked.changes), [""; 0]);
    let wanted = checked
        .changes
        .iter()
        .filter(|change| change.fate == Fate::Lost);
    assert_eq!(wanted.count(), 3, "{:#?}", checked.changes);

    let deep = studio.clip(
        "deep.mkv",
        "-frames:v 5 -pix_fmt yuv422p -c:v ffv1 -metadata:s:v:0 title=Master",
    );
    let recipe = studio::recipe("mpeg4");
    let checked = studio.encode(&deep, &recipe).await.expect("passes");
    let told = news(&checked.changes).join("\n");
    assert!(
        told.contains("colour of track 0 (4:2:2) to 4:2:0"),
        "{told}"
    );
    let strict = recipe
        .edit(|draft| draft.refuse_loss = [Kind::Colour].into())
        .expect("a sound recipe");
    let failure = studio.encode(&deep, &strict).await.expect_err("refused");
    assert_eq!(failure.fault, Fault::Input);
    assert!(
        failure.message.contains("--refuse-loss colour"),
        "{failure}"
    );
}
