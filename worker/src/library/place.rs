//! Where a library really is: names alone do not tell whether two folders are one.

use anyhow::bail;
use common::library::{Library, Results, check};
use common::names::location::Location;
use common::names::token::Token;

use crate::library::scan::Scanner;

impl Scanner<'_> {
    /// Refuses to scan a folder that is really the folder of another library, or of outputs: names alone do not tell.
    pub(super) async fn check_place(
        &self,
        library: &Library,
        real: Option<Location>,
    ) -> anyhow::Result<()> {
        let broker = &self.executor.broker;
        self.held
            .tell(|record| {
                record.real.clone_from(&real);
                record.real_of = Some(library.location.clone());
            })
            .await?;
        let scans = broker.scans().await?;
        let mut others = Vec::new();
        for stored in broker.libraries().await? {
            if stored.name == *self.name {
                continue;
            }
            let scan = scans.iter().find(|(name, _)| *name == stored.name);
            let mut other = stored.library;
            let real = scan.and_then(|(_, scan)| scan.place_of(&other.location));
            if let Some(real) = real.cloned() {
                other.location = real;
            }
            others.push((stored.name, other));
        }
        let mut own = library.clone();
        if let Some(real) = real {
            own.location = real;
        }
        if let Results::Folder(folder) = &mut own.results {
            let (at, file) = (folder.clone(), folder.join("file"));
            let opened = self.executor.stores.on_disk(&file, move |roots, _| {
                roots.folder(&at).map(|folder| folder.path().to_owned())
            });
            // A folder that is not there yet has no links in it.
            if let Ok(path) = opened.await
                && let Ok(real) = Location::file(&path)
            {
                *folder = real;
            }
        }
        check::folders(self.name, &own, &[])?;
        // One after the other: a library that this one goes before must not hide another one that is in the way.
        for other in others {
            match check::folders(self.name, &own, std::slice::from_ref(&other)) {
                // Of two libraries over one folder, the one that was added first goes on.
                Err(check::LibraryError::Overlap { .. }) if self.is_before(library, &other) => {}
                Err(error) => bail!("{error}"),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// Whether this library was added before another one.
    fn is_before(&self, library: &Library, (name, other): &(Token, Library)) -> bool {
        (library.added, self.name) < (other.added, name)
    }
}
