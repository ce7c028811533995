//! Tests of sources whose names differ in words that a template leaves out.

use super::*;
use crate::recipe::{Container, Recipe};

#[test]
fn sources_that_differ_in_words_for_codecs_alone_are_refused_and_others_named() {
    use crate::recipe::Outputs;
    let recipe = Recipe::copy().edit(|draft| draft.container = Container::Mkv);
    let template = "{stem-without-codec}".parse().expect("a template");
    let named = Outputs::new(Some(template), None).expect("sound");
    let set = OutputSet::new(&recipe.expect("sound"), &named, None).expect("one output");
    let out = Location::s3("media", "out").expect("a location");
    let name = |sources: &[&str], given: &OutputOwners| -> Vec<Result<String, Unnameable>> {
        let places: Vec<Location> = sources.iter().map(|name| out.sibling(name)).collect();
        let sources: Vec<NamedSource<'_>> = sources
            .iter()
            .zip(&places)
            .map(|(name, location)| NamedSource {
                name: Path::new(*name),
                location,
            })
            .collect();
        let outputs = outputs(&sources, &out, &set, given).expect("named");
        let name = |output: Output| output.map(|output| output.name());
        outputs.into_iter().map(name).collect()
    };
    let none = OutputOwners::new();
    let same = |other: &str| {
        Err(Unnameable::Shared {
            other: out.sibling(other).to_string(),
            folder: out.to_string(),
        })
    };
    let [x264, x265, avi] = ["Film x264.mp4", "Film x265.mp4", "Film XviD.avi"];
    assert_eq!(
        name(&[x264, "other.mp4", x265], &none),
        [same(x265), Ok("other.mkv".to_owned()), same(x264)]
    );
    // Another extension tells them apart.
    assert_eq!(
        name(&[x264, avi], &none),
        ["Film.mp4.mkv", "Film.avi.mkv"].map(|name| Ok(name.to_owned()))
    );
    // None of three gets the name.
    let av1 = "Film AV1.mp4";
    assert_eq!(
        name(&[x264, x265, av1], &none),
        [same(x265), same(x264), same(x264)]
    );
    // A name that was given before stays.
    let owner = |source: &str| OutputOwner {
        source: source.to_owned(),
        holds: true,
    };
    let given = OutputOwners::from([
        (out.join("Film.mkv"), owner(x264)),
        (out.join("Film.mp4.mkv"), owner(x265)),
    ]);
    assert_eq!(
        name(&[x264, x265, av1], &given),
        [
            Ok("Film.mkv".to_owned()),
            Ok("Film.mp4.mkv".to_owned()),
            same(x265)
        ]
    );
}
