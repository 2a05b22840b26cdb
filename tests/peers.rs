//! Our exports read by other programs, where they are installed: cotp (`cargo install cotp`). The codes that it makes of
//! each must be ours.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use otpanel::otp::{Account, code, uri};
use otpanel::secret::Secret;
use otpanel::time::UnixTime;
use otpanel::transfer::{Format, export};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};

const PASSWORD: &str = "pw of the peer";

fn accounts() -> Vec<Account> {
    [
        "otpauth://totp/GitHub:octo%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DP&issuer=GitHub",
        "otpauth://totp/Bank:ada?secret=GEZDGNBVGY3TQOJQ&issuer=Bank&algorithm=SHA256&digits=8&period=60",
        "otpauth://totp/Long:x?secret=NNJVMAE6MMKFRYMGNNJVMAE6&issuer=Long&algorithm=SHA512&digits=7",
        "otpauth://hotp/Card:card?secret=GEZDGNBVGY3TQOJQGEZDGNBV&issuer=Card&counter=42",
    ]
    .iter()
    .map(|link| uri::parse(link).unwrap())
    .collect()
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|folder| folder.join("cotp")).find(|file| file.is_file());
    if found.is_none() {
        println!("left out: cotp is not installed");
    }
    found
}

/// Runs cotp on a terminal, answering each question once it is asked; gives what it said.
fn run(program: &Path, folder: &Path, args: &[&str], answers: &[(&str, &str)]) -> String {
    let pair = native_pty_system().openpty(PtySize { rows: 50, cols: 200, ..PtySize::default() }).unwrap();
    let mut command = CommandBuilder::new(program);
    command.args(args);
    command.cwd(folder);
    command.env("HOME", folder);
    command.env("COTP_DB_PATH", folder.join("db"));
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().unwrap();
    let (say, said) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(n) = reader.read(&mut chunk) {
            if n == 0 || say.send(chunk[..n].to_vec()).is_err() {
                break;
            }
        }
    });
    let mut writer = pair.master.take_writer().unwrap();
    let (mut text, mut open) = (String::new(), answers.to_vec());
    while let Ok(bytes) = said.recv_timeout(Duration::from_secs(60)) {
        text.push_str(&String::from_utf8_lossy(&bytes));
        open.retain(|(question, answer)| {
            let asked = text.contains(question);
            if asked {
                // Echo is switched off after the question is printed.
                std::thread::sleep(Duration::from_millis(50));
                write!(writer, "{answer}\r").unwrap();
            }
            !asked
        });
    }
    child.wait().unwrap();
    text
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Names and codes by time of a moment.
fn ours(when: u64) -> BTreeSet<String> {
    let code = |account: &Account| Some(code::code_at(account, UnixTime::from_secs(when))?.expose().to_owned());
    accounts().iter().filter_map(|a| Some(format!("{} {} {}", a.issuer, a.account, code(a)?))).collect()
}

fn theirs(program: &Path, folder: &Path) -> BTreeSet<String> {
    let listed = run(program, folder, &["list", "--json"], &[("assword", PASSWORD)]);
    let start = listed.find('[').unwrap_or_else(|| panic!("no list: {listed}"));
    let rows: serde_json::Value = serde_json::from_str(listed[start..].trim()).unwrap();
    let text = |row: &serde_json::Value, key: &str| row[key].as_str().unwrap().to_owned();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), accounts().len(), "{listed}");
    let row = |row| format!("{} {} {}", text(row, "issuer"), text(row, "label"), text(row, "otp_code"));
    rows.iter().filter(|row| row["issuer"] != "Card").map(row).collect()
}

fn read_by_cotp(format: Format, option: &str, password: Option<&str>) {
    let Some(program) = program() else { return };
    let folder = tempfile::tempdir().unwrap();
    let secret = password.map(|p| Secret::new(p.to_owned()));
    let mut n = 0u8;
    let mut random = |bytes: &mut [u8]| {
        for byte in bytes {
            n = n.wrapping_mul(31).wrapping_add(7);
            *byte = n;
        }
    };
    let exported = export(format, &accounts(), secret.as_ref(), &mut random).unwrap();
    std::fs::write(folder.path().join("export"), exported.bytes.expose()).unwrap();
    let mut answers = vec![("Choose a password", PASSWORD), ("Retype", PASSWORD)];
    answers.extend(password.map(|p| ("Insert your", p)));
    let said = run(&program, folder.path(), &["import", option, "--path", "export"], &answers);
    assert!(said.contains("persisted"), "{said}");
    // A period may end between the two.
    let fits = (0..3).any(|_| {
        let before = ours(now());
        let found = theirs(&program, folder.path());
        found == before || found == ours(now())
    });
    assert!(fits, "{:?} {:?}", theirs(&program, folder.path()), ours(now()));
}

#[test]
fn cotp_reads_our_plain_aegis_file() {
    read_by_cotp(Format::Aegis, "--aegis", None);
}

#[test]
fn cotp_reads_our_sealed_aegis_file() {
    read_by_cotp(Format::Aegis, "--aegis-encrypted", Some("correct horse"));
}

#[test]
fn cotp_reads_our_andotp_file() {
    read_by_cotp(Format::AndOtp, "--andotp", None);
}
