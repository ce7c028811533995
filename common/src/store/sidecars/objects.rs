//! Sidecars in buckets, on both ends of their way or on one.
//!
//! Stores have no names that are taken at the same moment, so another program's object that appears right then could be
//! replaced.

use std::fs::File;
use std::io;

use object_store::ObjectStore;
use tokio_util::sync::CancellationToken;

use super::{Carried, Way, disk, occupied};
use crate::job::Job;
use crate::job::input::Input;
use crate::names::location::Location;
use crate::store::roots::Roots;
use crate::store::{StoreError, Stores};

/// The names of the objects in the folder of a source.
pub(super) async fn names(stores: &Stores, source: &Location) -> Result<Vec<String>, StoreError> {
    let (store, path) = stores.object(source)?;
    let folder = path.parent().filter(|folder| !folder.is_root());
    let listed = store.list_with_delimiter(folder.as_ref()).await;
    let listed = listed.map_err(StoreError::remote(&source.folder()))?;
    let names = listed.objects.iter();
    Ok(names
        .filter_map(|object| object.location.filename().map(str::to_owned))
        .collect())
}

async fn found(stores: &Stores, at: &Location) -> Result<Option<Input>, StoreError> {
    match stores.head(at).await {
        Ok(found) => Ok(Some(found)),
        Err(StoreError::Missing(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes a sidecar go its way.
pub(super) async fn carry(stores: &Stores, job: &Job, way: &Way) -> Result<Carried, StoreError> {
    let carried = try_carry(stores, job, way).await;
    match carried {
        Err(StoreError::Local { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {
            Ok(occupied(&way.to))
        }
        Err(StoreError::Local { source, .. }) => Ok(Carried::Left(source.to_string())),
        Err(error @ (StoreError::LeadsOut(_) | StoreError::Name { .. })) => {
            Ok(Carried::Left(error.to_string()))
        }
        carried => carried,
    }
}

async fn try_carry(stores: &Stores, job: &Job, way: &Way) -> Result<Carried, StoreError> {
    let Way { from, to, is_move } = way;
    let there = match found(stores, to).await {
        Err(StoreError::LeadsOut(_)) => return Ok(occupied(to)),
        there => there?,
    };
    let Some(sidecar) = found(stores, from).await? else {
        return Ok(match *is_move && there.is_some() {
            true => Carried::There,
            false => Carried::Left("it is gone".to_owned()),
        });
    };
    match there {
        Some(there) => {
            let is_like = there.size == sidecar.size
                && stores.digest(to).await? == stores.digest(from).await?;
            if !is_like {
                return Ok(occupied(to));
            }
        }
        None => {
            bring(stores, job, &sidecar, to).await?;
            let size = found(stores, to).await?.map(|copy| copy.size);
            if size != Some(sidecar.size) {
                return Ok(Carried::Left(format!("the copy at {to} is not like it")));
            }
        }
    }
    if *is_move {
        stores.delete(from).await?;
    }
    Ok(Carried::There)
}

/// Copies a sidecar to a location that is free.
async fn bring(
    stores: &Stores,
    job: &Job,
    sidecar: &Input,
    to: &Location,
) -> Result<(), StoreError> {
    let from = &sidecar.location;
    if from.is_remote() && to.is_remote() {
        return stores.copy_object(sidecar, to).await;
    }
    if to.is_remote() {
        let open = |roots: &Roots, at: &Location| {
            let (folder, name) = roots.folder_of(at)?;
            let opened = folder.open(&name);
            Ok(opened.map_err(StoreError::local(at.to_string()))?.file)
        };
        let file: File = stores.on_disk(from, open).await?;
        let mut upload = stores
            .upload(file, to, &|_| {}, &CancellationToken::new())
            .await?;
        return upload.commit().await;
    }
    let (id, hidden) = (job.id, disk::hidden(&job.id));
    let local = |at: &Location| StoreError::local(at.to_string());
    let unnamed = hidden.clone();
    let create = move |roots: &Roots, at: &Location| {
        let (folder, _) = roots.make_folder_of(at)?;
        folder.remove_own(&disk::prefix(&id)).map_err(local(at))?;
        folder.create(&unnamed).map_err(local(at))
    };
    let file = stores.on_disk(to, create).await?;
    let copied = stores.copy_into(from, file, &|_| {}).await;
    let settle = move |roots: &Roots, at: &Location| {
        let (folder, name) = roots.folder_of(at)?;
        let settled = copied.map(drop).and_then(|()| {
            let settled = folder.settle(&hidden, &name, false);
            settled.and_then(|()| folder.sync()).map_err(local(at))
        });
        settled.inspect_err(|_| {
            let _ = folder.remove(&hidden);
        })
    };
    stores.on_disk(to, settle).await
}

/// Whether a moved sidecar can get its old key back: the key is free, or holds the same.
pub(super) async fn is_free(
    stores: &Stores,
    from: &Location,
    to: &Location,
) -> Result<bool, StoreError> {
    let (Some(sidecar), Some(there)) = (found(stores, from).await?, found(stores, to).await?)
    else {
        return Ok(true);
    };
    let is_same_size = there.size == sidecar.size;
    Ok(is_same_size && stores.digest(to).await? == stores.digest(from).await?)
}
