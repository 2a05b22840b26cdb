//! KWallet as the keychain of a session, begun as a login begins it: no dialog, and a wallet that is open.

use std::io::{PipeWriter, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Stdio;

use rustix::io::{FdFlags, fcntl_setfd};

use super::{Daemon, LIMIT, Session, output, wait_until};

impl Session {
    /// Logs in: KWallet gets the wallet's key over a pipe and its environment over a socket, as from its PAM module. A wallet that
    /// it makes at a login is on the bus from the next one on.
    pub fn kwallet(&mut self) {
        let wallet = self.home.path().join(".local/share/kwalletd/kdewallet.kwl");
        if !wallet.exists() {
            self.log_in_to_kwallet();
            assert!(wait_until(LIMIT, || wallet.exists()), "KWallet made its wallet");
            self.log_out_of_kwallet();
        }
        self.log_in_to_kwallet();
        let ready = || self.ask("ReadAlias", &["string:default"]).contains("/collection/kdewallet");
        assert!(wait_until(LIMIT, ready), "KWallet offers its wallet");
    }

    fn log_in_to_kwallet(&mut self) {
        let (key, mut give): (_, PipeWriter) = std::io::pipe().unwrap();
        let place = self.home.path().join("run/kwallet");
        drop(std::fs::remove_file(&place));
        let environment = UnixListener::bind(&place).unwrap();
        fcntl_setfd(&key, FdFlags::empty()).unwrap();
        fcntl_setfd(&environment, FdFlags::empty()).unwrap();
        let mut daemon = self.command("kwalletd5");
        daemon.args(["--pam-login", &key.as_raw_fd().to_string(), &environment.as_raw_fd().to_string()]);
        daemon.env("PAM_KWALLET5_LOGIN", &place).env("QT_QPA_PLATFORM", "offscreen");
        let daemon = daemon.stdout(Stdio::null()).stderr(Stdio::null()).spawn().map(Daemon).unwrap();
        give.write_all(&[b'k'; 56]).unwrap();
        drop(UnixStream::connect(&place).unwrap());
        self.keyring = Some(daemon);
        assert!(wait_until(LIMIT, || self.owned()), "KWallet came up");
    }

    /// Logs out. KWallet writes what is new after five seconds, or when its wallet is closed.
    pub fn log_out_of_kwallet(&mut self) {
        self.close_wallet();
        self.kill_keyring();
    }

    /// Closes the wallet, as its user does in the tray.
    pub fn close_wallet(&self) {
        let mut close = self.command("dbus-send");
        close.args(["--session", "--print-reply", "--dest=org.kde.kwalletd5", "/modules/kwalletd5"]);
        let said = output(close.args(["org.kde.KWallet.close", "string:kdewallet", "boolean:true"]));
        assert!(said.contains("int32 0"), "{said}");
    }
}
