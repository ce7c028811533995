//! The certificates of a farm: an authority of its own, and the broker's certificate, signed by it.

use common::broker::Authority;
use common::program::farm_file::write_private;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};

use super::place::FarmPlace;
use crate::cli::exit::Error;

/// Years for which certificates hold.
const YEARS: i16 = 10;

/// The authority of a farm.
pub(super) struct FarmAuthority {
    key: KeyPair,
    pem: String,
}

impl FarmAuthority {
    /// Makes the authority of a new farm. The key stays on this machine.
    pub(super) fn make(place: &FarmPlace) -> Result<Self, Error> {
        let (certificate, key_file) = place.authority();
        let key = KeyPair::generate().map_err(failed)?;
        let pem = authority_parameters()
            .self_signed(&key)
            .map_err(failed)?
            .pem();
        write_private(&key_file, &key.serialize_pem()).map_err(failed)?;
        write_private(&certificate, &pem).map_err(failed)?;
        Ok(Self { key, pem })
    }

    /// The authority of a farm that was made before.
    pub(super) fn load(place: &FarmPlace) -> Result<Self, Error> {
        let (certificate, key_file) = place.authority();
        let read = |file: &std::path::Path| {
            std::fs::read_to_string(file)
                .map_err(|error| failed(format!("{}: {error}", file.display())))
        };
        Ok(Self {
            key: KeyPair::from_pem(&read(&key_file)?).map_err(failed)?,
            pem: read(&certificate)?,
        })
    }

    /// What clients trust.
    pub(super) fn public(&self) -> Result<Authority, Error> {
        self.pem.parse().map_err(Error::failed)
    }

    /// Makes a certificate for the broker, by these names and addresses of its machine.
    pub(super) fn certify(self, hosts: &[String], place: &FarmPlace) -> Result<(), Error> {
        let mut parameters = CertificateParams::new(hosts).map_err(|error| {
            Error::usage(format!(
                "--host: no certificate for {}: {error}",
                hosts.join(", ")
            ))
        })?;
        parameters.distinguished_name = name("ffmpeg-easy broker");
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        parameters.not_after = rcgen::date_time_ymd(last_year().into(), 1, 1);
        let key = KeyPair::generate().map_err(failed)?;
        let issuer = Issuer::new(authority_parameters(), self.key);
        let certificate = parameters.signed_by(&key, &issuer).map_err(failed)?;
        let (certificate_file, key_file) = place.certificate();
        write_private(&key_file, &key.serialize_pem()).map_err(failed)?;
        write_private(&certificate_file, &certificate.pem()).map_err(failed)
    }
}

/// What the authority says of itself.
fn authority_parameters() -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = name("ffmpeg-easy farm");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters.not_after = rcgen::date_time_ymd(last_year().into(), 1, 1);
    parameters
}

fn name(text: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, text);
    name
}

fn last_year() -> i16 {
    Timestamp::now().to_zoned(TimeZone::UTC).year() + YEARS
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::failed(format!("cannot make the farm's certificates: {error}"))
}
