//! Where a library really is: names alone do not tell whether two folders are one.

use anyhow::bail;
use common::library::{Library, Results, check};
use common::names::location::Location;
use common::names::token::Token;
use common::store::StoreError;
use common::store::roots::{Identity, Way};

use crate::library::list::Listing;
use crate::library::paths::Paths;
use crate::library::scan::Scanner;

impl Scanner<'_> {
    /// Refuses to scan a folder that is really the folder of another library, or of outputs: names alone do not tell.
    /// Folders that this worker cannot look at are compared by the names that their workers have found.
    pub(super) async fn check_place(
        &self,
        library: &Library,
        listing: &Listing,
    ) -> anyhow::Result<()> {
        let broker = &self.executor.broker;
        self.held
            .tell(|record| {
                record.real.clone_from(&listing.real);
                record.real_of = Some(library.location.clone());
            })
            .await?;
        let mut paths = Paths::new(listing.folders.clone());
        let mut own = library.clone();
        let way = self.way(&library.location).await.ok();
        let identity = way.as_ref().and_then(identity);
        own.location = located(&mut paths, way.as_ref(), &library.location);
        let scans = broker.scans().await?;
        let mut others = Vec::new();
        for stored in broker.libraries().await? {
            if stored.name == *self.name {
                continue;
            }
            let scan = scans.iter().find(|(name, _)| *name == stored.name);
            let mut other = stored.library.clone();
            let real = scan.and_then(|(_, scan)| scan.place_of(&other.location));
            if let Some(real) = real.cloned() {
                other.location = real;
            }
            let way = self.way(&other.location).await.ok();
            other.location = located(&mut paths, way.as_ref(), &other.location);
            // It finds out by itself if this library's folder lies in its own, is its own, or is on the way to its own.
            let holds = own.location.is_below(&other.location);
            let sees = way.is_none_or(|way| {
                let mut folders = way.folders.iter();
                holds || identity.is_none() || folders.any(|(_, of)| *of == identity)
            });
            others.push((stored.name, stored.library, other, sees));
        }
        self.locate_output(&mut paths, &mut own).await;
        for (_, _, other, _) in &mut others {
            self.locate_output(&mut paths, other).await;
        }
        let also = |given: &Library, found: &Library| {
            let moved = [
                (&given.location, &found.location),
                (given.output_folder(), found.output_folder()),
            ];
            let mut moved: Vec<_> = moved.into_iter().filter(|(one, two)| one != two).collect();
            moved.dedup();
            moved
                .into_iter()
                .map(|(given, found)| format!(" ({given} is really {found})"))
                .collect::<String>()
        };
        if let Err(error) = check::folders(self.name, &own, &[]) {
            bail!("{error}{}", also(library, &own));
        }
        // One after the other: a library that this one goes before must not hide another one that is in the way.
        for (name, given, other, sees) in others {
            let is_before = self.is_before(library, (&name, &other));
            let told = also(library, &own) + &also(&given, &other);
            match check::folders(self.name, &own, &[(name, other)]) {
                // Of two libraries over one folder, the one that was added first goes on.
                Err(check::LibraryError::Overlap { .. }) if is_before && sees => {}
                Err(error) => bail!("{error}{told}"),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// Whether this library was added before another one.
    fn is_before(&self, library: &Library, (name, other): (&Token, &Library)) -> bool {
        (library.added, self.name) < (other.added, name)
    }

    /// The way to a folder, as this worker sees it.
    async fn way(&self, folder: &Location) -> Result<Way, StoreError> {
        let at = folder.clone();
        let way = move |roots: &common::store::roots::Roots, _: &Location| roots.way(&at);
        if folder.is_remote() {
            return Err(StoreError::Missing(folder.clone()));
        }
        self.executor
            .stores
            .on_disk(&folder.join("file"), way)
            .await
    }

    async fn locate_output(&self, paths: &mut Paths, library: &mut Library) {
        if let Results::Folder(folder) = &mut library.results {
            let way = self.way(folder).await.ok();
            *folder = located(paths, way.as_ref(), folder);
        }
    }
}

fn located(paths: &mut Paths, way: Option<&Way>, folder: &Location) -> Location {
    let found = way.and_then(|way| paths.locate(way));
    found.unwrap_or_else(|| folder.clone())
}

/// The identity of the folder at the end of a way.
fn identity(way: &Way) -> Option<Identity> {
    way.folders.last().and_then(|(_, identity)| *identity)
}
