//! Tests of names that have files beside them.

use super::*;
use crate::recipe::{Container, Recipe};

#[test]
fn files_beside_an_output_count_for_its_name() {
    let recipe = Recipe::copy().edit(|draft| {
        draft.container = Container::Mp4;
        draft.companions.preview = true;
        draft.companions.contact_sheet = true;
    });
    let set = OutputSet::one(recipe.expect("sound"));
    let folder: Location = "file:///media/out".parse().expect("a location");
    let named = |names: &[&str], places: &[Location]| {
        let sources = names.iter().zip(places);
        let sources: Vec<NamedSource<'_>> = sources
            .map(|(name, location)| NamedSource {
                name: Path::new(name),
                location,
            })
            .collect();
        outputs(&sources, &folder, &set, &OutputOwners::new())
    };
    let at = |path: &str| -> Location { path.parse().expect("a location") };
    let (one, two) = (at("file:///in/film.avi"), at("file:///in/film.preview.avi"));
    // The preview of the first would have the name of the second.
    let both = named(&["film.avi", "film.preview.avi"], &[one, two]).expect("named");
    let names: Vec<String> = both
        .into_iter()
        .map(|output| output.expect("a name").name())
        .collect();
    assert_eq!(names, ["film.avi.mp4", "film.preview.avi.mp4"]);
    // The preview would be a source.
    let (one, two) = (
        at("file:///in/film.avi"),
        at("file:///media/out/film.preview.mp4"),
    );
    let refused = named(&["film.avi", "other.mp4"], &[one, two]);
    assert!(
        matches!(refused, Err(NamingError::IsSource(_))),
        "{refused:?}"
    );
    // The name of the output fits, and that of its contact sheet does not.
    let long = format!("{}.avi", "x".repeat(250));
    let place = at("file:///in/x.avi");
    let refused = named(&[&long], std::slice::from_ref(&place))
        .expect("named")
        .remove(0);
    assert_eq!(
        refused,
        Err(Unnameable::TooLong {
            bytes: 262,
            most: 255
        })
    );
}
