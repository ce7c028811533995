//! The commands of the guide, run as somebody does who follows it from the top to the bottom of a page.
//!
//! A block of commands begins with ` ```sh `; ` ```sh on NAME ` is for another machine, and ` ```sh not run: REASON ` is not
//! run. What a command prints is in a block ` ```text output ` behind it. In these tests, a machine is a home folder.

mod options;
mod reader;
mod shown;

use common::testing::documents::{self, Block};
use harness::farm::copy_into;
use harness::paths;
use harness::servers::store::TestStore;

use self::reader::Reader;

/// The documents whose blocks are run.
const RUN: [&str; 5] = [
    "README.md",
    "docs/guide/FIRST.md",
    "docs/guide/HOME.md",
    "docs/guide/S3.md",
    "docs/guide/SETUP.md",
];

#[test]
fn every_block_of_commands_is_run_or_says_why_not() {
    let wrong: Vec<String> = documents::blocks()
        .iter()
        .filter(|block| !is_marked(block))
        .map(|block| format!("{}:{}: {}", block.document, block.line, block.text))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn is_marked(block: &Block) -> bool {
    match block.info.strip_prefix("sh") {
        Some(rest) => match rest.trim().strip_prefix("not run:") {
            Some(reason) => reason.trim().len() >= 10,
            None => RUN.contains(&block.document.as_str()),
        },
        None => {
            let is_command = |line: &str| {
                [
                    "producer ",
                    "worker ",
                    "monitor ",
                    "cargo ",
                    "docker ",
                    "make ",
                ]
                .iter()
                .any(|program| line.starts_with(program))
            };
            block.info == "text output" || !block.text.lines().any(is_command)
        }
    }
}

/// Two films of somebody's, and one that all machines reach.
async fn reader() -> Reader {
    let reader = Reader::new();
    let film = paths::media("h264.mp4");
    let videos = reader.home("home").join("Videos");
    copy_into(&videos, std::slice::from_ref(&film));
    std::fs::rename(videos.join("h264.mp4"), videos.join("Holiday.mp4")).unwrap();
    std::fs::copy(&film, videos.join("Wedding.mp4")).unwrap();
    let films = reader.folder().join("srv/media/films");
    copy_into(&films, &[film]);
    std::fs::rename(films.join("h264.mp4"), films.join("Holiday.mp4")).unwrap();
    reader
}

#[tokio::test]
async fn the_first_encode() {
    let reader = reader().await.read("docs/guide/FIRST.md").await;
    let encoded = reader.home("home").join("Encoded");
    assert!(encoded.join("Wedding.mkv").is_file());
    assert!(
        !reader.home("home").join("Small").exists(),
        "--dry-run makes nothing"
    );
}

#[tokio::test]
async fn three_machines_at_home() {
    let reader = reader().await.read("docs/guide/HOME.md").await;
    let small = reader.folder().join("srv/media/small");
    assert!(small.join("Holiday.mkv").is_file());
}

#[tokio::test]
async fn with_a_bucket() {
    let reader = reader().await;
    let store = TestStore::start(reader.folder()).await;
    let reader = reader.with_store(&store).read("docs/guide/S3.md").await;
    for name in ["Encoded/Holiday.mkv", "Later/Wedding.mkv"] {
        assert!(reader.home("home").join(name).is_file(), "{name}");
    }
    let keys = store.keys().await;
    assert!(keys.iter().any(|key| key.starts_with("small/")), "{keys:?}");
}

#[tokio::test]
async fn what_setup_makes() {
    reader().await.read("docs/guide/SETUP.md").await;
}

#[tokio::test]
async fn the_first_screen() {
    let reader = reader().await.read("README.md").await;
    assert!(reader.folder().join("srv/media/out/Holiday.mkv").is_file());
}
