//! The certificate authority of a farm: whom its clients trust to name the broker.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use serde::{Deserialize, Serialize};

/// Certificates in PEM. A broker's certificate must be signed by one of them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Authority(String);

/// The text holds no certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no certificate of an authority: {0}; expected PEM, -----BEGIN CERTIFICATE-----")]
pub struct AuthorityError(String);

impl Authority {
    /// The certificates in PEM.
    pub fn pem(&self) -> &str {
        &self.0
    }

    /// TLS that accepts only servers whose certificates are signed by this authority.
    pub(crate) fn client(&self) -> Result<ClientConfig, AuthorityError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| AuthorityError(error.to_string()))?
            .with_root_certificates(self.roots()?)
            .with_no_client_auth();
        Ok(config)
    }

    /// The certificates, as a verifier takes them.
    ///
    /// # Errors
    /// The text holds no certificate that could be used.
    pub fn roots(&self) -> Result<RootCertStore, AuthorityError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(self.0.as_bytes()) {
            let certificate = certificate.map_err(|error| AuthorityError(error.to_string()))?;
            let added = roots.add(certificate);
            added.map_err(|error| AuthorityError(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(AuthorityError("the text holds none".to_owned()));
        }
        Ok(roots)
    }
}

impl FromStr for Authority {
    type Err = AuthorityError;

    fn from_str(pem: &str) -> Result<Self, AuthorityError> {
        let authority = Self(pem.to_owned());
        authority.roots()?;
        Ok(authority)
    }
}

impl TryFrom<String> for Authority {
    type Error = AuthorityError;

    fn try_from(pem: String) -> Result<Self, AuthorityError> {
        pem.parse()
    }
}

impl From<Authority> for String {
    fn from(authority: Authority) -> Self {
        authority.0
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority(PEM)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_without_a_certificate_is_refused() {
        let begun = "-----BEGIN CERTIFICATE-----\nMIIB\n";
        for text in ["", "ca.pem", begun] {
            assert!(text.parse::<Authority>().is_err(), "{text}");
        }
    }
}
