//! The files that a recipe names. A file with other content makes another job.

use crate::job::further::{FurtherInput, FurtherRole};
use crate::job::input::Input;
use crate::names::location::Location;
use crate::recipe::{LARGEST_RECIPE_FILE, PictureForm, Recipe, check_cube};
use crate::store::roots::Roots;
use crate::store::{StoreError, Stores};

/// A file that a recipe names cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecipeFileError {
    /// It cannot be read.
    #[error("{what} cannot be read: {source}")]
    Unreadable {
        /// What the recipe names it as.
        what: &'static str,
        /// Why not.
        source: StoreError,
    },
    /// It is not what the recipe needs.
    #[error("{what} {location} cannot be used: {why}")]
    Unfit {
        /// What the recipe names it as.
        what: &'static str,
        /// Where it is.
        location: Location,
        /// Why not.
        why: String,
    },
}

/// Makes sure that a file is what its role needs.
///
/// # Errors
/// What is wrong with it.
pub fn check_recipe_file(role: &FurtherRole, bytes: &[u8]) -> Result<(), String> {
    match role {
        FurtherRole::Lut => check_cube(bytes).map_err(|error| error.to_string()),
        FurtherRole::Watermark => PictureForm::of(bytes)
            .map(|_| ())
            .ok_or_else(|| "it is no PNG, JPEG or WebP picture".to_owned()),
        FurtherRole::Continuation(_) | FurtherRole::Subtitles(_) => Ok(()),
    }
}

impl Stores {
    /// Finds and checks the files that a recipe names.
    ///
    /// # Errors
    /// The first file that cannot be used.
    pub async fn recipe_files(
        &self,
        recipe: &Recipe,
    ) -> Result<Vec<FurtherInput>, RecipeFileError> {
        let Some(video) = recipe.video_encode() else {
            return Ok(Vec::new());
        };
        let lut = video.lut.as_ref();
        let watermark = video.watermark.as_ref().map(|watermark| &watermark.picture);
        let named = [
            (lut, "the colour table", FurtherRole::Lut),
            (watermark, "the watermark", FurtherRole::Watermark),
        ];
        let mut files = Vec::new();
        for (location, what, role) in named {
            let Some(location) = location else { continue };
            let unreadable = |source| RecipeFileError::Unreadable { what, source };
            let unfit = |why| RecipeFileError::Unfit {
                what,
                location: location.clone(),
                why,
            };
            let input = self.head(location).await.map_err(unreadable)?;
            if input.size > LARGEST_RECIPE_FILE {
                let most = LARGEST_RECIPE_FILE >> 20;
                return Err(unfit(format!("it is larger than {most} MiB")));
            }
            let bytes = self.whole(&input).await.map_err(unreadable)?;
            check_recipe_file(&role, &bytes).map_err(unfit)?;
            files.push(FurtherInput { input, role });
        }
        Ok(files)
    }

    /// The content of a small file.
    async fn whole(&self, input: &Input) -> Result<Vec<u8>, StoreError> {
        let location = &input.location;
        if self.within.is_some() && !location.is_remote() {
            let read = |roots: &Roots, at: &Location| {
                let mut file = roots.file(at)?.file;
                let mut bytes = Vec::new();
                std::io::Read::read_to_end(&mut file, &mut bytes)
                    .map_err(StoreError::local(at.to_string()))?;
                Ok(bytes)
            };
            return self.on_disk(location, read).await;
        }
        if let Some(path) = location.path() {
            let read = tokio::fs::read(&path).await;
            return read.map_err(StoreError::local(format!("reading {}", path.display())));
        }
        let (store, path) = self.object(location)?;
        let remote = StoreError::remote(location);
        let object = object_store::ObjectStoreExt::get(store.as_ref(), &path)
            .await
            .map_err(&remote)?;
        let bytes = object.bytes().await.map_err(&remote)?;
        Ok(bytes.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Job;
    use crate::job::id::BatchId;
    use crate::job::work::Work;
    use crate::recipe::{Choice, VideoEncode, Watermark};

    fn recipe(lut: Option<&std::path::Path>, watermark: Option<&std::path::Path>) -> Recipe {
        let at = |path| Location::file(path).expect("absolute");
        let mut video = VideoEncode::new(Choice::Encoder("libx264".parse().expect("a name")));
        video.lut = lut.map(at);
        video.watermark = watermark.map(at).map(Watermark::new);
        Recipe::encode(video).expect("a sound recipe")
    }

    #[tokio::test]
    async fn another_content_makes_another_job() {
        let folder = tempfile::tempdir().expect("a folder");
        let (table, logo) = (folder.path().join("a.cube"), folder.path().join("a.png"));
        std::fs::write(&table, format!("LUT_3D_SIZE 2\n{}", "0 0 0\n".repeat(8))).expect("written");
        std::fs::write(&logo, b"\x89PNG\r\n\x1a\n").expect("written");
        let recipe = recipe(Some(&table), Some(&logo));
        let id = async || {
            let files = Stores::new()
                .recipe_files(&recipe)
                .await
                .expect("both are there");
            let roles: Vec<_> = files.iter().map(|file| file.role.clone()).collect();
            assert_eq!(roles, [FurtherRole::Lut, FurtherRole::Watermark]);
            let job = crate::testing::job(Choice::Encoder("libx264".parse().expect("a name")), 1);
            let work = Work {
                further: files,
                ..Work::new(job.input, recipe.clone(), job.output)
            };
            Job::of(BatchId::new(), work, None).id
        };
        let first = id().await;
        assert_eq!(id().await, first);
        std::fs::write(&logo, b"\x89PNG\r\n\x1a\nmore").expect("written");
        assert_ne!(id().await, first);
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_used_is_named_with_the_reason() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = folder.path().join("a.txt");
        std::fs::write(&text, "hello").expect("written");
        let missing = folder.path().join("missing");
        for (recipe, why) in [
            (recipe(Some(&text), None), "the colour table /"),
            (recipe(Some(&text), None), "line 1 is no colour"),
            (recipe(None, Some(&text)), "no PNG, JPEG or WebP"),
            (recipe(None, Some(&missing)), "the watermark cannot be read"),
        ] {
            let error = Stores::new().recipe_files(&recipe).await.expect_err(why);
            assert!(error.to_string().contains(why), "{error}");
        }
        let plain = recipe(None, None);
        assert_eq!(
            Stores::new()
                .recipe_files(&plain)
                .await
                .expect("none")
                .len(),
            0
        );
    }
}
