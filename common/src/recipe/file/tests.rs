use super::*;
use crate::recipe::encoder::Codec;
use crate::recipe::preset::Presets;
use crate::recipe::{Choice, Rate, VideoEncode};

fn refused(text: &str, format: FileFormat) -> String {
    let error = RecipeFile::read(text, format).expect_err(text);
    error.in_file("ours.toml")
}

#[test]
fn a_file_says_a_recipe_its_note_and_its_outputs() {
    let text = r#"#:schema recipe.schema.json
version = 1
note = "For the web"
name = "{stem}-{height}p"
renditions = ["1080p", "720p:3M"]
container = "mp4"

[video.encode]
with = { codec = "h264" }
rate = { crf = 22 }
"#;
    let preset = RecipeFile::read(text, FileFormat::Toml).expect("sound");
    let mut encode = VideoEncode::new(Choice::Codec(Codec::H264));
    encode.rate = Rate::Crf(22.0);
    let recipe = Recipe::encode(encode)
        .and_then(|recipe| recipe.edit(|draft| draft.container = Container::Mp4));
    assert_eq!(preset.recipe, recipe.expect("sound"));
    assert_eq!(preset.note.as_deref(), Some("For the web"));
    assert_eq!(preset.outputs.renditions.len(), 2);
    let without = RecipeFile::read("video = \"copy\"", FileFormat::Toml).expect("sound");
    assert_eq!(without.recipe, Recipe::copy());
    assert!(without.note.is_none() && without.outputs == Outputs::default());
}

#[test]
fn what_is_written_reads_back() {
    let text = "name = \"a {stem}\"\nrenditions = [\"720p:3M\"]\nnote = \"n\"\nvideo = { encode = { with = { codec = \"av1\" } } }";
    let own = RecipeFile::read(text, FileFormat::Toml).expect("sound");
    let presets = Presets::built_in();
    let built_in = presets.iter().map(|listed| &listed.preset);
    for preset in built_in.chain([&own]) {
        let file = RecipeFile::from(preset.clone());
        let toml = file.to_toml();
        assert!(toml.starts_with("#:schema recipe.schema.json\n"), "{toml}");
        let read = RecipeFile::read(&toml, FileFormat::Toml).expect(&toml);
        assert_eq!(read, *preset);
        let json = file.to_json();
        let read = RecipeFile::read(&json, FileFormat::Json).expect(&json);
        assert_eq!(read, *preset);
    }
}

#[test]
fn an_error_names_line_column_text_and_a_way_out() {
    let encode = "[video.encode]\nwith = { codec = \"h264\" }\n";
    for (text, at, words) in [
        // Syntax.
        ("video = copy".to_owned(), ":1:9:", "in 'video = copy'"),
        (
            "video = \"copy\"\nvideo = \"copy\"".to_owned(),
            ":2:1:",
            "duplicate key",
        ),
        // The version.
        (
            "video = \"copy\"\nversion = 2\nfuture = 1".to_owned(),
            ":2:1:",
            "reads up to 1: update it",
        ),
        (
            "version = 0\nvideo = \"copy\"".to_owned(),
            ":1:1:",
            "version = 1",
        ),
        // Names.
        (
            format!("{encode}scael = \"720p\""),
            ":3:1:",
            "did you mean 'scale'?",
        ),
        (
            format!("crop = \"auto\"\n{encode}"),
            ":1:1:",
            "belongs into the table [video.encode]",
        ),
        (format!("{encode}crf = 20"), ":3:1:", "rate = { … }"),
        (
            format!("{encode}languages = [\"eng\"]"),
            ":3:1:",
            "[audio_tracks]",
        ),
        (
            format!("containr = \"mp4\"\n{encode}"),
            ":1:1:",
            "did you mean 'container'?",
        ),
        (
            format!("{encode}rate = {{ crff = 20 }}"),
            ":3:",
            "did you mean 'crf'?",
        ),
        (
            "container = \"mkw\"\nvideo = \"copy\"".to_owned(),
            ":1:13:",
            "did you mean 'mkv'?",
        ),
        (
            format!("{encode}[audio.encode]\nencoder = \"aac\"\nbitrat = \"160k\""),
            ":5:1:",
            "did you mean 'bitrate'?",
        ),
        (
            format!(
                "{encode}[[audio_tracks.rules]]\noutputs = [{{ encode = {{ encoder = \"aac\", tile = \"x\" }} }}]"
            ),
            ":4:",
            "did you mean 'title'?",
        ),
        // What is missing, and wrong types.
        (
            "container = \"mkv\"".to_owned(),
            ":1:1:",
            "the field 'video' is missing",
        ),
        (
            "[video.encode]\nrate = { crf = 20 }".to_owned(),
            ":1:",
            "with = { codec = \"hevc\" }",
        ),
        (
            format!("{encode}rate = {{ crf = \"20\" }}"),
            ":3:",
            "expected is a number",
        ),
        (
            format!("{encode}deband = \"yes\""),
            ":3:10:",
            "true or false",
        ),
        // Values.
        (
            format!("{encode}max_bitrate = \"fast\""),
            ":3:15:",
            "4M, 2500k",
        ),
        (
            format!("{encode}filters = \"movie=x\""),
            ":3:11:",
            "not allowed",
        ),
        // Rules.
        (
            format!("container = \"webm\"\n{encode}"),
            ":1:1:",
            "webm cannot hold h264",
        ),
        (
            "[video.encode]\nwith = { encoder = \"libx264\" }\npreset = \"slwo\"".to_owned(),
            ":3:1:",
            "libx264 has no preset 'slwo'",
        ),
        (
            "[video.encode]\nwith = { encoder = \"libx264\" }\nrate = { crf = 99 }".to_owned(),
            ":3:",
            "0 (best) to 51",
        ),
        (
            format!("renditions = []\n{encode}"),
            ":1:1:",
            "name one at least",
        ),
        (
            format!("name = \"{{stem}}\"\nrenditions = [\"720p\", \"480p\"]\n{encode}"),
            ":1:1:",
            "would both be named",
        ),
        (
            format!("name = \"{{stem}}-{{heigth}}\"\n{encode}"),
            ":1:8:",
            "one of stem, stem-without-codec",
        ),
        (
            format!("note = \"two\\nlines\"\n{encode}"),
            ":1:1:",
            "one line",
        ),
    ] {
        let error = refused(&text, FileFormat::Toml);
        assert!(error.contains(&format!("ours.toml{at}")), "{text}\n{error}");
        assert!(error.contains(words), "{text}\n{error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn errors_in_json_have_a_place_too() {
    for (text, at, words) in [
        ("{\n \"video\": \"copy\",\n}", ":3:", "trailing comma"),
        (
            "{\"video\": \"copy\",\n \"contaner\": \"mp4\"}",
            ":2:",
            "did you mean 'container'?",
        ),
        ("{\"version\": 7, \"video\": 1}", ":1:13:", "update it"),
        (
            "{\"video\": {\"encode\": {\"with\": {\"codec\": \"h264\"}}},\n \"container\": \"webm\"}",
            ":2:15:",
            "webm cannot hold h264",
        ),
        ("[]", ":1:", "expected"),
    ] {
        let error = refused(text, FileFormat::Json);
        assert!(error.contains(&format!("ours.toml{at}")), "{text}\n{error}");
        assert!(error.contains(words), "{text}\n{error}");
    }
}
