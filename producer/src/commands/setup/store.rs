//! The store of a farm: its settings, and the proof that it can be used.

use common::names::location::Location;
use common::program::farm_file::StoreSection;
use common::store::{ProofError, ProofStep, StoreError, Stores};

use crate::cli::exit::Error;

/// Keeps what the environment says of the store, so that other machines get it with their lines.
pub(super) fn take_environment(store: &mut StoreSection) {
    let variable = |names: &[&str]| {
        let mut values = names.iter().filter_map(|name| std::env::var(name).ok());
        values.find(|value| !value.is_empty())
    };
    let settings = [
        (
            &mut store.endpoint,
            &["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"][..],
        ),
        (&mut store.region, &["AWS_REGION", "AWS_DEFAULT_REGION"]),
        (&mut store.access_key_id, &["AWS_ACCESS_KEY_ID"]),
    ];
    for (setting, names) in settings {
        *setting = variable(names).or(setting.take());
    }
    let secrets = [
        (&mut store.secret_access_key, "AWS_SECRET_ACCESS_KEY"),
        (&mut store.session_token, "AWS_SESSION_TOKEN"),
    ];
    for (secret, name) in secrets {
        *secret = variable(&[name]).map(Into::into).or(secret.take());
    }
}

/// Proves the store. A bucket that is missing is made.
pub(super) async fn prove(store: &Location, stores: &Stores) -> Result<(), Error> {
    let stores = stores.hurried();
    let is_missing = |error: &ProofError| {
        error.step == ProofStep::Put && matches!(error.source, StoreError::Missing(_))
    };
    let proof = match stores.prove(store).await {
        Err(error) if store.is_remote() && is_missing(&error) => {
            stores.make_bucket(store).await?;
            stores.prove(store).await
        }
        proof => proof,
    };
    proof.map_err(|error| {
        Error::out_of_reach(format!(
            "the store {store} cannot be used: {error}; AWS_ENDPOINT, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY say where \
             a bucket is and who may use it"
        ))
    })
}
