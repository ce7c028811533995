//! Encrypted connections: a certificate and its key, read again when their files change.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The certificate or its key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file cannot be read.
    #[error("cannot read {what} in {path}: {error}; a PEM file is expected")]
    Unreadable {
        /// What the file should hold.
        what: &'static str,
        path: PathBuf,
        error: String,
    },
    /// The two do not belong together, or the key is of no known kind.
    #[error("cannot use the certificate in {path} with its key: {error}")]
    Unusable { path: PathBuf, error: rustls::Error },
}

/// How connections are encrypted.
#[derive(Clone)]
pub(crate) struct Tls {
    config: Arc<RwLock<Arc<ServerConfig>>>,
}

impl Tls {
    /// # Errors
    /// If a file cannot be read, or certificate and key do not belong together.
    pub(crate) fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        Ok(Self {
            config: Arc::new(RwLock::new(Arc::new(config(certificate, key)?))),
        })
    }

    /// Uses the files as they are now, for all connections that begin from now on.
    ///
    /// # Errors
    /// As [`Tls::read`]. The certificate from before stays in use then.
    pub(crate) fn read_again(&self, certificate: &Path, key: &Path) -> Result<(), TlsError> {
        let config = Arc::new(config(certificate, key)?);
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// The encrypted connection after its handshake.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let config = self
            .config
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        TlsAcceptor::from(config).accept(stream).await
    }
}

fn config(certificate: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let unreadable = |what, path: &Path| {
        let path = path.to_owned();
        move |error: rustls::pki_types::pem::Error| TlsError::Unreadable {
            what,
            path,
            error: error.to_string(),
        }
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(unreadable("the certificate", certificate))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(unreadable("the private key", key))?;
    let unusable = |error| TlsError::Unusable {
        path: certificate.to_owned(),
        error,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
