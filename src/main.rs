//! The program: parse, run, print the report, exit code.

fn main() {
    let demo = std::env::args().nth(1).as_deref() == Some("demo");
    let paths = otpanel::paths::Paths::from_env(None, None, None).expect("paths");
    let config = otpanel::config::Config::load(&paths.config_file).expect("config");
    otpanel::runtime::run(otpanel::runtime::Panel { paths, config, demo }).expect("panel");
}
