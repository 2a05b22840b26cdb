//! Every report in one snapshot, so that a change of words is seen as such, and rules that all of them keep.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use super::clipboard;
use super::failure::{Doing, Failure};
use super::output::{Style, format};
use crate::config::{self, ConfigError};
use crate::keychain::{KeychainError, Probe};
use crate::local::LocalError;
use crate::otp::ParamError;
use crate::otp::uri::UriError;
use crate::paths::PathsError;
use crate::policy::{self, PolicyError, Refusal};
use crate::report::Report;
use crate::runtime::PanelError;
use crate::runtime::clipboard::ClipboardError;
use crate::transfer::export::LeftOut;
use crate::transfer::{ExportError, Format, ImportError};
use crate::unlock::UnlockError;
use crate::vault::kdf::KdfError;
use crate::vault::payload::PayloadError;
use crate::vault::recovery::BadRecoveryKey;
use crate::vault::{Error, FileError, KdfParams, SlotKind};

fn vault() -> PathBuf {
    PathBuf::from("/home/ada/vault.otpv")
}

fn no_access() -> io::Error {
    io::Error::from_raw_os_error(13)
}

/// One of each, by name.
fn all() -> Vec<(String, Report)> {
    let mut list: Vec<(String, Report)> = Vec::new();
    let mut add = |name: &str, report: Report| list.push((name.to_owned(), report));

    for failure in failures() {
        let name = format!("{failure:?}");
        let name = name.split([' ', '(', '{']).next().unwrap_or_default().to_owned();
        add(&format!("cli::{name}"), failure.report().expect("only `Silent` says nothing"));
    }
    for e in [ClipboardError::Off, ClipboardError::NoDisplay, ClipboardError::Native("no display".into())] {
        add("clipboard", clipboard::report(&e));
    }
    add("clipboard", clipboard::nowhere());
    add("config", ConfigError::Read { path: "/c.ron".into(), source: no_access() }.into());
    for text in ["(idle_lock_sec: 3)", "(idle_lock_secs: \"x\")", "(idle_lock_secs: 3", "(warn_secs: 99)"] {
        let mistake = Box::new(config::parse(text).expect_err("a mistake"));
        add("config", ConfigError::Text { path: "/c.ron".into(), mistake }.into());
    }
    for e in policies() {
        add("policy", e.into());
    }
    for e in refusals() {
        add("refusal", e.into());
    }
    for e in [PathsError::NoHome, PathsError::Profile("../x".into()), PathsError::Empty("vault")] {
        add("paths", e.into());
    }
    add("local", LocalError { path: "/s/local.ron".into(), doing: "written", source: no_access() }.into());
    let params = [
        ParamError::Digits("100".into()),
        ParamError::Period("0".into()),
        ParamError::Counter("-1".into()),
        ParamError::Algorithm("MD2".into()),
        ParamError::EmptySecret,
        ParamError::LongSecret,
        ParamError::Base32 { at: 4 },
        ParamError::Hex,
        ParamError::MissingPin,
        ParamError::SecretLength,
    ];
    for e in params {
        add("account", e.into());
    }
    for e in [
        UriError::NotALink,
        UriError::Migration,
        UriError::UnknownType("push".into()),
        UriError::MissingSecret,
        UriError::Param(ParamError::Digits("100".into())),
        UriError::Several,
        UriError::Control,
        UriError::Trashed,
    ] {
        add("link", e.into());
    }
    for e in imports() {
        add("import", e.into());
    }
    for e in exports() {
        add("export", e.into());
    }
    let probes = [
        Probe::Ready,
        Probe::Locked,
        Probe::NoBus,
        Probe::NoProvider,
        Probe::NoCollection,
        Probe::NoKeyring("Contoso".into()),
        Probe::NoFolder("/mnt/stick/otpanel".into()),
        Probe::Unsupported("it is of another world".into()),
    ];
    for probe in probes {
        add("keychain", KeychainError::Unavailable(probe).into());
    }
    for e in [
        KeychainError::Timeout,
        KeychainError::Locked,
        KeychainError::TooLarge { limit: 2560 },
        KeychainError::Dismissed,
        KeychainError::Folder("Is a directory".into()),
        KeychainError::Closed,
        KeychainError::Other("it said something odd".into()),
    ] {
        add("keychain", e.into());
    }
    for e in vaults() {
        add("vault", e.into());
    }
    for e in files() {
        add("file", e.into());
    }
    for e in [
        UnlockError::NoPassword,
        UnlockError::NotInKeychain,
        UnlockError::KeychainForgets,
        UnlockError::NotRemembered,
        UnlockError::LastWayIn,
        UnlockError::LastRecoveryKey,
        UnlockError::RecoveryKey(BadRecoveryKey::Length(12)),
        UnlockError::RecoveryKey(BadRecoveryKey::Character(3)),
        UnlockError::RecoveryKey(BadRecoveryKey::Checksum),
    ] {
        add("unlock", e.into());
    }
    list
}

fn policies() -> Vec<PolicyError> {
    let path = || PathBuf::from("/etc/otpanel/policy.ron");
    let mistake = policy::parse("Policy(exports: Forbidden)", "ada").expect_err("a mistake");
    vec![
        PolicyError::Read { path: path(), source: no_access() },
        PolicyError::NotPlain(path()),
        PolicyError::Owner { path: path(), owner: 1000 },
        PolicyError::Writable { path: path(), mode: 0o666 },
        PolicyError::File(path()),
        PolicyError::TooLong(path()),
        PolicyError::Text { path: path(), mistake: Box::new(mistake) },
    ]
}

fn refusals() -> Vec<Refusal> {
    let organisation = || String::from("Contoso");
    let accounts = |n: usize| (1..=n).map(|n| format!("VPN {n} (ada)")).collect();
    vec![
        Refusal::Export { organisation: organisation(), accounts: accounts(1), of: 1 },
        Refusal::Export { organisation: organisation(), accounts: accounts(2), of: 3 },
        Refusal::Export { organisation: organisation(), accounts: accounts(9), of: 12 },
        Refusal::Leave { organisation: organisation() },
        Refusal::Personal { organisation: organisation() },
        Refusal::NoIdentity,
    ]
}

fn failures() -> Vec<Failure> {
    vec![
        Failure::Stdout(io::Error::from_raw_os_error(28)),
        Failure::Terminal(io::Error::from_raw_os_error(5)),
        Failure::Cancelled,
        Failure::usage("The account has no name", "Give --issuer, --account or both."),
        Failure::NotFound { query: "zzz".into(), trash: false },
        Failure::NotFound { query: "zzz".into(), trash: true },
        Failure::Ambiguous { query: "a".into(), candidates: vec!["01  A (a)".into(), "02  B (a)".into()], more: 3 },
        Failure::Unsure { query: "ghb".into(), candidate: "GitHub (octo)".into() },
        Failure::NeedsYes { what: "Removing an account".into() },
        Failure::VaultExists(vault()),
        Failure::NoWayIn,
        Failure::WrongRecoveryKey,
        Failure::WrongKeychainKey,
        Failure::EmptyPassword { least: 8 },
        Failure::ShortPassword,
        Failure::PasswordsDiffer,
        Failure::File { path: "/pw".into(), doing: Doing::Read, source: io::Error::from_raw_os_error(2) },
        Failure::File { path: "/key".into(), doing: Doing::Write, source: io::Error::from_raw_os_error(17) },
        Failure::NotText { what: "password file" },
        Failure::NoNextCode,
        Failure::EnrolAgain { name: "VPN (ada)".into() },
        Failure::Unusable { name: "A (a)".into(), reason: "its kind is unknown to this version".into() },
        Failure::Panel(PanelError::NoTerminal),
        Failure::Panel(PanelError::DumbTerminal),
        Failure::Panel(PanelError::Unsaved { why: None, kept: true }),
        Failure::Panel(PanelError::Unsaved { why: None, kept: false }),
        Failure::Panel(PanelError::Terminal(io::Error::from_raw_os_error(5))),
    ]
}

fn imports() -> Vec<ImportError> {
    let aegis = Format::Aegis;
    vec![
        ImportError::Empty,
        ImportError::Unknown,
        ImportError::NotJson("no valid JSON at line 1, column 9".into()),
        ImportError::MaybeEncrypted,
        ImportError::NothingFits,
        ImportError::PasswordNeeded(aegis),
        ImportError::WrongPassword(aegis),
        ImportError::Damaged { format: aegis, reason: "no valid JSON at line 1, column 9".into() },
        ImportError::Refused {
            format: Format::Bitwarden,
            reason: "it is restricted to the account. Export it as a password protected file".into(),
        },
        ImportError::Refused { format: Format::Duo, reason: "it holds no secrets".into() },
        ImportError::TooLarge { what: "the file", mib: 64 },
        ImportError::TooMany { what: "entries", limit: 100_000 },
        ImportError::Limits { format: aegis, what: "4 GiB of memory".into(), limit: "1 GiB" },
    ]
}

fn exports() -> Vec<ExportError> {
    let left_out = |n: u8| LeftOut { name: format!("Bank ({n})"), reason: "the format has no Mobile-OTP" };
    vec![
        ExportError::NotWritten(Format::Authy),
        ExportError::PasswordNeeded(Format::Proton),
        ExportError::NeverSealed(Format::UriList),
        ExportError::Empty,
        ExportError::NothingFits { format: Format::Proton, left_out: vec![left_out(1)] },
        ExportError::NothingFits { format: Format::Proton, left_out: (0..22).map(left_out).collect() },
    ]
}

fn vaults() -> Vec<Error> {
    vec![
        Error::Empty,
        Error::NotAVault,
        Error::TextDamaged,
        Error::Truncated { expected: 4448, found: 100 },
        Error::Trailing(5),
        Error::Newer { major: 2, minor: 0 },
        Error::Limits("there are too many key slots"),
        Error::Slots("one is cut short"),
        Error::Kdf(KdfError::Bounds(KdfParams { memory_kib: u32::MAX, passes: 1, lanes: 1 })),
        Error::Kdf(KdfError::Total(99_999)),
        Error::Kdf(KdfError::Memory),
        Error::NoSlot(SlotKind::Password),
        Error::NoSlot(SlotKind::Keychain),
        Error::NoSlot(SlotKind::Recovery),
        Error::NoSlot(SlotKind::PasswordAndKeychain),
        Error::NoSlot(SlotKind::Unknown(16)),
        Error::WrongKey,
        Error::Altered,
        Error::Payload(PayloadError { line: 3, column: 7, problem: "a stamp is missing" }),
    ]
}

fn files() -> Vec<FileError> {
    vec![
        FileError::Missing(vault()),
        FileError::Vanished(vault()),
        FileError::Exists(vault()),
        FileError::NotAFile(vault()),
        FileError::DiskFull(vault()),
        FileError::ReadOnly(vault()),
        FileError::Denied(vault()),
        FileError::Unconfirmed { path: vault(), source: io::Error::from_raw_os_error(5) },
        FileError::Io { path: vault(), source: io::Error::from_raw_os_error(5) },
        FileError::NotAVault(vault()),
        FileError::Newer { path: vault(), major: 2, minor: 0 },
        FileError::Damaged { path: vault(), error: Error::Empty },
        FileError::WrongVault(vault()),
        FileError::Rekeyed(vault()),
        FileError::Busy(vault()),
        FileError::TooMuch { path: vault(), error: Error::Limits("there are too many key slots") },
        FileError::Seal(Error::Limits("the payload is longer than 64 MiB")),
    ]
}

#[test]
fn every_report_reads_as_it_did() {
    let mut text = String::new();
    for (name, report) in all() {
        let _ = writeln!(text, "{name}, exit {}\n{}", report.exit.code(), format(&report, Style { colour: false }));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn every_report_has_three_parts_in_whole_sentences() {
    for (name, report) in all() {
        assert!(!report.problem.ends_with('.') && !report.problem.contains('\n'), "{name}: {}", report.problem);
        assert!(
            report.problem.chars().next().is_some_and(|c| c.is_uppercase() || "`/".contains(c)),
            "{name}: {}",
            report.problem
        );
        let listed = report.problem.contains(" matches ");
        assert!(report.cause.ends_with('.') || listed, "{name}: {}", report.cause);
        assert!(!report.cause.ends_with(".."), "{name}: {}", report.cause);
        assert!(!report.next.is_empty(), "{name}");
    }
}

/// What the panel has neither a key nor a screen for.
const COMMANDS_FOR_THE_PANEL: [&str; 7] = [
    "`otpanel doctor`",
    "`otpanel policy`",
    "`otpanel config check`",
    "`otpanel import --format`",
    "`otpanel import FILE`",
    "`otpanel vault history`",
    "`otpanel vault restore COPY`",
];

#[test]
fn the_panel_names_its_own_keys_and_no_command_that_it_can_do_itself() {
    let of_the_floors = ["account", "link", "import", "keychain", "unlock", "config"];
    for (name, report) in all().iter().filter(|(name, _)| of_the_floors.contains(&name.as_str())) {
        let next = COMMANDS_FOR_THE_PANEL
            .iter()
            .fold(report.next_in_panel().to_owned(), |next, command| next.replace(command, ""));
        for mark in ["--archive", "--format", "--password", "`otpanel", "the command again"] {
            assert!(!next.contains(mark), "{name}: {}", report.next_in_panel());
        }
    }
}
