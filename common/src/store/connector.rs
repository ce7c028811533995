//! The HTTP client of S3-compatible stores.
//!
//! `object_store`'s own client follows redirects to any host: a server in the store's place could make a worker send
//! requests to other services of its network.

use std::time::Duration;

use object_store::client::{ClientConfigKey, HttpClient, HttpConnector};
use object_store::{ClientOptions, Error, Result};
use reqwest::redirect::Policy;
use reqwest::{Certificate, ClientBuilder, NoProxy, Proxy};

/// Makes clients that follow no redirect, with what the `AWS_*` variables say of times, TLS, the version of HTTP and a
/// proxy. Other settings of clients keep their defaults.
#[derive(Debug)]
pub(super) struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> Result<HttpClient> {
        let client = builder(options).and_then(|builder| builder.build().map_err(generic))?;
        Ok(HttpClient::new(client))
    }
}

fn builder(options: &ClientOptions) -> Result<ClientBuilder> {
    use ClientConfigKey as Key;
    let is = |key| options.get_config_value(&key).as_deref() == Some("true");
    let mut builder = ClientBuilder::new()
        .redirect(Policy::none())
        .user_agent(concat!("ffmpeg-easy/", env!("CARGO_PKG_VERSION")))
        .https_only(!is(Key::AllowHttp))
        .danger_accept_invalid_certs(is(Key::AllowInvalidCertificates));
    if is(Key::NoSystemCertificates) {
        builder = builder.tls_certs_only([]);
    }
    if is(Key::Http1Only) {
        builder = builder.http1_only();
    }
    if is(Key::Http2Only) {
        builder = builder.http2_prior_knowledge();
    }
    if let Some(time) = duration(options, Key::Timeout)? {
        builder = builder.timeout(time);
    }
    if let Some(time) = duration(options, Key::ConnectTimeout)? {
        builder = builder.connect_timeout(time);
    }
    if let Some(time) = duration(options, Key::ReadTimeout)? {
        builder = builder.read_timeout(time);
    }
    if let Some(time) = duration(options, Key::PoolIdleTimeout)? {
        builder = builder.pool_idle_timeout(time);
    }
    if let Some(address) = options.get_config_value(&Key::ProxyUrl) {
        let mut proxy = Proxy::all(address).map_err(generic)?;
        if let Some(hosts) = options.get_config_value(&Key::ProxyExcludes) {
            proxy = proxy.no_proxy(NoProxy::from_string(&hosts));
        }
        builder = builder.proxy(proxy);
        if let Some(certificate) = options.get_config_value(&Key::ProxyCaCertificate) {
            let certificate = Certificate::from_pem(certificate.as_bytes()).map_err(generic)?;
            builder = builder.tls_certs_merge([certificate]);
        }
    }
    Ok(builder)
}

fn duration(options: &ClientOptions, key: ClientConfigKey) -> Result<Option<Duration>> {
    let text = options.get_config_value(&key);
    text.map(|text| humantime::parse_duration(&text).map_err(generic))
        .transpose()
}

fn generic(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Generic {
        store: "S3",
        source: Box::new(error),
    }
}
