//! Google Authenticator's export link `otpauth-migration://offline?data=…`.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::{BASE64, BASE64_NOPAD};
use percent_encoding::{percent_decode_str, utf8_percent_encode};
use prost::Message;

use super::super::writer::{Groups, Random, Sealing, Writer, no_pins};
use super::super::{EntryError, Import, text};
use crate::otp::{Account, Algorithm, Digits, Kind, ParamError, Period, Seed, names, uri};
use crate::secret::Secret;

/// The links read so far by batch: a large export is several links that belong together.
#[derive(Default)]
pub struct Batches {
    seen: BTreeMap<i64, (i64, BTreeSet<i64>)>,
    read: usize,
    damaged: usize,
}

#[derive(Message)]
#[prost(skip_debug)]
struct Payload {
    #[prost(message, repeated, tag = "1")]
    accounts: Vec<Otp>,
    #[prost(int64, tag = "2")]
    version: i64,
    #[prost(int64, tag = "3")]
    batch_size: i64,
    #[prost(int64, tag = "4")]
    batch_index: i64,
    #[prost(int64, tag = "5")]
    batch_id: i64,
}

#[derive(Message)]
#[prost(skip_debug)]
struct Otp {
    #[prost(bytes = "vec", tag = "1")]
    secret: Vec<u8>,
    // Names are bytes here, because one that is no UTF-8 would cost the whole link.
    #[prost(bytes = "vec", tag = "2")]
    name: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    issuer: Vec<u8>,
    #[prost(int64, tag = "4")]
    algorithm: i64,
    #[prost(int64, tag = "5")]
    digits: i64,
    #[prost(int64, tag = "6")]
    kind: i64,
    #[prost(int64, tag = "7")]
    counter: i64,
}

impl Batches {
    /// Reads one link. The same link twice counts once.
    ///
    /// # Errors
    /// What is wrong, when no account of it can be read.
    pub fn read(&mut self, link: &str, import: &mut Import) -> Result<(), &'static str> {
        let payload = payload(link).inspect_err(|_| self.damaged += 1)?;
        self.read += 1;
        if payload.batch_size > 1 {
            let (size, indices) = self.seen.entry(payload.batch_id).or_insert((payload.batch_size, BTreeSet::new()));
            *size = (*size).max(payload.batch_size);
            if !indices.insert(payload.batch_index) {
                return Ok(());
            }
        }
        for otp in payload.accounts {
            let (name, issuer) = (String::from_utf8_lossy(&otp.name), String::from_utf8_lossy(&otp.issuer));
            let (issuer, name) = names::split(&issuer, &name);
            import.take(
                &issuer,
                &name,
                account(&issuer, &name, otp.secret, otp.algorithm, (otp.digits, otp.kind, otp.counter)),
            );
        }
        Ok(())
    }

    /// Whether a link of this kind was met.
    pub const fn any(&self) -> bool {
        self.read + self.damaged > 0
    }

    /// Whether every link met was damaged.
    pub const fn only_damaged(&self) -> bool {
        self.read == 0
    }

    /// A sentence for each export of which parts are missing.
    pub fn notes(&self) -> Vec<String> {
        let parts = |missing: &[i64]| missing.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
        self.seen
            .values()
            .filter_map(|(size, indices)| {
                // A size beyond sense is a damaged one: name the first parts only.
                let missing: Vec<i64> = (0..*size).take(64).filter(|i| !indices.contains(i)).map(|i| i + 1).collect();
                (!missing.is_empty())
                    .then(|| format!("The Google export has {size} QR codes; missing here: {}.", parts(&missing)))
            })
            .collect()
    }
}

/// Decodes the link's data: percent signs undone, blanks back to plus, either base64 alphabet, padding or none.
fn payload(link: &str) -> Result<Payload, &'static str> {
    let query = link.split_once('?').map_or("", |(_, query)| query);
    let data = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| key.eq_ignore_ascii_case("data"))
        .ok_or("the link has no data")?
        .1;
    let plain: String = percent_decode_str(data)
        .decode_utf8_lossy()
        .chars()
        .map(|c| match c {
            ' ' | '-' => '+',
            '_' => '/',
            c => c,
        })
        .collect();
    // Left-over bits do not matter, as in base32.
    let plain = plain.trim_end_matches('=');
    let mut loose = BASE64_NOPAD.specification();
    loose.check_trailing_bits = false;
    let bytes = match loose.encoding() {
        Ok(encoding) => encoding.decode(plain.as_bytes()),
        Err(_) => BASE64.decode(plain.as_bytes()),
    };
    let bytes = bytes.map_err(|_| "the link's data is not base64")?;
    Payload::decode(bytes.as_slice()).map_err(|_| "the link's data is damaged")
}

fn account(
    issuer: &str,
    name: &str,
    secret: Vec<u8>,
    algorithm: i64,
    (digits, kind, counter): (i64, i64, i64),
) -> Result<Account, EntryError> {
    let algorithm = match algorithm {
        0 | 1 => Algorithm::Sha1,
        2 => Algorithm::Sha256,
        3 => Algorithm::Sha512,
        4 => return Err(ParamError::Algorithm(String::from("MD5")).into()),
        n => return Err(ParamError::Algorithm(format!("number {n}")).into()),
    };
    let digits = match digits {
        0 | 1 => Digits::SIX,
        2 => Digits::EIGHT,
        3 => Digits::new(7)?,
        n => return Err(ParamError::Digits(format!("kind {n} of")).into()),
    };
    let kind = match kind {
        0 | 2 => Kind::Totp { algorithm, digits, period: Period::THIRTY },
        1 => {
            let counter = u64::try_from(counter).map_err(|_| ParamError::Counter(counter.to_string()))?;
            Kind::Hotp { algorithm, digits, counter: uri::counter(Some(counter))? }
        }
        n => return Err(EntryError::Type(n.to_string())),
    };
    Ok(Account::new(issuer, name, kind, Seed::new(secret)?))
}

/// Links of ten accounts each, the parts of one batch.
pub const WRITER: Writer = Writer {
    sealing: Sealing::Never,
    groups: Groups::None,
    note: false,
    favourite: false,
    twins: true,
    refusal: |account| match &account.kind {
        Kind::Steam => Some("the format has no Steam codes"),
        Kind::Totp { period, .. } if *period != Period::THIRTY => Some("the format has a period of 30 s only"),
        Kind::Totp { digits, .. } | Kind::Hotp { digits, .. } if !matches!(digits.get(), 6 | 8) => {
            Some("the format has codes of 6 and 8 digits only")
        }
        _ => no_pins(account),
    },
    write: |accounts, _, random| text::one_a_line(links(accounts, BATCH, random).into_iter()),
};

/// The links of one batch, so many accounts in each.
pub fn links(accounts: &[&Account], per: usize, random: Random<'_>) -> Vec<Secret<String>> {
    let mut id = [0; 4];
    random(&mut id);
    let batch_id = i64::from(u32::from_be_bytes(id) >> 1);
    let parts = accounts.chunks(per);
    let batch_size = parts.len() as i64;
    let link_of = |(index, part): (usize, &[&Account])| {
        let accounts = part.iter().map(|account| otp(account)).collect();
        link(&Payload { accounts, version: 1, batch_size, batch_index: index as i64, batch_id })
    };
    parts.enumerate().map(link_of).collect()
}

/// Accounts of one link: as many as a QR code that a phone reads well.
const BATCH: usize = 10;

fn link(payload: &Payload) -> Secret<String> {
    let data = Secret::new(BASE64.encode(Secret::new(payload.encode_to_vec()).expose()));
    Secret::new(format!(
        "otpauth-migration://offline?data={}",
        utf8_percent_encode(data.expose(), percent_encoding::NON_ALPHANUMERIC)
    ))
}

fn otp(account: &Account) -> Otp {
    let number = |algorithm: Algorithm| match algorithm {
        Algorithm::Sha1 => 1,
        Algorithm::Sha256 => 2,
        Algorithm::Sha512 => 3,
    };
    let (algorithm, kind, counter) = match &account.kind {
        Kind::Hotp { algorithm, counter, .. } => (number(*algorithm), 1, *counter as i64),
        Kind::Totp { algorithm, .. } => (number(*algorithm), 2, 0),
        _ => (1, 2, 0),
    };
    Otp {
        secret: account.seed.expose().to_vec(),
        name: account.account.clone().into_bytes(),
        issuer: account.issuer.clone().into_bytes(),
        algorithm,
        digits: if account.kind.digits() == 8 { 2 } else { 1 },
        kind,
        counter,
    }
}
