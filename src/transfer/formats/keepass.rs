//! KeePass: databases and their XML, with one-time passwords in the ways of KeePass, KeePassXC and plugins.

use std::collections::HashMap;

use data_encoding::HEXLOWER_PERMISSIVE;
use roxmltree::{Document, Node, NodeId};

use super::super::container::{base64, kdbx, xml};
use super::super::json::Json;
use super::super::parts::Parts;
use super::super::{EntryError, Format, Import, ImportError, Source};
use super::item;
use crate::otp::{Account, ParamError, base32};

/// How deep groups may nest.
const MAX_DEPTH: usize = 100;

/// Protected values, uncovered.
type Uncovered = HashMap<NodeId, String>;

/// Opens a database.
pub fn read(source: &Source<'_>) -> Result<Import, ImportError> {
    of(kdbx::open(source.bytes, source.password, source.key_file)?)
}

/// Reads what was opened.
pub fn of(mut inside: kdbx::Inside) -> Result<Import, ImportError> {
    let content = std::mem::replace(&mut inside.xml, Vec::new().into());
    let text = String::from_utf8_lossy(content.expose());
    let doc = xml::parse(&text, Format::KeePass)?;
    let mut uncovered = Uncovered::new();
    // One stream covers all of them in the order of the document, history and bin included.
    for node in doc.descendants().filter(|n| n.attribute("Protected").is_some_and(|p| p.eq_ignore_ascii_case("true"))) {
        let mut bytes = base64(node.text().unwrap_or_default()).unwrap_or_default();
        inside.uncover(&mut bytes);
        uncovered.insert(node.id(), String::from_utf8_lossy(&bytes).into_owned());
    }
    Ok(Walk { doc: &doc, uncovered, import: Import::new(Format::KeePass) }.run())
}

/// Reads an XML export, in which nothing is covered.
pub fn tree(doc: &Document<'_>) -> Import {
    Walk { doc, uncovered: Uncovered::new(), import: Import::new(Format::KeePassXml) }.run()
}

struct Walk<'a> {
    doc: &'a Document<'a>,
    uncovered: Uncovered,
    import: Import,
}

fn child<'a>(node: Node<'a, 'a>, name: &str) -> Option<Node<'a, 'a>> {
    node.children().find(|n| n.has_tag_name(name))
}

fn text<'a>(node: Node<'a, 'a>, name: &str) -> &'a str {
    child(node, name).and_then(|n| n.text()).unwrap_or_default().trim()
}

impl<'a> Walk<'a> {
    fn run(mut self) -> Import {
        let root = self.doc.root_element();
        let bin = child(root, "Meta").map(|meta| text(meta, "RecycleBinUUID")).unwrap_or_default();
        let groups = child(root, "Root").into_iter().flat_map(|r| r.children()).filter(|n| n.has_tag_name("Group"));
        for group in groups {
            self.group(group, "", bin, (0, false));
        }
        self.import
    }

    /// `path` is the way from the root group, whose own name counts for nothing.
    fn group(&mut self, group: Node<'a, 'a>, path: &str, bin: &str, (depth, binned): (usize, bool)) {
        let binned = binned || !bin.is_empty() && text(group, "UUID") == bin;
        for node in group.children() {
            if node.has_tag_name("Entry") {
                self.entry(node, path, binned);
            } else if node.has_tag_name("Group") {
                let name = text(node, "Name");
                if depth == MAX_DEPTH {
                    self.import.skip(name, "its groups are nested too deeply");
                    continue;
                }
                let path = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
                self.group(node, &path, bin, (depth + 1, binned));
            }
        }
    }

    fn entry(&mut self, entry: Node<'a, 'a>, path: &str, binned: bool) {
        let strings: Vec<(&str, &str)> = entry
            .children()
            .filter(|n| n.has_tag_name("String"))
            .filter_map(|n| {
                let value = child(n, "Value")?;
                let shown =
                    self.uncovered.get(&value.id()).map_or_else(|| value.text().unwrap_or_default(), String::as_str);
                Some((text(n, "Key"), shown))
            })
            .collect();
        let get = |key: &str| strings.iter().find(|(k, _)| *k == key).map(|(_, v)| v.trim()).unwrap_or_default();
        let (title, user) = (get("Title"), get("UserName"));
        let Some(result) = code(&strings, title, user) else { return };
        if binned {
            self.import.skip(title, "it is in the recycle bin");
            return;
        }
        let tags = text(entry, "Tags").split([';', ',']).map(str::trim);
        let groups = std::iter::once(path).chain(tags).filter(|g| !g.is_empty()).map(str::to_owned).collect();
        let note = get("Notes").to_owned();
        self.import.take(title, user, result.map(|account| Account { groups, note, ..account }));
    }
}

/// The one-time password of an entry, by the first way that it has.
fn code(strings: &[(&str, &str)], title: &str, user: &str) -> Option<Result<Account, EntryError>> {
    let get = |key: &str| strings.iter().find(|(k, v)| *k == key && !v.trim().is_empty()).map(|(_, v)| v.trim());
    if let Some(otp) = get("otp") {
        return Some(if otp.contains("key=") && !otp.contains("://") {
            keeotp(otp, title, user)
        } else {
            item::account(otp, title, user)
        });
    }
    let number = |key: &str| Json::Text(get(key).unwrap_or_default().into());
    if let Some(secret) = suffixed(strings, "TimeOtp-Secret") {
        let (digits, period) = (number("TimeOtp-Length"), number("TimeOtp-Period"));
        let algorithm = get("TimeOtp-Algorithm").unwrap_or_default();
        return Some(parts(title, user, secret, algorithm, &digits, &period).account().map(|a| named(a, title, user)));
    }
    if let Some(secret) = suffixed(strings, "HmacOtp-Secret") {
        let counter = number("HmacOtp-Counter");
        let parts =
            Parts { kind: "hotp", counter: &counter, ..parts(title, user, secret, "", &Json::Null, &Json::Null) };
        return Some(parts.account().map(|a| named(a, title, user)));
    }
    let seed = get("TOTP Seed")?;
    let mut settings = get("TOTP Settings").unwrap_or_default().split(';');
    let (period, digits) = (settings.next().unwrap_or_default(), settings.next().unwrap_or_default().trim());
    let kind = if digits.eq_ignore_ascii_case("s") { "steam" } else { "totp" };
    let (digits, period) = (Json::Text(digits.into()), Json::Text(period.into()));
    let parts = Parts { kind, ..parts(title, user, base32::bytes(seed), "", &digits, &period) };
    Some(parts.account().map(|a| named(a, title, user)))
}

fn parts<'a>(
    title: &'a str,
    user: &'a str,
    secret: Result<Vec<u8>, ParamError>,
    algorithm: &'a str,
    digits: &'a Json,
    period: &'a Json,
) -> Parts<'a> {
    Parts { issuer: title, label: user, algorithm, digits, period, secret, ..Parts::default() }
}

/// Title and user are two fields here: a colon in a user name splits nothing.
fn named(account: Account, title: &str, user: &str) -> Account {
    Account { issuer: title.to_owned(), account: user.to_owned(), ..account }
}

/// A secret whose key says how it is written: nothing for plain text, or Hex, Base32, Base64.
fn suffixed(strings: &[(&str, &str)], key: &str) -> Option<Result<Vec<u8>, ParamError>> {
    strings.iter().find_map(|(k, value)| {
        let way = k.strip_prefix(key).filter(|_| !value.trim().is_empty())?;
        Some(match way {
            "" => Ok(value.as_bytes().to_vec()),
            "-Hex" => HEXLOWER_PERMISSIVE.decode(value.trim().as_bytes()).map_err(|_| ParamError::Hex),
            "-Base32" => base32::bytes(value),
            "-Base64" => base64(value).ok_or(ParamError::EmptySecret),
            _ => return None,
        })
    })
}

/// KeeOtp's `key=…&step=…&size=…`.
fn keeotp(text: &str, title: &str, user: &str) -> Result<Account, EntryError> {
    let get = |name: &str| {
        let pair = text.split('&').filter_map(|p| p.split_once('=')).find(|(k, _)| k.eq_ignore_ascii_case(name));
        pair.map(|(_, v)| percent_encoding::percent_decode_str(v).decode_utf8_lossy().into_owned()).unwrap_or_default()
    };
    let key = get("key");
    let secret = match get("encoding").to_ascii_lowercase().as_str() {
        "hex" => HEXLOWER_PERMISSIVE.decode(key.as_bytes()).map_err(|_| ParamError::Hex),
        "base64" => base64(&key).ok_or(ParamError::EmptySecret),
        "utf8" => Ok(key.into_bytes()),
        _ => base32::bytes(&key),
    };
    let (digits, period, counter) =
        (Json::Text(get("size").into()), Json::Text(get("step").into()), Json::Text(get("counter").into()));
    let algorithm = get("otpHashMode");
    let kind = match get("type").to_ascii_lowercase().as_str() {
        "hotp" => "hotp",
        "steam" => "steam",
        _ => "totp",
    };
    let parts = Parts { kind, counter: &counter, ..parts(title, user, secret, &algorithm, &digits, &period) };
    parts.account().map(|a| named(a, title, user))
}
