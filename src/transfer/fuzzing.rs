//! Ways in for fuzz targets alone (`cfg(fuzzing)`): the insides of containers, from which a tag, a hash or a key
//! derivation keeps a fuzzer's bytes away. Nothing of the program uses them.

use super::container::{java, kdbx, secretstream, sqlite, xml, zip};
use super::formats::{databases, keepass, migration};
use super::{Format, Source};
use crate::secret::Secret;

/// An archive: its directory, and every member, with and without a password.
pub fn zip(bytes: &[u8]) {
    let Ok(mut archive) = zip::Archive::open(bytes) else { return };
    let password = Secret::new(String::from("x"));
    for name in archive.names().into_iter().take(16) {
        let _ = archive.find(&name);
        let _ = archive.read(&name, Format::Csv, None);
        let _ = archive.read(&name, Format::Csv, Some(&password));
    }
}

/// A database, with its write-ahead log or without.
pub fn sqlite(bytes: &[u8], wal: Option<&[u8]>) {
    if let Some(database) = sqlite::Database::open(bytes, wal) {
        for table in database.names() {
            let _ = database.rows(&table);
        }
    }
    let _ = databases::read(&Source { wal, ..Source::new(bytes) });
}

/// What lies under the seal of a KeePass database: the inner header and the XML.
pub fn kdbx(plain: &[u8], packed: bool) {
    if let Ok(inside) = kdbx::inside(Secret::new(plain.to_vec()), packed) {
        let _ = keepass::of(inside);
    }
}

/// A KeePass database up to its key derivation.
pub fn kdbx_header(bytes: &[u8]) {
    let _ = kdbx::open(&[b"\x03\xD9\xA2\x9A\x67\xFB\x4B\xB5".as_slice(), bytes].concat(), None, None);
}

/// A stream that nobody sealed, and one that was.
pub fn secretstream(bytes: &[u8]) {
    let Some((header, rest)) = bytes.split_first_chunk::<{ secretstream::HEADER }>() else { return };
    assert!(secretstream::open(&[7; 32], header, rest).is_none(), "nobody sealed this");
    let sealed = secretstream::seal(&[7; 32], header, rest);
    let opened = secretstream::open(&[7; 32], header, &sealed);
    assert!(opened.is_some_and(|plain| plain.expose().as_slice() == rest), "what was sealed opens");
}

/// A serialised Java map.
pub fn java(bytes: &[u8]) {
    let _ = java::pairs(&[java::MAGIC, bytes].concat());
}

/// The protobuf of a migration link.
pub fn migration(bytes: &[u8]) {
    let link = format!("otpauth-migration://offline?data={}", data_encoding::BASE64URL_NOPAD.encode(bytes));
    let mut import = super::Import::new(Format::GoogleMigration);
    let mut batches = migration::Batches::default();
    let _ = batches.read(&link, &mut import);
    let _ = batches.notes();
}

/// Markup, as preferences and as a KeePass tree.
pub fn xml(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(document) = xml::parse(&text, Format::KeePassXml) {
        let _ = xml::preferences(&document);
        let _ = keepass::tree(&document);
    }
}
