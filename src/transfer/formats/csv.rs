//! Tables of password managers: columns by name, ragged rows, any usual delimiter.

use csv::{Reader, ReaderBuilder, StringRecord};

use super::super::writer::{Groups, Sealing, Writer, by_time};
use super::super::{Format, Import, ImportError};
use super::{item, unescape};
use crate::otp::{Account, Kind, base32, uri};
use crate::secret::Secret;

/// Columns that hold a one-time password, the surest first.
const CODES: &[&str] =
    &["login_totp", "totp", "otpauth", "otp_auth", "otp_secret", "otpsecret", "otpurl", "2fa", "one-time password"];
const TITLES: &[&str] = &["title", "name", "account"];
const USERS: &[&str] = &["username2", "username", "login_username", "login", "user", "email"];
const GROUPS: &[&str] = &["folder", "group", "grouping", "category", "tags"];
const NOTES: &[&str] = &["notes", "note", "extra"];
const FAVOURITES: &[&str] = &["favorite", "fav", "favourite"];
/// Labels of one-time passwords in rows without a header (Keeper and Enpass).
const LABELS: &[&str] = &["tfc:keeper", "one-time code", "totp", "one-time password"];

/// Lines that are looked through for labels.
const SAMPLE: usize = 200;
/// Bytes of a line that is looked through.
const MAX_HEADER: usize = 64 << 10;
/// Cells of a row.
const MAX_CELLS: usize = 10_000;

/// The format of a table by its first line; none when no column is known.
pub fn detect(text: &str) -> Option<Format> {
    let first = text.lines().find(|line| !line.trim().is_empty()).filter(|line| line.len() <= MAX_HEADER)?;
    let columns: Vec<String> = first.split(delimiter(first)).map(column).collect();
    let has = |names: &[&str]| names.iter().all(|n| columns.iter().any(|c| c == n));
    let any = |names: &[&str]| names.iter().any(|n| columns.iter().any(|c| c == n));
    Some(match () {
        () if columns.len() < 2 => return None,
        () if has(&["login_totp", "login_password"]) => Format::Bitwarden,
        () if has(&["login_totp"]) => Format::BitwardenAuthenticator,
        () if has(&["totp", "extra", "grouping", "fav"]) => Format::LastPassVault,
        () if has(&["group", "title", "username", "password", "url", "notes"]) => Format::KeePassXc,
        () if has(&["title", "otpauth", "archived"]) => Format::OnePassword,
        () if has(&["title", "url", "otpauth"]) => Format::ApplePasswords,
        () if has(&["username2", "username3"]) => Format::Dashlane,
        () if has(&["additional_urls", "cardholdername"]) || has(&["additional_urls", "type"]) => Format::NordPass,
        () if any(CODES) => Format::Csv,
        () if has(&["password"]) && any(TITLES) => Format::Csv,
        () if text.lines().take(SAMPLE).any(labelled) => Format::Csv,
        () => return None,
    })
}

/// Whether a row without a header names its one-time password in a cell and has it in the next.
fn labelled(line: &str) -> bool {
    if line.len() > MAX_HEADER {
        return false;
    }
    let cells: Vec<&str> = line.split(delimiter(line)).collect();
    let secret = |cell: &str| {
        let cell = cell.trim().trim_matches('"');
        uri::is_link(cell) || cell.len() >= 8 && base32::decode(cell).is_ok()
    };
    cells.windows(2).skip(1).any(|pair| is_label(pair[0]) && secret(pair[1]))
}

fn is_label(cell: &str) -> bool {
    let cell = column(cell);
    LABELS.contains(&cell.as_str()) || cell.starts_with("$onetimecode")
}

fn delimiter(line: &str) -> char {
    let count = |d: char| line.matches(d).count();
    [';', '\t'].into_iter().fold(',', |best, d| if count(d) > count(best) { d } else { best })
}

fn column(text: &str) -> String {
    text.trim().trim_matches('"').trim().to_ascii_lowercase()
}

/// Reads a table.
pub fn read(text: &str, format: Format) -> Result<Import, ImportError> {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    if text.lines().any(|line| line.len() > MAX_CELLS && line.matches(delimiter(first)).count() > MAX_CELLS) {
        return Err(ImportError::TooMany { what: "cells in a row", limit: MAX_CELLS });
    }
    let reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(first) as u8)
        .from_reader(text.trim_start().as_bytes());
    let mut rows = Rows(reader);
    let headed = first.split(delimiter(first)).any(|c| CODES.contains(&column(c).as_str()));
    let labels = labelled(first) || !headed && text.lines().take(SAMPLE).any(labelled);
    if format == Format::Csv && labels {
        return Ok(pairs(&mut rows));
    }
    let mut row = StringRecord::new();
    rows.next(&mut row);
    let header: Vec<String> = row.iter().map(column).collect();
    let find = |names: &[&str]| names.iter().find_map(|n| header.iter().position(|c| c == n));
    let Some(code) = find(CODES) else {
        let reason = match format {
            Format::KeePassXc => {
                "This KeePassXC export has no TOTP column. Export from a newer KeePassXC, or import the .kdbx file."
            }
            Format::NordPass => "NordPass does not export one-time passwords: its CSV has no column for them.",
            _ => "This table has no column with one-time passwords.",
        };
        return Err(ImportError::Refused { format, reason: reason.to_owned() });
    };
    let html = format == Format::LastPassVault;
    let cell = |row: &StringRecord, at: Option<usize>| {
        let text = at.and_then(|at| row.get(at)).unwrap_or_default().trim();
        if html { unescape(text) } else { text.to_owned() }
    };
    let users: Vec<usize> = USERS.iter().filter_map(|n| header.iter().position(|c| c == n)).collect();
    let mut import = Import::new(format);
    while rows.next(&mut row) {
        if import.is_full() {
            break;
        }
        let otp = cell(&row, Some(code));
        if otp.is_empty() {
            continue;
        }
        let title = cell(&row, find(TITLES));
        let user = users.iter().map(|at| cell(&row, Some(*at))).find(|u| !u.is_empty()).unwrap_or_default();
        let result = item::account(&otp, &title, &user).map(|mut account| {
            account.groups = groups(&cell(&row, find(GROUPS)), format);
            account.note = cell(&row, find(NOTES));
            account.favourite = matches!(cell(&row, find(FAVOURITES)).to_ascii_lowercase().as_str(), "1" | "true");
            account
        });
        import.take(&title, &user, result);
    }
    Ok(import)
}

/// Rows, read one after another into the same place; damage ends them.
struct Rows<'a>(Reader<&'a [u8]>);

impl Rows<'_> {
    fn next(&mut self, row: &mut StringRecord) -> bool {
        self.0.read_record(row).unwrap_or(false)
    }
}

/// Groups as the program writes them: KeePassXC with its root before, 1Password several.
fn groups(text: &str, format: Format) -> Vec<String> {
    let one = |text: &str| Some(text.trim().to_owned()).filter(|t| !t.is_empty());
    match format {
        Format::KeePassXc => text.split_once('/').and_then(|(_, rest)| one(rest)).into_iter().collect(),
        Format::OnePassword => text.split([',', ';']).filter_map(one).collect(),
        _ => one(text).into_iter().collect(),
    }
}

/// Rows of names and values without a header.
fn pairs(rows: &mut Rows<'_>) -> Import {
    let mut import = Import::new(Format::Csv);
    let mut row = StringRecord::new();
    while rows.next(&mut row) {
        let cells: Vec<&str> = row.iter().map(str::trim).collect();
        let at = cells.iter().skip(1).position(|c| is_label(c));
        let Some(at) = at.map(|at| at + 1) else { continue };
        let Some(code) = cells.get(at + 1).filter(|c| !c.is_empty()) else { continue };
        let after = |labels: &[&str]| {
            let at = cells.iter().position(|c| labels.contains(&column(c).as_str()))?;
            cells.get(at + 1).copied()
        };
        // Keeper's rows begin with folder, title and login; Enpass's with the title, and name their user.
        let keeper = column(cells[at]) == "tfc:keeper" || cells[at].starts_with('$');
        let (title, user) = if keeper {
            (cells.get(1).copied().unwrap_or_default(), cells.get(2).copied().unwrap_or_default())
        } else {
            (cells[0], after(&["username", "login", "e-mail", "email"]).unwrap_or_default())
        };
        import.take(title, user, item::account(code, title, user));
    }
    import
}

/// KeePassXC's table.
pub const WRITER: Writer = Writer {
    sealing: Sealing::Never,
    groups: Groups::One,
    note: true,
    favourite: false,
    twins: true,
    refusal: by_time,
    write: |accounts, _, _| {
        let header = "Group,Title,Username,Password,URL,Notes,TOTP,Icon,Last Modified,Created".split(',');
        let mut out = Secret::new(Vec::new());
        line(out.expose_mut(), header);
        for account in accounts {
            let group = account.groups.first().map_or_else(|| String::from("Root"), |name| format!("Root/{name}"));
            let link = keepassxc_link(account);
            let cells = [&group, &account.issuer, &account.account, "", "", &account.note, link.expose(), "0", "", ""];
            line(out.expose_mut(), cells.into_iter());
        }
        out
    },
};

fn line<'a>(out: &mut Vec<u8>, cells: impl Iterator<Item = &'a str>) {
    for (i, cell) in cells.enumerate() {
        out.extend_from_slice(if i == 0 { b"\"" } else { b",\"" });
        out.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
        out.push(b'"');
    }
    out.push(b'\n');
}

/// A link as KeePassXC writes it: Steam is a TOTP with an encoder.
fn keepassxc_link(account: &Account) -> Secret<String> {
    let link = uri::write(account);
    match account.kind {
        Kind::Steam => {
            let link = link.expose().replacen("otpauth://steam/", "otpauth://totp/", 1);
            Secret::new(link + "&encoder=steam")
        }
        _ => link,
    }
}
