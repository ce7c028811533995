//! Tests of outputs that take the places of their sources.

use super::*;
use crate::recipe::{Container, Recipe};

#[test]
fn each_output_may_have_the_name_of_its_own_source_and_of_no_other() {
    let recipe = Recipe::copy().edit(|draft| draft.container = Container::Mkv);
    let set = OutputSet::one(recipe.expect("sound"));
    let replacing = set.clone().that_replaces().expect("one output");
    let folder: Location = "file:///media".parse().expect("a location");
    let named = |set: &OutputSet, names: &[&str], given: &OutputOwners| {
        let places: Vec<Location> = names.iter().map(|name| folder.join(name)).collect();
        let sources: Vec<NamedSource<'_>> = names
            .iter()
            .zip(&places)
            .map(|(name, location)| NamedSource {
                name: Path::new(name),
                location,
            })
            .collect();
        let named = outputs(&sources, &folder, set, given)?;
        let name = |output: Output| output.expect("a name").name();
        Ok::<_, NamingError>(named.into_iter().map(name).collect::<Vec<_>>())
    };
    let none = OutputOwners::new();
    let both = ["Film.mkv", "Film.mp4", "other.mov"];
    assert_eq!(
        named(&replacing, &both, &none).expect("named"),
        ["Film.mkv", "Film.mp4.mkv", "other.mkv"]
    );
    let refused = named(&set, &["Film.mkv"], &none);
    assert!(matches!(refused, Err(NamingError::IsSource(_))));
    // The source was made from another one, whose output it was.
    let owner = OutputOwner {
        source: "Film.mp4".to_owned(),
        holds: true,
    };
    let given = OutputOwners::from([(folder.join("Film.mkv"), owner)]);
    assert_eq!(
        named(&replacing, &["Film.mkv"], &given).expect("named"),
        ["Film.mkv"]
    );
    // Files beside an output are never sources.
    let recipe = Recipe::copy().edit(|draft| {
        draft.container = Container::Mp4;
        draft.companions.preview = true;
    });
    let set = OutputSet::one(recipe.expect("sound")).that_replaces();
    let set = set.expect("one output");
    let both = ["a.mp4", "a.preview.mp4"];
    let places = both.map(|name| folder.join(name));
    let sources = [0, 1].map(|nth| NamedSource {
        name: Path::new(both[nth]),
        location: &places[nth],
    });
    let refused = outputs(&sources, &folder, &set, &none).expect("each by itself");
    assert!(refused.iter().all(Result::is_err), "{refused:?}");
}
