//! Reads the rows of tables from an SQLite file in memory: header, table b-trees, records, overflow pages and a
//! write-ahead log. No SQL, no indexes and no views are run, so that a hostile file cannot make it compute.
//!
//! Written after the published file format (sqlite.org/fileformat2.html). Work is bounded by the number of pages: each page
//! is visited once at most.

use std::collections::{BTreeMap, BTreeSet};

/// What a database begins with.
pub const MAGIC: &[u8] = b"SQLite format 3\0";
/// Bytes of content and of bookkeeping that are read of one table: pages can be shared by many rows, so that a small file
/// could stand for a huge table.
const MAX_CONTENT: usize = 96 << 20;
/// Columns that are read of a row.
const MAX_COLUMNS: usize = 128;

/// A value of a column.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// NULL, or a column that the row does not have.
    Null,
    /// A whole number.
    Int(i64),
    /// A real number.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// A row with its columns by name, in lower case.
pub struct Row {
    columns: std::rc::Rc<Vec<String>>,
    values: Vec<Value>,
}

impl Row {
    /// The value of a column; NULL when there is no such column.
    pub fn get(&self, column: &str) -> &Value {
        let at = self.columns.iter().position(|c| c == column);
        at.and_then(|at| self.values.get(at)).unwrap_or(&Value::Null)
    }

    /// The value as trimmed text; empty for NULL, bytes as far as they are text.
    pub fn text(&self, column: &str) -> String {
        match self.get(column) {
            Value::Null => String::new(),
            Value::Int(n) => n.to_string(),
            Value::Real(n) => n.to_string(),
            Value::Text(text) => text.trim().to_owned(),
            Value::Blob(bytes) => String::from_utf8_lossy(bytes).trim().to_owned(),
        }
    }

    /// The value as a whole number, none where it is NULL or something else.
    pub fn int(&self, column: &str) -> Option<i64> {
        match self.get(column) {
            Value::Int(n) => Some(*n),
            Value::Real(n) if n.fract() == 0.0 => Some(*n as i64),
            Value::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }
}

/// A table: its root page and columns.
struct Table {
    root: u32,
    columns: Vec<String>,
}

/// A database.
pub struct Database<'a> {
    bytes: &'a [u8],
    log: BTreeMap<u32, &'a [u8]>,
    page: usize,
    usable: usize,
    wide: Option<fn([u8; 2]) -> u16>,
    tables: BTreeMap<String, Table>,
}

impl<'a> Database<'a> {
    /// Reads the header and the list of tables. `wal` is the write-ahead log found beside the file.
    /// None when it is no readable database.
    pub fn open(bytes: &'a [u8], wal: Option<&'a [u8]>) -> Option<Self> {
        if !bytes.starts_with(MAGIC) || bytes.len() < 100 {
            return None;
        }
        let page = match u16::from_be_bytes([bytes[16], bytes[17]]) {
            1 => 65_536,
            n => usize::from(n),
        };
        let usable = page.checked_sub(usize::from(bytes[20]))?;
        if !page.is_power_of_two() || page < 512 || usable < 480 {
            return None;
        }
        let wide: Option<fn([u8; 2]) -> u16> = match u32::from_be_bytes(bytes[56..60].try_into().ok()?) {
            2 => Some(u16::from_le_bytes),
            3 => Some(u16::from_be_bytes),
            _ => None,
        };
        let log = wal.map(|wal| log(wal, page)).unwrap_or_default();
        let mut database = Self { bytes, log, page, usable, wide, tables: BTreeMap::new() };
        let master = ["type", "name", "tbl_name", "rootpage", "sql"].map(str::to_owned).to_vec();
        for row in database.read(1, &master)? {
            if row.text("type") == "table"
                && let Some(root) = row.int("rootpage").and_then(|n| u32::try_from(n).ok())
            {
                let columns = columns(&row.text("sql"));
                database.tables.insert(row.text("name").to_lowercase(), Table { root, columns });
            }
        }
        Some(database)
    }

    /// The names of all tables.
    #[cfg(fuzzing)]
    pub fn names(&self) -> Vec<String> {
        self.tables.keys().cloned().collect()
    }

    /// Whether a table has all of these columns, named in lower case.
    pub fn has(&self, table: &str, columns: &[&str]) -> bool {
        self.tables.get(table).is_some_and(|t| columns.iter().all(|c| t.columns.iter().any(|have| have == c)))
    }

    /// The rows of a table as far as they can be read; none when there is no such table.
    pub fn rows(&self, table: &str) -> Option<Vec<Row>> {
        let table = self.tables.get(table)?;
        self.read(table.root, &table.columns)
    }

    fn page(&self, number: u32) -> Option<&'a [u8]> {
        if let Some(page) = self.log.get(&number) {
            return Some(page);
        }
        let start = (number.checked_sub(1)? as usize).checked_mul(self.page)?;
        self.bytes.get(start..start + self.page)
    }

    /// Walks a table's tree. Damaged pages cost their own rows only; a damaged root gives none.
    fn read(&self, root: u32, columns: &[String]) -> Option<Vec<Row>> {
        let columns = std::rc::Rc::new(columns.to_vec());
        self.page(root)?;
        let (mut rows, mut seen, mut waiting) = (Vec::new(), BTreeSet::new(), vec![root]);
        let mut left = MAX_CONTENT;
        while let Some(number) = waiting.pop() {
            if !seen.insert(number) {
                continue;
            }
            let Some(page) = self.page(number) else { continue };
            let start = if number == 1 { 100 } else { 0 };
            let Some(head) = page.get(start..start + 8) else { continue };
            let cells = usize::from(u16::from_be_bytes([head[3], head[4]]));
            let table = start + if head[0] == 5 { 12 } else { 8 };
            let offsets = (0..cells).filter_map(|i| page.get(table + 2 * i..table + 2 * i + 2));
            let offsets = offsets.map(|o| usize::from(u16::from_be_bytes([o[0], o[1]])));
            match head[0] {
                5 => {
                    let word = |at: usize| Some(u32::from_be_bytes(page.get(at..at + 4)?.try_into().ok()?));
                    // The last child first, because the stack turns the order round.
                    waiting.extend(word(start + 8));
                    let children: Vec<u32> = offsets.filter_map(word).collect();
                    waiting.extend(children.into_iter().rev());
                }
                13 => {
                    for at in offsets {
                        let Some(values) = self.cell(page, at, &mut left) else { continue };
                        left = left.saturating_sub(size_of::<Row>() + values.len() * size_of::<Value>());
                        rows.push(Row { columns: columns.clone(), values });
                        if left == 0 {
                            return Some(rows);
                        }
                    }
                }
                _ => {}
            }
        }
        Some(rows)
    }

    /// The record of a leaf cell, its overflow pages collected.
    fn cell(&self, page: &[u8], at: usize, left: &mut usize) -> Option<Vec<Value>> {
        let mut rest = page.get(at..self.usable)?;
        let size = usize::try_from(varint(&mut rest)?).ok()?;
        varint(&mut rest)?;
        *left = left.checked_sub(size)?;
        let most = self.usable - 35;
        if size <= most {
            return self.record(rest.get(..size)?);
        }
        let least = (self.usable - 12) * 32 / 255 - 23;
        let local = least + (size - least) % (self.usable - 4);
        let local = if local <= most { local } else { least };
        if size > self.bytes.len() + self.log.len() * self.page {
            return None;
        }
        let mut whole = rest.get(..local)?.to_vec();
        let mut next = u32::from_be_bytes(rest.get(local..local + 4)?.try_into().ok()?);
        while whole.len() < size {
            let page = self.page(next)?;
            next = u32::from_be_bytes(page[..4].try_into().ok()?);
            let part = (size - whole.len()).min(self.usable - 4);
            whole.extend_from_slice(&page[4..4 + part]);
        }
        self.record(&whole)
    }

    fn record(&self, record: &[u8]) -> Option<Vec<Value>> {
        let mut types = record;
        let head = usize::try_from(varint(&mut types)?).ok()?;
        let mut body = record.get(head..)?;
        let mut types = record.get(record.len() - types.len()..head)?;
        let mut values = Vec::new();
        while !types.is_empty() && values.len() < MAX_COLUMNS {
            values.push(self.value(varint(&mut types)?, &mut body)?);
        }
        Some(values)
    }

    fn value(&self, kind: u64, body: &mut &[u8]) -> Option<Value> {
        let len = match kind {
            0 | 8 | 9 => 0,
            n @ 1..=4 => n as usize,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            n => usize::try_from((n - 12) / 2).ok()?,
        };
        let (bytes, rest) = body.split_at_checked(len)?;
        *body = rest;
        Some(match kind {
            0 => Value::Null,
            1..=6 => {
                // Sign-extended from its first byte.
                let start = if bytes[0] & 0x80 == 0 { 0 } else { -1 };
                Value::Int(bytes.iter().fold(start, |n: i64, b| n << 8 | i64::from(*b)))
            }
            7 => Value::Real(f64::from_be_bytes(bytes.try_into().ok()?)),
            8 | 9 => Value::Int(kind as i64 - 8),
            n if n % 2 == 0 => Value::Blob(bytes.to_vec()),
            _ => Value::Text(match self.wide {
                None => String::from_utf8_lossy(bytes).into_owned(),
                Some(order) => {
                    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| order([pair[0], pair[1]])).collect();
                    String::from_utf16_lossy(&units)
                }
            }),
        })
    }
}

/// SQLite's big-endian number of one to nine bytes.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for i in 0..9 {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        if i == 8 {
            return Some(value << 8 | u64::from(*first));
        }
        value = value << 7 | u64::from(first & 0x7F);
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// The pages of a write-ahead log up to its last whole commit.
fn log(wal: &[u8], page: usize) -> BTreeMap<u32, &[u8]> {
    let mut pages = BTreeMap::new();
    let word = |bytes: &[u8], at: usize| bytes.get(at..at + 4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
    let little = match word(wal, 0) {
        Some(0x377F_0682) => true,
        Some(0x377F_0683) => false,
        _ => return pages,
    };
    if word(wal, 8) != Some(page as u32) || wal.len() < 32 {
        return pages;
    }
    let mut sum = checksum((0, 0), &wal[..24], little);
    let mut waiting = Vec::new();
    for frame in wal[32..].chunks_exact(24 + page) {
        // A frame of an older round of the log has another salt or checksum.
        sum = checksum(checksum(sum, &frame[..8], little), &frame[24..], little);
        if frame[8..16] != wal[16..24] || (word(frame, 16), word(frame, 20)) != (Some(sum.0), Some(sum.1)) {
            break;
        }
        waiting.push((word(frame, 0).unwrap_or_default(), &frame[24..]));
        if word(frame, 4) != Some(0) {
            pages.extend(waiting.drain(..));
        }
    }
    pages
}

fn checksum((mut a, mut b): (u32, u32), bytes: &[u8], little: bool) -> (u32, u32) {
    for pair in bytes.chunks_exact(8) {
        let word = |i: usize| {
            let word = [pair[i], pair[i + 1], pair[i + 2], pair[i + 3]];
            if little { u32::from_le_bytes(word) } else { u32::from_be_bytes(word) }
        };
        a = a.wrapping_add(word(0)).wrapping_add(b);
        b = b.wrapping_add(word(4)).wrapping_add(a);
    }
    (a, b)
}

/// The names of the columns in a `CREATE TABLE`, in lower case. Constraints of the table come last and are not columns.
fn columns(sql: &str) -> Vec<String> {
    let Some((_, body)) = sql.split_once('(') else { return Vec::new() };
    let (mut names, mut part, mut depth, mut quote) = (Vec::new(), String::new(), 0u32, None);
    for c in body.chars() {
        match (quote, c) {
            (Some(end), c) if c == end => quote = None,
            (None, '\'' | '"' | '`') => quote = Some(c),
            (None, '[') => quote = Some(']'),
            (None, '(') => depth += 1,
            (None, ')') if depth == 0 => break,
            (None, ')') => depth -= 1,
            (None, ',') if depth == 0 => {
                names.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    names.push(part);
    let first = |part: &str| {
        let part = part.trim_start();
        let end = match part.chars().next()? {
            q @ ('"' | '`' | '\'') => return part[1..].split(q).next().map(str::to_lowercase),
            '[' => return part[1..].split(']').next().map(str::to_lowercase),
            _ => part.find(|c: char| c.is_whitespace() || c == '(').unwrap_or(part.len()),
        };
        Some(part[..end].to_lowercase())
    };
    let constraint = |name: &String| matches!(name.as_str(), "constraint" | "primary" | "unique" | "check" | "foreign");
    names.iter().filter_map(|part| first(part)).take_while(|name| !constraint(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_read_whatever_the_quotes() {
        let sql = "CREATE TABLE accounts(_id INTEGER PRIMARY KEY, \"Secret\" TEXT DEFAULT 'a,b(', `type` INT CHECK (type IN (1, 2)), [n m] x, PRIMARY KEY(_id))";
        assert_eq!(columns(sql), ["_id", "secret", "type", "n m"]);
    }

    #[test]
    fn numbers_of_one_to_nine_bytes_are_read() {
        for (bytes, value) in [(&[0x7F][..], 127), (&[0x81, 0x00], 128), (&[0xFF; 9], u64::MAX)] {
            assert_eq!(varint(&mut &*bytes), Some(value));
        }
        assert_eq!(varint(&mut &[0x80][..]), None);
    }

    #[test]
    fn what_is_no_database_is_refused() {
        for bytes in [&b""[..], MAGIC, &[MAGIC, &[0; 84]].concat()] {
            assert!(Database::open(bytes, None).is_none());
        }
    }
}
