//! What the panel does often or must do fast, measured: `cargo bench`. `tests/run` goes once through each.

use std::hint::black_box;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use divan::Bencher;
use otpanel::app::model::Start;
use otpanel::app::order::{Order, Uses};
use otpanel::app::rows::{Rows, Tab};
use otpanel::app::search::Searcher;
use otpanel::app::{Event, Model, update};
use otpanel::config::{self, Config};
use otpanel::otp::{Account, Kind, Seed, code, uri};
use otpanel::secret::Secret;
use otpanel::time::UnixTime;
use otpanel::tui::theme::Theme;
use otpanel::tui::view;
use otpanel::vault::kdf::KdfParams;
use otpanel::vault::slots::{Fresh, Slot};
use otpanel::vault::{DataKey, DeviceId, EntryId, Key, Locked, SlotId, Stamp, State, Unlocked, VaultId, payload};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

/// Accounts in a vault: a few, many, far too many.
const SIZES: &[usize] = &[10, 1_000, 10_000];

const NOW: UnixTime = UnixTime::from_secs(1_111_111_109);

fn main() {
    divan::main();
}

/// A state of so many accounts, names and seeds all different.
fn state(accounts: usize) -> State {
    let mut state = State::default();
    for n in 0..accounts as u64 {
        let mut seed = vec![0x5a; 20];
        seed[..8].copy_from_slice(&n.to_le_bytes());
        let seed = Seed::new(seed).expect("20 bytes are a seed");
        let account = Account::new(format!("Site {}", n % 400), format!("ada{n}@example.com"), Kind::totp(), seed);
        let mut id = [0; 16];
        id[..8].copy_from_slice(&(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_be_bytes());
        let stamp = Stamp { time: 1_700_000_000_000 + n, device: DeviceId([1; 8]) };
        state.add(EntryId(id), &account, "personal", "a link", stamp);
    }
    state
}

fn data_key() -> DataKey {
    DataKey::new(Secret::new([7; 32]))
}

fn vault(accounts: usize) -> Unlocked {
    let (id, key) = (VaultId([3; 16]), data_key());
    let fresh = Fresh { id: SlotId([4; 16]), salt: [5; 32] };
    let slot = Slot::wrap(&key, id, Key::Keychain(&Secret::new([6; 32])), KdfParams::DEFAULT, &fresh);
    Unlocked::create(id, key, vec![slot.expect("no password takes part")], state(accounts))
}

fn panel(accounts: usize) -> Model {
    let start = Start {
        config: Box::default(),
        device: DeviceId([1; 8]),
        seed: Secret::new([2; 32]),
        now: NOW,
        size: (80, 24),
        profile: String::from("personal"),
        vault_path: String::from("vault.otpv"),
    };
    Model::demo(start, vault(accounts))
}

fn press(model: &mut Model, key: KeyCode) -> usize {
    update(model, Event::Key(KeyEvent::new(key, KeyModifiers::NONE))).len()
}

/// From the file's bytes to accounts, without deriving a key.
#[divan::bench(args = SIZES)]
fn open(bencher: Bencher, accounts: usize) {
    let (bytes, key) = (vault(accounts).seal([9; 32]).expect("sealed"), data_key());
    bencher
        .with_inputs(|| bytes.clone())
        .bench_values(|bytes| Locked::parse(bytes).and_then(|locked| locked.open_with(&key)).is_ok());
}

/// From the payload's text to accounts: below 10 microseconds each.
#[divan::bench(args = SIZES)]
fn decode(bencher: Bencher, accounts: usize) {
    let text = payload::encode(&state(accounts));
    bencher.bench(|| payload::decode(black_box(text.expose())).is_ok());
}

/// From accounts to the file's bytes.
#[divan::bench(args = SIZES)]
fn seal(bencher: Bencher, accounts: usize) {
    let vault = vault(accounts);
    bencher.bench(|| black_box(&vault).seal([9; 32]).map(|bytes| bytes.len()).ok());
}

/// Two copies of a vault that differ in nothing, as a save joins them.
#[divan::bench(args = SIZES)]
fn join(bencher: Bencher, accounts: usize) {
    let (one, two) = (state(accounts), state(accounts));
    bencher.with_inputs(|| one.clone()).bench_values(|mut one| one.join(&two));
}

/// A second that passes, and its frame of 80 x 24: the same for few and for many accounts.
#[divan::bench(args = SIZES)]
fn frame(bencher: Bencher, accounts: usize) {
    let (mut model, theme) = (panel(accounts), Theme::named("terminal").expect("it ships with the program"));
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).expect("a backend in memory");
    let mut now = NOW;
    bencher.bench_local(|| {
        now = now.plus_secs(1);
        update(&mut model, Event::Tick(now));
        terminal.draw(|frame| view(&model, &theme, frame)).map(|_| ()).expect("a backend in memory");
    });
}

/// A key that moves, and its frame.
#[divan::bench(args = SIZES)]
fn key(bencher: Bencher, accounts: usize) {
    let (mut model, theme) = (panel(accounts), Theme::named("terminal").expect("it ships with the program"));
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).expect("a backend in memory");
    bencher.bench_local(|| {
        press(&mut model, KeyCode::Down);
        terminal.draw(|frame| view(&model, &theme, frame)).map(|_| ()).expect("a backend in memory");
    });
}

/// The fuzzy search over all names, as each letter of a query starts it.
#[divan::bench(args = SIZES)]
fn search(bencher: Bencher, accounts: usize) {
    let (rows, mut searcher) = (Rows::sorted(&state(accounts), Order::Issuer, &Uses::new()), Searcher::default());
    bencher.bench_local(|| searcher.rank(black_box(&rows.all), &Tab::All, black_box("ada19")).len());
}

/// One code, as drawing a row makes it.
#[divan::bench]
fn code_sha1(bencher: Bencher) {
    let account = Account::new("Site", "ada", Kind::totp(), Seed::new(vec![0x5a; 20]).expect("20 bytes are a seed"));
    bencher.bench(|| code::code_at(black_box(&account), NOW).is_some());
}

/// One link.
#[divan::bench]
fn link() -> bool {
    uri::parse(black_box("otpauth://totp/Site:ada@example.com?secret=JBSWY3DPEHPK3PXP&issuer=Site&digits=8")).is_ok()
}

/// Reading the settings, which stands before the first frame.
#[divan::bench]
fn config() -> Config {
    config::parse(black_box(Config::example())).expect("the example is good")
}
