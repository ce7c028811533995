//! Sidecars go along with an output: copied beside it, or renamed with it where it takes the place of its source.
//!
//! ```text
//! sidecars        before the fence: which they are; the report names them
//! carry_sidecars  after the output has appeared: each gets its name beside it
//! ```
//!
//! Each step can be repeated by the worker that takes the job over. Nothing is replaced, and no link is followed.

#[cfg(all(test, unix))]
mod crash;
mod disk;
mod objects;

use crate::job::Job;
use crate::job::sidecar::{Sidecar, TooManySidecars};
use crate::names::location::Location;
use crate::store::{StoreError, Stores};

/// Where a sidecar is, and where it goes.
#[derive(Clone, Debug)]
struct Way {
    from: Location,
    to: Location,
    /// Whether it loses its name, as its film has.
    is_move: bool,
}

/// What has become of a sidecar.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Carried {
    /// It is where it was to go.
    There,
    /// It was left as it is, for this reason.
    Left(String),
}

/// Why a sidecar is left as it is.
fn occupied(to: &Location) -> Carried {
    Carried::Left(format!(
        "another file is at {to}, and was left as it is, too"
    ))
}

impl Stores {
    /// The sidecars that are to go along with the file that a job makes appear at `to`, or why none of them does.
    ///
    /// # Errors
    /// The folder of the source cannot be listed.
    pub async fn sidecars(
        &self,
        job: &Job,
        to: &Location,
    ) -> Result<Result<Vec<Sidecar>, TooManySidecars>, StoreError> {
        let source = &job.input.location;
        if !job.carries_to(to) {
            return Ok(Ok(Vec::new()));
        }
        let names = match source.is_remote() {
            true => objects::names(self, source).await?,
            false => self.on_disk(source, disk::names).await?,
        };
        let ends = match Sidecar::among(&source.name(), &names) {
            Ok(ends) => ends,
            Err(many) => return Ok(Err(many)),
        };
        let is_shared =
            job.replacement.is_some() && Sidecar::are_shared(&source.name(), &to.name(), &names);
        let left = is_shared.then(|| "another film of the same name needs it, too".to_owned());
        let sidecars = ends.into_iter().map(|end| Sidecar {
            end,
            left: left.clone(),
        });
        Ok(Ok(sidecars.collect()))
    }

    /// Has each sidecar go along with the file that a job has made appear at `to`. A sidecar that cannot says why.
    ///
    /// # Errors
    /// A store is out of reach: to be repeated.
    pub async fn carry_sidecars(
        &self,
        job: &Job,
        to: &Location,
        sidecars: &mut [Sidecar],
    ) -> Result<(), StoreError> {
        for sidecar in sidecars.iter_mut().filter(|sidecar| sidecar.left.is_none()) {
            let way = Way {
                from: sidecar.end.beside(&job.input.location),
                to: sidecar.end.beside(to),
                is_move: job.replacement.is_some(),
            };
            if let Carried::Left(why) = self.carry(job, way).await? {
                sidecar.left = Some(why);
            }
        }
        Ok(())
    }

    /// The first sidecar that cannot get its old name back, because another file has it: its old and its new location.
    ///
    /// # Errors
    /// A store fails.
    pub(super) async fn sidecar_in_the_way(
        &self,
        job: &Job,
        sidecars: &[Sidecar],
    ) -> Result<Option<(Location, Location)>, StoreError> {
        for Way { from, to, .. } in ways_back(job, sidecars) {
            let is_free = match to.is_remote() {
                true => objects::is_free(self, &from, &to).await?,
                false => {
                    let back = to.clone();
                    let look = move |roots: &_, from: &Location| disk::is_free(roots, from, &back);
                    self.on_disk(&from, look).await?
                }
            };
            if !is_free {
                return Ok(Some((to, from)));
            }
        }
        Ok(None)
    }

    /// Gives renamed sidecars their old names back. Can be repeated.
    ///
    /// # Errors
    /// A store fails.
    pub(super) async fn bring_sidecars_back(
        &self,
        job: &Job,
        sidecars: &[Sidecar],
    ) -> Result<(), StoreError> {
        for way in ways_back(job, sidecars) {
            let from = way.from.clone();
            if let Carried::Left(why) = self.carry(job, way).await? {
                tracing::warn!(sidecar = %from, why, "it keeps its new name");
            }
        }
        Ok(())
    }

    async fn carry(&self, job: &Job, way: Way) -> Result<Carried, StoreError> {
        if way.from.is_remote() || way.to.is_remote() {
            return objects::carry(self, job, &way).await;
        }
        let id = job.id;
        // The limits are looked at for both.
        self.check(&way.to)?;
        let from = way.from.clone();
        let carry = move |roots: &_, _: &Location| disk::carry(roots, &id, &way);
        self.on_disk(&from, carry).await
    }
}

/// The ways of renamed sidecars to their old names.
fn ways_back(job: &Job, sidecars: &[Sidecar]) -> impl Iterator<Item = Way> {
    let is_any = job.replacement.is_some();
    let renamed = sidecars
        .iter()
        .filter(move |sidecar| is_any && sidecar.left.is_none());
    renamed.map(|sidecar| Way {
        from: sidecar.end.beside(&job.output),
        to: sidecar.end.beside(&job.input.location),
        is_move: true,
    })
}
