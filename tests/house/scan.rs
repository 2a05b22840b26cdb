//! Reads Rust well enough for the rules of the house: words and paths, without comments, texts and tests.

use std::collections::BTreeSet;

/// A piece of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// A name, a keyword or a number.
    Word(String),
    /// What stands between plain double quotes.
    Text(String),
    /// `::`
    Colons,
    /// Any other sign.
    Sign(char),
}

/// A token and the line it stands in, from 1.
pub type Placed = (Token, usize);

/// A path, segment by segment, with its line. `use a::{b, c::d}` makes `a::b` and `a::c::d`; `super` and `self` are
/// resolved, so that a path within the crate begins with `crate`.
pub type Path = (Vec<String>, usize);

/// What a file says outside its tests.
pub struct Scan {
    /// The tokens.
    pub tokens: Vec<Placed>,
    /// Names of modules in files of their own that are compiled for tests only.
    pub test_modules: BTreeSet<String>,
    /// Files of such modules where `#[path]` names them, beside the file that was read.
    pub test_files: BTreeSet<String>,
}

/// Reads a source.
pub fn scan(source: &str) -> Scan {
    without_tests(&tokens(source))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Cuts a source into tokens, and drops comments, texts, characters and lifetimes.
fn tokens(source: &str) -> Vec<Placed> {
    let chars: Vec<char> = source.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let (mut found, mut i, mut line) = (Vec::new(), 0, 1);
    while i < chars.len() {
        let start = i;
        match (at(i), at(i + 1)) {
            ('/', '/') => {
                while i < chars.len() && at(i) != '\n' {
                    i += 1;
                }
            }
            ('/', '*') => {
                let mut depth = 0;
                loop {
                    match (at(i), at(i + 1)) {
                        ('/', '*') => (depth, i) = (depth + 1, i + 2),
                        ('*', '/') => (depth, i) = (depth - 1, i + 2),
                        _ => i += 1,
                    }
                    if depth == 0 || i >= chars.len() {
                        break;
                    }
                }
            }
            ('"', _) => {
                i = text_end(&chars, i);
                let end = (i - 1).min(chars.len());
                found.push((Token::Text(chars[start + 1..end].iter().collect()), line));
            }
            ('\'', '\\') => {
                i += 3;
                while i < chars.len() && at(i) != '\'' {
                    i += 1;
                }
                i += 1;
            }
            ('\'', _) if at(i + 2) == '\'' => i += 3,
            ('\'', _) => {
                i += 1;
                while is_word(at(i)) {
                    i += 1;
                }
            }
            (c, _) if is_word(c) => {
                while is_word(at(i)) {
                    i += 1;
                }
                let word: String = chars[start..i].iter().collect();
                let hashes = chars[i.min(chars.len())..].iter().take_while(|c| **c == '#').count();
                match (word.as_str(), at(i), at(i + hashes)) {
                    ("r" | "br" | "cr", '"' | '#', '"') => i = raw_end(&chars, i + hashes + 1, hashes),
                    ("b" | "c", '"', _) => i = text_end(&chars, i),
                    ("b", '\'', _) => {}
                    ("r", '#', _) if hashes == 1 => i += 1,
                    _ => found.push((Token::Word(word), line)),
                }
            }
            (':', ':') => {
                found.push((Token::Colons, line));
                i += 2;
            }
            (c, _) => {
                if !c.is_whitespace() {
                    found.push((Token::Sign(c), line));
                }
                i += 1;
            }
        }
        line += chars[start..i.min(chars.len())].iter().filter(|c| **c == '\n').count();
    }
    found
}

/// Behind the text in double quotes that begins at `i`.
fn text_end(chars: &[char], mut i: usize) -> usize {
    i += 1;
    while i < chars.len() && chars[i] != '"' {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

/// Behind the raw text whose content begins at `i`.
fn raw_end(chars: &[char], mut i: usize, hashes: usize) -> usize {
    while i < chars.len() {
        if chars[i] == '"' && chars[i + 1..].iter().take_while(|c| **c == '#').count() >= hashes {
            return i + 1 + hashes;
        }
        i += 1;
    }
    i
}

/// Drops the items behind `#[cfg(test)]` and `#[cfg(all(test, …))]`, and names the modules among them that have files.
fn without_tests(tokens: &[Placed]) -> Scan {
    let word = |i: usize, text: &str| matches!(tokens.get(i), Some((Token::Word(word), _)) if word == text);
    let sign = |i: usize, sign: char| matches!(tokens.get(i), Some((Token::Sign(found), _)) if *found == sign);
    let (mut kept, mut test_modules, mut test_files, mut i) = (Vec::new(), BTreeSet::new(), BTreeSet::new(), 0);
    while i < tokens.len() {
        let test = sign(i, '#')
            && sign(i + 1, '[')
            && word(i + 2, "cfg")
            && sign(i + 3, '(')
            && (word(i + 4, "test") && sign(i + 5, ')')
                || word(i + 4, "all") && sign(i + 5, '(') && word(i + 6, "test"));
        if !test {
            kept.push(tokens[i].clone());
            i += 1;
            continue;
        }
        let (mut depth, mut words, mut file) = (0_i32, Vec::new(), None);
        // The attributes, then the item up to its `;` or the end of its braces.
        while i < tokens.len() {
            match &tokens[i].0 {
                Token::Sign('(' | '[' | '{') => depth += 1,
                Token::Sign(')' | ']' | '}') => depth -= 1,
                Token::Word(word) if depth == 0 => words.push(word.clone()),
                Token::Text(text) if depth == 1 && word(i - 2, "path") => file = Some(text.clone()),
                _ => {}
            }
            i += 1;
            if depth == 0 && (sign(i - 1, ';') || sign(i - 1, '}')) {
                break;
            }
        }
        if let Some(at) = words.iter().position(|word| word == "mod")
            && sign(i - 1, ';')
        {
            match file {
                Some(file) => test_files.insert(file),
                None => words.get(at + 1).is_some_and(|name| test_modules.insert(name.clone())),
            };
        }
    }
    Scan { tokens: kept, test_modules, test_files }
}

/// Every path of a module's tokens.
pub fn paths(tokens: &[Placed], module: &[String]) -> Vec<Path> {
    let mut found = Vec::new();
    let mut place: Vec<String> = module.to_vec();
    let (mut inline, mut depth, mut i) = (Vec::new(), 0, 0);
    while i < tokens.len() {
        match &tokens[i].0 {
            Token::Word(word) if word == "mod" && matches!(tokens.get(i + 2), Some((Token::Sign('{'), _))) => {
                if let Token::Word(name) = &tokens[i + 1].0 {
                    place.push(name.clone());
                    inline.push(depth);
                }
                i += 2;
            }
            Token::Sign('{') => (depth, i) = (depth + 1, i + 1),
            Token::Sign('}') => {
                depth -= 1;
                i += 1;
                if inline.last() == Some(&depth) {
                    inline.pop();
                    place.pop();
                }
            }
            Token::Word(word) if word == "use" || word == "extern" => {
                let first = i + if word == "use" { 1 } else { 2 };
                i += 1;
                // `use notify as n` names the crate too, in a path of one segment.
                if let Some((Token::Word(name), line)) = tokens.get(first)
                    && !matches!(tokens.get(first + 1), Some((Token::Colons, _)))
                {
                    found.push((vec![name.clone(), String::from("self")], *line));
                }
            }
            Token::Word(_) => i = tree(tokens, i, &[], &place, &mut found),
            Token::Colons | Token::Sign(_) | Token::Text(_) => i += 1,
        }
    }
    found
}

/// Reads one path, or a tree of them, from its first word; gives the place behind it.
fn tree(tokens: &[Placed], mut i: usize, before: &[String], place: &[String], found: &mut Vec<Path>) -> usize {
    let mut segments = before.to_vec();
    let line = tokens[i].1;
    while let Some((Token::Word(word), _)) = tokens.get(i) {
        segments.push(word.clone());
        i += 1;
        if !matches!(tokens.get(i), Some((Token::Colons, _))) {
            break;
        }
        i += 1;
        if matches!(tokens.get(i), Some((Token::Sign('{'), _))) {
            i += 1;
            while i < tokens.len() && tokens[i].0 != Token::Sign('}') {
                i = match tokens[i].0 {
                    Token::Word(_) => tree(tokens, i, &segments, place, found),
                    _ => i + 1,
                };
            }
            return i + 1;
        }
    }
    found.push((resolve(segments, place), line));
    i
}

/// Makes `self` and `super` into the path from the crate.
fn resolve(segments: Vec<String>, place: &[String]) -> Vec<String> {
    let ups = segments.iter().take_while(|segment| *segment == "super" || *segment == "self").count();
    if ups == 0 || segments.len() == 1 {
        return segments;
    }
    let supers = segments.iter().take(ups).filter(|segment| *segment == "super").count();
    let stem = &place[..place.len().saturating_sub(supers)];
    let start = [String::from("crate")];
    start.iter().chain(stem).chain(&segments[ups..]).cloned().collect()
}
