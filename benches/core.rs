//! What the panel does often or must do fast, measured: `cargo bench`. `tests/run` goes once through each.

use otpanel::config::{self, Config};

fn main() {
    divan::main();
}

/// Reading the settings, which stands before the first frame.
#[divan::bench]
fn config_example() -> Config {
    config::parse(divan::black_box(Config::example())).expect("the example is good")
}
