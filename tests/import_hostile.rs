//! Files made to break an importer: each ends in a refusal with a reason, or in what can be saved, and never in a panic.

use std::io::{Cursor, Write};

use otpanel::secret::Secret;
use otpanel::transfer::{self, Import, ImportError, Source};
use serde_json::{Value, json};

const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

fn import(bytes: &[u8]) -> Result<Import, ImportError> {
    let password = Secret::new(String::from("x"));
    transfer::import(Source { password: Some(&password), ..Source::new(bytes) })
}

fn refusal(bytes: &[u8]) -> ImportError {
    match import(bytes) {
        Ok(import) => panic!("{} entries of {}", import.entries.len(), import.format.name()),
        Err(error) => error,
    }
}

fn aegis(info: &Value) -> String {
    let mut full = json!({"secret": SECRET, "algo": "SHA1", "digits": 6, "period": 30});
    for (key, value) in info.as_object().into_iter().flatten() {
        full[key] = value.clone();
    }
    let entry = json!({"type": "totp", "name": "bob", "issuer": "Acme", "info": full});
    json!({"version": 1, "header": {"slots": null, "params": null}, "db": {"version": 3, "entries": [entry]}})
        .to_string()
}

fn sealed_aegis(slots: &Value) -> String {
    let params = json!({"nonce": "00".repeat(12), "tag": "00".repeat(16)});
    json!({"version": 1, "header": {"slots": slots, "params": params}, "db": "AAAA"}).to_string()
}

fn slot(n: u64, r: u64, p: u64) -> Value {
    let params = json!({"nonce": "00".repeat(12), "tag": "00".repeat(16)});
    json!({"type": 1, "key": "00".repeat(32), "key_params": params, "n": n, "r": r, "p": p, "salt": "00".repeat(32)})
}

#[test]
fn nothing_and_noise_are_refused() {
    assert!(matches!(refusal(b""), ImportError::Empty));
    assert!(matches!(refusal(b" \t\r\n"), ImportError::Empty));
    assert!(matches!(refusal(b"\0"), ImportError::Unknown));
    assert!(matches!(refusal(b"Dear customer,\nyour code is 123456.\n"), ImportError::Unknown));
    assert!(matches!(refusal(b"{}"), ImportError::Unknown));
    assert!(matches!(refusal(b"\"otpauth\""), ImportError::Unknown));
    let noise: Vec<u8> = (0..512u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8 | 0x80).collect();
    assert!(matches!(transfer::import(Source::new(&noise)), Err(ImportError::MaybeEncrypted)));
}

#[test]
fn a_file_beyond_the_limit_is_refused_unread() {
    let big = vec![b' '; transfer::MAX_FILE + 1];
    assert!(matches!(refusal(&big), ImportError::TooLarge { mib: 64, .. }));
}

#[test]
fn more_lines_than_anybody_has_accounts_are_refused() {
    let mut list = format!("otpauth://totp/Acme:bob?secret={SECRET}\n");
    list.push_str(&"x\n".repeat(transfer::MAX_ENTRIES));
    assert!(matches!(refusal(list.as_bytes()), ImportError::TooMany { .. }));
}

#[test]
fn depth_and_number_of_values_are_bounded() {
    assert!(matches!(refusal("[".repeat(100_000).as_bytes()), ImportError::NotJson(_)));
    assert!(matches!(refusal("{\"a\":".repeat(100_000).as_bytes()), ImportError::NotJson(_)));
    let many = format!("[{}0]", "0,".repeat(3_000_001));
    assert!(matches!(refusal(many.as_bytes()), ImportError::TooMany { .. }));
    let deep = "<map>".to_owned() + &"<a>".repeat(100_000);
    assert!(matches!(refusal(deep.as_bytes()), ImportError::Damaged { .. }));
}

#[test]
fn costly_key_derivations_are_refused_before_they_are_run() {
    let ente = |memory: i64, passes: i64| {
        let kdf = json!({"memLimit": memory, "opsLimit": passes, "salt": "AAAAAAAAAAAAAAAAAAAAAA=="});
        let nonce = "A".repeat(32);
        json!({"version": 1, "kdfParams": kdf, "encryptedData": "AAAA", "encryptionNonce": nonce}).to_string()
    };
    let bitwarden = |kind: u64, iterations: u64, memory: u64, lanes: u64| {
        json!({"encrypted": true, "passwordProtected": true, "salt": "AAAA", "kdfType": kind, "kdfIterations": iterations,
            "kdfMemory": memory, "kdfParallelism": lanes, "encKeyValidation_DO_NOT_EDIT": "2.A|A|A", "data": "2.A|A|A"})
        .to_string()
    };
    let text = [
        sealed_aegis(&json!([slot(1 << 31, 8, 1)])),
        sealed_aegis(&json!([slot(3, 8, 1)])),
        sealed_aegis(&json!([slot(1 << 15, 8, 1 << 31)])),
        sealed_aegis(&json!(vec![slot(1 << 15, 8, 1); 1000])),
        ente(1 << 60, 1),
        ente(1 << 20, 1 << 31),
        ente(0, 0),
        ente(-1, 1),
        bitwarden(0, 1 << 31, 0, 0),
        bitwarden(0, 0, 0, 0),
        bitwarden(1, 3, 1 << 31, 4),
        bitwarden(1, 3, 64, 0),
    ];
    for file in text {
        assert!(matches!(refusal(file.as_bytes()), ImportError::Limits { .. }), "{file}");
    }
    let otpclient = [
        b"OTPClient".as_slice(),
        &[0, 0, 0, 3],
        &[7; 48],
        &[0, 0, 0, 4, 0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 4],
        &[7; 100],
    ];
    assert!(matches!(refusal(&otpclient.concat()), ImportError::Limits { .. }));
}

/// A KDBX 4 file that asks for a key derivation.
fn kdbx(kdf: &[(u8, &[u8], &[u8])]) -> Vec<u8> {
    let field = |id: u8, data: &[u8]| [&[id], (data.len() as u32).to_le_bytes().as_slice(), data].concat();
    let mut dictionary = vec![0, 1];
    for (kind, key, value) in kdf {
        dictionary.push(*kind);
        for part in [key, value] {
            dictionary.extend((part.len() as u32).to_le_bytes());
            dictionary.extend_from_slice(part);
        }
    }
    dictionary.push(0);
    let mut file = vec![0x03, 0xD9, 0xA2, 0x9A, 0x67, 0xFB, 0x4B, 0xB5, 0, 0, 4, 0];
    file.extend(field(4, &[1; 32]));
    file.extend(field(11, &dictionary));
    file.extend(field(0, b"\r\n\r\n"));
    file.extend([7; 200]);
    file
}

#[test]
fn keepass_headers_are_read_before_they_are_believed() {
    let argon = 0x9e29_8b19_56db_4773_b23d_fc3e_c6f0_a1e6_u128.to_be_bytes();
    let aes = 0xc9d9_f39a_628a_4460_bf74_0d08_c18a_4fea_u128.to_be_bytes();
    let word = |n: u64| n.to_le_bytes();
    let terabyte = kdbx(&[
        (0x42, b"$UUID", &argon),
        (0x42, b"S", &[1; 32]),
        (5, b"M", &word(1 << 40)),
        (5, b"I", &word(1)),
        (4, b"P", &[1, 0, 0, 0]),
    ]);
    assert!(matches!(refusal(&terabyte), ImportError::Limits { .. }));
    let rounds = kdbx(&[(0x42, b"$UUID", &aes), (0x42, b"S", &[1; 32]), (5, b"R", &word(1 << 63))]);
    assert!(matches!(refusal(&rounds), ImportError::Limits { .. }));
    let old = [&[0x03, 0xD9, 0xA2, 0x9A, 0x65, 0xFB, 0x4B, 0xB5], [7u8; 200].as_slice()].concat();
    assert!(matches!(refusal(&old), ImportError::Refused { .. }));
    let whole = kdbx(&[(0x42, b"$UUID", &aes), (0x42, b"S", &[1; 32]), (5, b"R", &word(1))]);
    for len in 4..whole.len() {
        refusal(&whole[..len]);
    }
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).expect("fits");
        writer.write_all(content).expect("fits");
    }
    writer.finish().expect("fits").into_inner()
}

#[test]
fn archives_are_bounded_in_size_number_and_depth() {
    let bomb = zip(&[("export.data", &vec![b' '; transfer::MAX_FILE + 1])]);
    assert!(bomb.len() < 1 << 20);
    assert!(matches!(refusal(&bomb), ImportError::TooLarge { .. }));
    let names: Vec<String> = (0..5000).map(|i| format!("{i}.txt")).collect();
    let crowd: Vec<(&str, &[u8])> = names.iter().map(|n| (n.as_str(), b"".as_slice())).collect();
    assert!(matches!(refusal(&zip(&crowd)), ImportError::Unknown));
    assert!(matches!(refusal(b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), ImportError::Unknown));

    let link = format!("otpauth://totp/Acme:bob?secret={SECRET}");
    let one = zip(&[("c.txt", link.as_bytes())]);
    let two = zip(&[("b.zip", &one)]);
    let three = zip(&[("a.zip", &two)]);
    assert_eq!(import(&two).expect("two levels").entries.len(), 1);
    assert!(matches!(refusal(&three), ImportError::Unknown));
}

#[test]
fn xml_entities_are_never_expanded() {
    for file in [
        "<!DOCTYPE map [<!ENTITY a \"aaaa\">]><map><string name=\"x\">&a;</string></map>",
        "<!DOCTYPE map [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><map><string name=\"STATIC_TOTP_CODES_LIST\">&x;</string></map>",
    ] {
        assert!(matches!(refusal(file.as_bytes()), ImportError::Damaged { .. }));
    }
}

#[test]
fn pictures_that_claim_too_much_or_show_nothing_are_refused() {
    let png = |width: u32, height: u32| {
        let mut out = Cursor::new(Vec::new());
        image::GrayImage::from_pixel(width, height, image::Luma([255]))
            .write_to(&mut out, image::ImageFormat::Png)
            .expect("fits");
        out.into_inner()
    };
    assert!(matches!(refusal(&png(100, 100)), ImportError::Refused { .. }));
    let mut huge = png(1, 1);
    huge[16..24].copy_from_slice(&[0x7F, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF]);
    refusal(&huge);
    refusal(&png(100, 100)[..60]);
    refusal(&[0xFF, 0xD8, 0xFF, 0xE0]);
}

#[test]
fn one_bad_entry_costs_only_itself() {
    let mut doc: Value = serde_json::from_str(&aegis(&json!({}))).expect("JSON");
    let good = doc["db"]["entries"][0].clone();
    doc["db"]["entries"] = json!([null, 1, "x", [], {}, {"type": "totp", "name": "a", "issuer": "b"}, good]);
    let import = import(doc.to_string().as_bytes()).expect("Aegis");
    assert_eq!((import.entries.len(), import.skipped.len()), (1, 6));
}

#[test]
fn values_of_the_wrong_kind_are_read_or_reported() {
    for (info, taken) in [
        (json!({"digits": 6.0}), true),
        (json!({"digits": "6"}), true),
        (json!({"digits": null, "period": null, "algo": null}), true),
        (json!({"digits": true}), false),
        (json!({"digits": -1}), false),
        (json!({"digits": 0}), false),
        (json!({"digits": 255}), false),
        (json!({"digits": [6]}), false),
        (json!({"period": 0}), false),
        (json!({"period": 9_223_372_036_854_775_808u64}), false),
        (json!({"algo": "SHA224"}), false),
        (json!({"secret": ""}), false),
        (json!({"secret": "A"}), false),
        (json!({"secret": "0189!"}), false),
        (json!({"secret": "A".repeat(1 << 20)}), false),
        (json!({"secret": null}), false),
    ] {
        let import = import(aegis(&info).as_bytes()).expect("Aegis");
        assert_eq!((import.entries.len(), import.skipped.len()), (usize::from(taken), usize::from(!taken)), "{info}");
    }
}

#[test]
fn no_report_holds_a_part_of_a_secret() {
    let canary = "CANARY01CANARY01";
    let files = [
        aegis(&json!({ "secret": canary })),
        format!("otpauth://totp/x?secret={canary}\notpauth://{canary}/x\nsteam://{canary}\n{canary}\n"),
        format!("login_totp,name\n{canary},x\n"),
        format!("[{{\"kind\":\"TOTP\",\"timer\":\"30\",\"secret\":\"{canary}\"}}]"),
        format!("[{{\"secret\":\"{canary}\",\"label\":\"x\",\"type\":\"TOTP\",\"algorithm\":{{}}}}]"),
        format!("[{{\"secret\":\"{canary}\" \"label\":\"x\"}}]"),
        format!("<map><string name=\"x\">{{\"secret\":\"{canary}\",</string></map>"),
        format!("<map><string name=\"{canary}></map>"),
    ];
    for file in files {
        let shown = match import(file.as_bytes()) {
            Ok(import) => {
                import.skipped.iter().map(|s| format!("{} {} {s:?}", s.name, s.reason)).collect::<Vec<_>>().join("\n")
            }
            Err(error) => format!("{error} {error:?}"),
        };
        assert!(!shown.contains("CANARY"), "{shown}");
    }
}

#[test]
fn what_steers_a_terminal_is_escaped_in_the_output() {
    let mut doc: Value = serde_json::from_str(&aegis(&json!({}))).expect("JSON");
    let name = "\u{1b}[2J\u{7}\u{9b}31m\u{202e}emcA\u{2066}\u{7f}";
    doc["db"]["entries"][0]["name"] = json!(name);
    let output = transfer::to_json(&[&import(doc.to_string().as_bytes()).expect("Aegis")]);
    let steers = |c: char| c.is_control() || ('\u{202a}'..='\u{2069}').contains(&c);
    assert!(!output.expose().chars().any(steers));
    let back: Value = serde_json::from_str(output.expose()).expect("JSON");
    assert_eq!(back["entries"][0]["account"], name);
}

#[test]
fn missing_parts_of_a_google_export_are_named() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/google_migration");
    let second = std::fs::read(folder.join("only_batch_2_of_2.txt")).expect("readable");
    let import = import(&second).expect("Google");
    assert_eq!(import.notes, ["The Google export has 2 QR codes; missing here: 1."]);
    let twice = [second.as_slice(), b"\n", &second].concat();
    assert_eq!(self::import(&twice).expect("Google").entries.len(), import.entries.len());
}

#[test]
fn tables_come_with_other_delimiters_and_ragged_rows() {
    let semicolons = format!("title;username;totp\nAcme;bob;{SECRET}\n");
    assert_eq!(import(semicolons.as_bytes()).expect("CSV").entries.len(), 1);
    let ragged = format!("name,login_totp\nshort\nAcme,{SECRET},more,and,more\n");
    let import = import(ragged.as_bytes()).expect("CSV");
    assert_eq!((import.entries.len(), import.skipped.len()), (1, 0));
    assert!(matches!(refusal(b"name,url,password\nAcme,x,y\n"), ImportError::Refused { .. }));
}

#[test]
fn rows_without_a_header_are_read_by_their_labels() {
    let keeper = format!("Work,None,eve,pw,https://x,,\nWork,Acme,bob,pw,https://x,,,TFC:Keeper,{SECRET}\n");
    let import = import(keeper.as_bytes()).expect("Keeper");
    assert_eq!((import.entries[0].issuer.as_str(), import.entries[0].account.as_str()), ("Acme", "bob"));
    let enpass = format!("Acme,Username,bob,Password,x,One-time code,{SECRET}\n");
    let import = self::import(enpass.as_bytes()).expect("Enpass");
    assert_eq!((import.entries[0].issuer.as_str(), import.entries[0].account.as_str()), ("Acme", "bob"));
}
