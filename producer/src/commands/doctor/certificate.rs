//! The broker's certificate: for how long it holds. Only the broker shows it, in the handshake of TLS.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use common::broker::Authority;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error as TlsError, SignatureScheme};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::finding::Finding;
use crate::cli::settings::Settings;

/// How long the broker may take.
const ANSWER: Duration = Duration::from_secs(5);
/// A certificate that ends in so many days is to be renewed.
const SOON: u64 = 30;
/// In so many days, nobody may look again.
const VERY_SOON: u64 = 7;
const DAY: u64 = 24 * 3600;
const PORT: u16 = 4222;
const CURE: &str = "run `producer setup --host NAME` with the names of that machine, on the machine that has made the farm: it makes a new \
     certificate, and no other machine needs a new line";

/// What is known of the first broker's certificate; nothing without TLS by an authority of the farm. What is wrong with it by
/// now keeps the programs from connecting, and is told there.
pub(super) async fn check(settings: &Settings) -> Option<Finding> {
    let options = settings.connection();
    let authority = options.authority.as_ref()?;
    let address = options.servers.addresses().next()?;
    let host = address.strip_prefix("tls://").unwrap_or(address);
    let host = host.rsplit('@').next().unwrap_or(host);
    let looked = tokio::time::timeout(ANSWER, days_left(host, authority));
    let days = looked.await.ok()??;
    let about = format!("of {host}");
    Some(match days {
        Some(days) => {
            let found = format!("it ends in {days} days");
            match days <= VERY_SOON {
                true => Finding::wrong("certificate", about, found, CURE),
                false => Finding::doubtful("certificate", about, found, CURE),
            }
        }
        None => Finding::fine(
            "certificate",
            about,
            format!("it holds for {SOON} days and more"),
        ),
    })
}

/// The days for which the certificate of a broker holds; `Some(None)` for more than [`SOON`], `None` if it does not hold, or
/// cannot be seen.
async fn days_left(host: &str, authority: &Authority) -> Option<Option<u64>> {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) => (name.trim_matches(['[', ']']), port.parse().ok()?),
        None => (host, PORT),
    };
    let stream = TcpStream::connect((name, port)).await.ok()?;
    let mut stream = BufReader::new(stream);
    // A broker says in clear who it is, before it speaks TLS.
    let mut hello = String::new();
    stream.read_line(&mut hello).await.ok()?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = Arc::new(authority.roots().ok()?);
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider));
    let verifier = Arc::new(Looking {
        verifier: verifier.build().ok()?,
        days: Mutex::new(None),
    });
    let connector = TlsConnector::from(Arc::new(config(provider, Arc::clone(&verifier))?));
    let name = ServerName::try_from(name.to_owned()).ok()?;
    connector.connect(name, stream.into_inner()).await.ok()?;
    *verifier.days.lock().unwrap_or_else(PoisonError::into_inner)
}

fn config(provider: Arc<CryptoProvider>, verifier: Arc<Looking>) -> Option<ClientConfig> {
    let config = ClientConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().ok()?;
    Some(
        config
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth(),
    )
}

/// Verifies as every client does, and looks for how long it would.
#[derive(Debug)]
struct Looking {
    verifier: Arc<WebPkiServerVerifier>,
    days: Mutex<Option<Option<u64>>>,
}

impl ServerCertVerifier for Looking {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let on_day = |day: u64| {
            let then = Duration::from_secs(now.as_secs().saturating_add(day * DAY));
            let then = UnixTime::since_unix_epoch(then);
            self.verifier
                .verify_server_cert(certificate, chain, name, ocsp, then)
        };
        let verified = on_day(0)?;
        let last = (1..=SOON).find(|day| on_day(*day).is_err());
        let days = last.map(|day| day - 1);
        *self.days.lock().unwrap_or_else(PoisonError::into_inner) = Some(days);
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.verifier
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.verifier
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
