//! Clients of S3-compatible buckets, made from the standard `AWS_*` variables and the settings of the farm.

use std::collections::HashMap;
use std::sync::{Arc, Once, PoisonError};
use std::time::Duration;

use object_store::ClientConfigKey;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};

use crate::names::location::Location;
use crate::notify::secret::Secret;
use crate::store::Stores;
use crate::store::connector::Connector;
use crate::store::error::{StoreError, innermost, without_logins};

/// How long a store may take to complete an upload before it is asked again. AWS takes up to minutes, and accepts the
/// second request.
const COMPLETE_TIMEOUT: Duration = Duration::from_secs(2 * 60);

/// Clients by bucket and patience.
pub(super) type Clients = HashMap<(String, Patience), Arc<AmazonS3>>;

/// How to reach the farm's buckets, where the environment does not say otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreSettings {
    /// The address of a store that is not Amazon's, e.g. `https://store:8333`.
    pub endpoint: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// The name of the access key.
    pub access_key_id: Option<String>,
    /// The secret half of the access key.
    pub secret_access_key: Option<Secret>,
    /// The token of a temporary access key.
    pub session_token: Option<Secret>,
}

impl StoreSettings {
    /// Adds the settings that the environment has left open. An access key is one setting: its parts come from one
    /// place.
    fn complete(&self, mut builder: AmazonS3Builder) -> AmazonS3Builder {
        use AmazonS3ConfigKey::{AccessKeyId, Endpoint, Region, SecretAccessKey, Token};
        let key = [AccessKeyId, SecretAccessKey, Token];
        let has_key = key
            .iter()
            .any(|part| builder.get_config_value(part).is_some());
        let secret = |text: &Option<Secret>| text.as_ref().map(|text| text.reveal().to_owned());
        let parts = [
            self.access_key_id.clone(),
            secret(&self.secret_access_key),
            secret(&self.session_token),
        ];
        let mut wanted = vec![
            (Endpoint, self.endpoint.clone()),
            (Region, self.region.clone()),
        ];
        if !has_key {
            wanted.extend(key.into_iter().zip(parts));
        }
        for (name, value) in wanted {
            if let Some(value) = value.filter(|_| builder.get_config_value(&name).is_none()) {
                builder = builder.with_config(name, value);
            }
        }
        builder
    }
}

/// How long a client waits for one answer.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Patience {
    /// The settings' time.
    Usual,
    /// The time that a store may need to complete a large upload.
    Long,
}

/// The settings that may hold the address of a store.
const ENDPOINTS: [&str; 3] = ["AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"];

/// Whether an endpoint uses HTTP without TLS.
///
/// # Errors
/// It is no address of a store: the client library would panic.
fn is_plain_http(setting: &str, endpoint: &str) -> Result<bool, String> {
    match url::Url::parse(endpoint) {
        Ok(url) if url.scheme() == "http" => Ok(true),
        Ok(url) if url.scheme() == "https" => Ok(false),
        _ => Err(format!(
            "{setting} is '{}': expected http://HOST:PORT or https://HOST",
            without_logins(endpoint)
        )),
    }
}

impl Stores {
    /// The client of a location's bucket.
    pub(super) fn bucket(
        &self,
        location: &Location,
        patience: Patience,
    ) -> Result<Arc<AmazonS3>, StoreError> {
        static TLS: Once = Once::new();
        TLS.call_once(|| {
            // An error means that a provider is set up already.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let settings = |message: String| StoreError::Settings {
            location: location.clone(),
            message,
        };
        let name = location
            .bucket()
            .ok_or_else(|| settings("not in a bucket".to_owned()))?;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let client = (name.to_owned(), patience);
        if let Some(store) = buckets.get(&client) {
            return Ok(Arc::clone(store));
        }
        let mut plain_http = false;
        for key in ENDPOINTS {
            if let Ok(value) = std::env::var(key) {
                plain_http |= is_plain_http(key, &value).map_err(settings)?;
            }
        }
        if let Some(endpoint) = &self.settings.endpoint {
            plain_http |= is_plain_http("endpoint", endpoint).map_err(settings)?;
        }
        let mut builder = self
            .settings
            .complete(AmazonS3Builder::from_env())
            .with_http_connector(Connector)
            .with_bucket_name(name)
            .with_retry(self.retry.clone());
        if plain_http {
            builder = builder.with_allow_http(true);
        }
        if patience == Patience::Long {
            let timeout = AmazonS3ConfigKey::Client(ClientConfigKey::Timeout);
            builder =
                builder.with_config(timeout, format!("{} seconds", COMPLETE_TIMEOUT.as_secs()));
        }
        let store = Arc::new(
            builder
                .build()
                .map_err(|error| settings(innermost(&error)))?,
        );
        buckets.insert(client, Arc::clone(&store));
        Ok(store)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_address_with_its_scheme() {
        assert_eq!(is_plain_http("AWS_ENDPOINT", "http://store:8333"), Ok(true));
        assert_eq!(
            is_plain_http("AWS_ENDPOINT", "https://s3.example"),
            Ok(false)
        );
        for wrong in ["", "store", "store:8333", "127.0.0.1:8333", "s3://media"] {
            let expected =
                format!("AWS_ENDPOINT is '{wrong}': expected http://HOST:PORT or https://HOST");
            assert_eq!(is_plain_http("AWS_ENDPOINT", wrong), Err(expected));
        }
    }
}
