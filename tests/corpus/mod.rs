//! Compares what an import gives with what is expected, by the rules of the corpus's own comparing program in its strict
//! mode.

use std::collections::BTreeMap;
use std::path::Path;

use otpanel::secret::Secret;
use otpanel::transfer::{self, Source};
use serde_json::Value;

fn secret_bytes(text: &str) -> Vec<u8> {
    otpanel::otp::base32::bytes(text).unwrap_or_else(|_| text.as_bytes().to_vec())
}

/// A wanted field accepts one value or several; strictly only the first counts.
fn first(value: &Value) -> &Value {
    value.get("any_of").map_or(value, |options| &options[0])
}

fn options(value: &Value) -> Vec<&Value> {
    value.get("any_of").and_then(Value::as_array).map_or_else(|| vec![value], |all| all.iter().collect())
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default().trim()
}

fn groups(value: &Value) -> Vec<String> {
    let mut all: Vec<String> =
        value.as_array().into_iter().flatten().map(|g| g.as_str().unwrap_or_default().to_owned()).collect();
    all.sort();
    all
}

fn differences(want: &Value, got: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let kind = text(want, "type");
    let mut check = |same: bool, what: &str, got: &Value, want: &Value| {
        if !same {
            found.push(format!("{what} {got}, wanted {want}"));
        }
    };
    check(text(got, "type") == kind, "type", &got["type"], &want["type"]);
    let same = secret_bytes(text(got, "secret_base32")) == secret_bytes(text(want, "secret_base32"));
    check(same, "secret", &Value::Null, &Value::Null);
    let pair = [text(got, "issuer"), text(got, "account")];
    let wanted = match want["issuer_account_any_of"].get(0) {
        Some(pair) => [pair[0].as_str().unwrap_or_default().trim(), pair[1].as_str().unwrap_or_default().trim()],
        None => [text(want, "issuer"), text(want, "account")],
    };
    check(pair == wanted, "names", &serde_json::json!(pair), &serde_json::json!(wanted));
    if matches!(kind, "totp" | "hotp") {
        let same = options(&want["algorithm"]).contains(&&got["algorithm"]);
        check(same, "algorithm", &got["algorithm"], &want["algorithm"]);
    }
    let mut fields = if kind == "steam" { vec![] } else { vec!["digits"] };
    fields.extend(match kind {
        "totp" => Some("period"),
        "hotp" => Some("counter"),
        _ => None,
    });
    for field in fields {
        check(got[field] == *first(&want[field]), field, &got[field], &want[field]);
    }
    if let Some(pin) = want["pin"].as_str().filter(|p| !p.is_empty()) {
        check(text(got, "pin") == pin, "pin", &got["pin"], &want["pin"]);
    }
    if let Some(wanted) = want.get("groups") {
        let same = options(wanted).iter().any(|w| groups(w) == groups(&got["groups"]));
        check(same, "groups", &got["groups"], wanted);
    }
    if !text(want, "note").is_empty() {
        check(text(got, "note") == text(want, "note"), "note", &got["note"], &want["note"]);
    }
    if want["favorite"].as_bool().unwrap_or_default() {
        check(got["favourite"].as_bool().unwrap_or_default(), "favourite", &got["favourite"], &want["favorite"]);
    }
    found
}

/// Pairs wanted with got entries as far as can be; the indices left over on either side.
fn unmatched(wants: &[Value], gots: &[Value]) -> (Vec<usize>, Vec<usize>) {
    fn grow(i: usize, edges: &[Vec<usize>], seen: &mut Vec<usize>, owner: &mut BTreeMap<usize, usize>) -> bool {
        for &j in &edges[i] {
            if !seen.contains(&j) {
                seen.push(j);
                let free = match owner.get(&j).copied() {
                    None => true,
                    Some(other) => grow(other, edges, seen, owner),
                };
                if free {
                    owner.insert(j, i);
                    return true;
                }
            }
        }
        false
    }
    let edges: Vec<Vec<usize>> =
        wants.iter().map(|w| (0..gots.len()).filter(|j| differences(w, &gots[*j]).is_empty()).collect()).collect();
    let mut owner = BTreeMap::new();
    for i in 0..wants.len() {
        grow(i, &edges, &mut Vec::new(), &mut owner);
    }
    let missing = (0..wants.len()).filter(|i| !owner.values().any(|o| o == i)).collect();
    (missing, (0..gots.len()).filter(|j| !owner.contains_key(j)).collect())
}

fn named(skipped: &[Value], names: &[&str]) -> bool {
    let names: Vec<String> = names.iter().filter(|n| !n.is_empty()).map(|n| n.to_lowercase()).collect();
    if names.is_empty() {
        return !skipped.is_empty();
    }
    skipped.iter().any(|s| {
        let report = format!("{} {}", text(s, "name"), text(s, "reason")).to_lowercase();
        names.iter().any(|n| report.contains(n))
    })
}

fn names(error: &Value) -> Vec<&str> {
    let more = error["alt_names"].as_array().into_iter().flatten().filter_map(Value::as_str);
    std::iter::once(text(error, "name")).chain(more).collect()
}

fn judge(case: &Value, result: &Result<Value, String>) -> Result<(), String> {
    if case["optional"].as_bool().unwrap_or_default() {
        return Ok(());
    }
    if case["expect"] == "fatal" {
        let reason = text(case, "fatal");
        return match result {
            Ok(_) => Err(format!("should have been refused: {reason}")),
            Err(message) if reason.contains("password") && !message.contains("password") => {
                Err(format!("the message does not speak of the password: {message}"))
            }
            Err(message) if reason == "account_restricted" && !message.contains("account") => Err(message.clone()),
            Err(_) => Ok(()),
        };
    }
    let doc = result.as_ref().map_err(|message| format!("refused: {message}"))?;
    let empty = Vec::new();
    let list = |value: &Value| value.as_array().unwrap_or(&empty).clone();
    let (wants, gots, skipped) = (list(&case["entries"]), list(&doc["entries"]), list(&doc["skipped"]));
    let (mut missing, mut extra) = unmatched(&wants, &gots);
    if case.get("duplicates").is_some() {
        extra.retain(|j| !wants.iter().any(|w| differences(w, &gots[*j]).is_empty()));
        missing.retain(|i| !gots.iter().any(|g| differences(&wants[*i], g).is_empty()));
    }
    missing.retain(|i| {
        let want = &wants[*i];
        want.get("or_error").is_none() || !named(&skipped, &[text(want, "issuer"), text(want, "account")])
    });
    if let Some(i) = missing.first() {
        let near = extra.iter().map(|j| differences(&wants[*i], &gots[*j])).min_by_key(Vec::len);
        return Err(format!(
            "{} of {} missing, first {} ({near:?}); skipped {skipped:?}",
            missing.len(),
            wants.len(),
            wants[*i]["issuer"]
        ));
    }
    let errors = list(&case["errors"]);
    let may_be_extra = |name: &str| {
        errors.iter().any(|e| {
            text(e, "name") == name
                && (text(e, "reason").contains("unsupported algorithm") || e.get("or_entry").is_some())
        })
    };
    for error in &errors {
        let instead = error.get("or_entry").is_some() && gots.len() > wants.len();
        if !instead && !error["optional"].as_bool().unwrap_or_default() && !named(&skipped, &names(error)) {
            return Err(format!("not reported: {} ({}); got {skipped:?}", error["name"], error["reason"]));
        }
    }
    extra.retain(|j| {
        let label = format!("{}:{}", text(&gots[*j], "issuer"), text(&gots[*j], "account")).to_lowercase();
        !errors.iter().flat_map(names).any(|n| may_be_extra(n) && label.contains(&n.to_lowercase()))
    });
    match extra.first() {
        Some(j) => Err(format!("{} too many, first {}:{}", extra.len(), gots[*j]["issuer"], gots[*j]["account"])),
        None => Ok(()),
    }
}

/// Imports every file of a folder's `expected.json` and hands back what differs.
pub fn differing(folder: &Path) -> Vec<String> {
    let list = std::fs::read(folder.join("expected.json")).expect("readable");
    let doc: Value = serde_json::from_slice(&list).expect("JSON");
    let cases = doc["fixtures"].as_array().expect("a list");
    assert!(!cases.is_empty());
    cases
        .iter()
        .filter_map(|case| judge(case, &run(case, folder)).err().map(|why| format!("{}: {why}", text(case, "id"))))
        .collect()
}

/// The JSON of one import, or the words of its refusal.
fn run(case: &Value, folder: &Path) -> Result<Value, String> {
    let read = |name: &str| std::fs::read(folder.join(name)).ok();
    let file = text(case, "file");
    let bytes = read(file).expect("readable");
    let wal = read(&format!("{file}-wal"));
    let key_file = case.get("key_file").and_then(|k| read(k.as_str()?));
    let password = case["password"].as_str().map(|p| Secret::new(p.to_owned()));
    let source = Source {
        // Our own samples are marked so; an entry of pass is named by its file, which its owner would not mark.
        name: file.rsplit('/').next().map(|name| name.strip_prefix("self-").unwrap_or(name)),
        password: password.as_ref(),
        wal: wal.as_deref(),
        key_file: key_file.as_deref(),
        ..Source::new(&bytes)
    };
    let import = transfer::import(source).map_err(|error| error.to_string())?;
    Ok(serde_json::from_str(transfer::to_json(&[&import]).expose()).expect("to_json writes JSON"))
}
