//! Just enough of D-Bus to ask the Secret Service one question in one breath: connect, authenticate, call, read.
//!
//! The general library starts an executor, threads and a key exchange before its first call; that costs more than the
//! keychain's own answer. Here login and first calls leave in one write (sd-bus does the same), and every wait ends at
//! one deadline. It follows no prompt and knows local sockets only: for the rest there is the platform's store. Signals are
//! kept for whoever asked the bus for them and waits. Source: D-Bus Specification 0.43, "Message Protocol" and
//! "Authentication Protocol".

mod wire;

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use zeroize::Zeroizing;

pub(super) use self::wire::{Arg, Body, Reader, Writer};

/// More than any answer needs; a peer that says more is not believed.
const MAX_MESSAGE: usize = 16 << 20;
/// So many signals may wait while an answer is awaited; what comes beyond is dropped.
const MAX_SIGNALS: usize = 256;

/// Why a question got no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BusError {
    /// No bus listens at the address.
    NoBus,
    /// An address of a kind that only the general library can reach.
    Address,
    /// The deadline passed.
    Timeout,
    /// The bus closed the connection, refused the login or spoke nonsense.
    Broken,
    /// The called side answered with an error: its name, never its text.
    Refused(String),
}

impl BusError {
    fn io(error: &std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Self::Timeout,
            _ => Self::Broken,
        }
    }
}

/// Whom to call and what.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) to: &'a str,
    pub(super) path: &'a str,
    pub(super) interface: &'a str,
    pub(super) member: &'a str,
}

/// What somebody tells everybody who asked for it.
pub(super) struct Signal {
    pub(super) interface: String,
    pub(super) member: String,
    pub(super) body: Body,
}

/// A message that came in.
enum Message {
    /// To the call of this number.
    Answer(u32, Result<Body, BusError>),
    Signal(Signal),
    /// Nothing that anybody here waits for.
    Other,
}

/// A connection to the session bus with a deadline for everything that happens on it.
pub(super) struct Bus {
    stream: UnixStream,
    /// None: waits as long as it takes.
    deadline: Option<Instant>,
    out: Zeroizing<Vec<u8>>,
    input: Zeroizing<Vec<u8>>,
    logged_in: bool,
    serial: u32,
    /// Answers that came before they were asked for.
    early: Vec<(u32, Result<Body, BusError>)>,
    /// Signals that came and were not taken yet.
    signals: VecDeque<Signal>,
}

impl Bus {
    /// Connects to the first reachable address of the list (`DBUS_SESSION_BUS_ADDRESS`), without waiting for the login.
    pub(super) fn connect(addresses: &str, deadline: Instant) -> Result<Self, BusError> {
        let mut error = BusError::Address;
        for address in addresses.split(';').filter(|address| !address.is_empty()) {
            match open(address) {
                Ok(stream) => {
                    let uid = rustix::process::getuid().as_raw().to_string();
                    let uid = data_encoding::HEXLOWER.encode(uid.as_bytes());
                    let mut bus = Self::over(stream, deadline);
                    bus.out.extend_from_slice(format!("\0AUTH EXTERNAL {uid}\r\nBEGIN\r\n").as_bytes());
                    bus.send(Call { member: "Hello", ..BUS }, &[]);
                    return Ok(bus);
                }
                Err(e) => error = e,
            }
        }
        Err(error)
    }

    /// A connection that has said nothing yet.
    pub(super) fn over(stream: UnixStream, deadline: Instant) -> Self {
        Self {
            stream,
            deadline: Some(deadline),
            out: Zeroizing::default(),
            input: Zeroizing::default(),
            logged_in: false,
            serial: 0,
            early: Vec::new(),
            signals: VecDeque::new(),
        }
    }

    /// Queues a call; it leaves with the next wait for an answer. Returns the number to wait for.
    pub(super) fn send(&mut self, call: Call<'_>, args: &[Arg<'_>]) -> u32 {
        self.serial += 1;
        let mut signature = String::new();
        let mut body = Writer::default();
        for arg in args {
            signature.push_str(arg.signature());
            body.arg(arg);
        }
        let mut message = Writer::default();
        message.bytes(&[b'l', 1, 0, 1]);
        message.u32(body.0.len() as u32);
        message.u32(self.serial);
        message.array(8, |fields| {
            for (code, kind, text) in
                [(1, 'o', call.path), (2, 's', call.interface), (3, 's', call.member), (6, 's', call.to)]
            {
                fields.align(8);
                fields.bytes(&[code, 1, kind as u8, 0]);
                fields.str(text);
            }
            if !signature.is_empty() {
                fields.align(8);
                fields.bytes(&[8, 1, b'g', 0]);
                fields.signature(&signature);
            }
        });
        message.align(8);
        self.out.extend_from_slice(&message.0);
        self.out.extend_from_slice(&body.0);
        self.serial
    }

    /// Waits for the answer to a call.
    pub(super) fn answer(&mut self, serial: u32) -> Result<Body, BusError> {
        self.flush()?;
        loop {
            if let Some(at) = self.early.iter().position(|(early, _)| *early == serial) {
                return self.early.swap_remove(at).1;
            }
            self.sort()?;
            if !self.early.iter().any(|(early, _)| *early == serial) {
                self.fill()?;
            }
        }
    }

    /// From now on everything has to happen before then; without a deadline waiting has no end.
    pub(super) fn until(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    /// Waits for a signal of those that the bus was asked for, or that anybody sends here.
    pub(super) fn signal(&mut self) -> Result<Signal, BusError> {
        self.flush()?;
        loop {
            if let Some(signal) = self.signals.pop_front() {
                return Ok(signal);
            }
            self.sort()?;
            if self.signals.is_empty() {
                self.fill()?;
            }
        }
    }

    /// Puts what has come in where it is waited for.
    fn sort(&mut self) -> Result<(), BusError> {
        self.login()?;
        while self.logged_in
            && let Some(message) = self.message()?
        {
            match message {
                Message::Answer(serial, answer) => self.early.push((serial, answer)),
                Message::Signal(signal) if self.signals.len() < MAX_SIGNALS => self.signals.push_back(signal),
                Message::Signal(_) | Message::Other => {}
            }
        }
        Ok(())
    }

    /// Calls and waits.
    pub(super) fn call(&mut self, call: Call<'_>, args: &[Arg<'_>]) -> Result<Body, BusError> {
        let serial = self.send(call, args);
        self.answer(serial)
    }

    /// How long it may still take; none: as long as it takes.
    fn left(&self) -> Result<Option<Duration>, BusError> {
        let Some(deadline) = self.deadline else { return Ok(None) };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(BusError::Timeout) } else { Ok(Some(left)) }
    }

    /// Sends what is queued.
    pub(super) fn flush(&mut self) -> Result<(), BusError> {
        if self.out.is_empty() {
            return Ok(());
        }
        self.stream.set_write_timeout(self.left()?).map_err(|e| BusError::io(&e))?;
        let out = std::mem::take(&mut self.out);
        self.stream.write_all(&out).map_err(|e| BusError::io(&e))
    }

    fn fill(&mut self) -> Result<(), BusError> {
        self.stream.set_read_timeout(self.left()?).map_err(|e| BusError::io(&e))?;
        let mut chunk = Zeroizing::new([0; 16384]);
        match self.stream.read(&mut chunk[..]) {
            Ok(0) => Err(BusError::Broken),
            Ok(n) => {
                self.input.extend_from_slice(&chunk[..n]);
                Ok(())
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => Ok(()),
            Err(e) => Err(BusError::io(&e)),
        }
    }

    /// Takes the login's one line off the input, once it is all there.
    fn login(&mut self) -> Result<(), BusError> {
        if self.logged_in {
            return Ok(());
        }
        let Some(end) = self.input.windows(2).position(|pair| pair == b"\r\n") else {
            return if self.input.len() > 4096 { Err(BusError::Broken) } else { Ok(()) };
        };
        if !self.input.starts_with(b"OK ") {
            return Err(BusError::Broken);
        }
        self.input.drain(..end + 2);
        self.logged_in = true;
        Ok(())
    }

    /// Takes one whole message off the input, if there is one yet.
    fn message(&mut self) -> Result<Option<Message>, BusError> {
        let Some(head) = self.input.first_chunk::<16>() else { return Ok(None) };
        if head[0] != b'l' {
            return Err(BusError::Broken);
        }
        let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]) as usize;
        let (kind, body_len, fields_len) = (head[1], number(4), number(12));
        if body_len > MAX_MESSAGE || fields_len > MAX_MESSAGE {
            return Err(BusError::Broken);
        }
        let body_at = (16 + fields_len).next_multiple_of(8);
        if self.input.len() < body_at + body_len {
            return Ok(None);
        }
        let whole: Zeroizing<Vec<u8>> = Zeroizing::new(self.input.drain(..body_at + body_len).collect());
        let mut fields = Reader::new(&whole[..16 + fields_len], 16);
        let (mut answers, mut error) = (None, String::new());
        let (mut interface, mut member) = (String::new(), String::new());
        while !fields.at_end() {
            fields.align(8)?;
            let code = fields.u8()?;
            match (code, fields.signature()?) {
                (2, "s") => interface.push_str(fields.str()?),
                (3, "s") => member.push_str(fields.str()?),
                (4, "s") => error.push_str(fields.str()?),
                (5, "u") => answers = Some(fields.u32()?),
                (_, "u") => drop(fields.u32()?),
                (_, "s" | "o") => drop(fields.str()?),
                (_, "g") => drop(fields.signature()?),
                _ => return Err(BusError::Broken),
            }
        }
        let body = || Body::new(&whole[body_at..]);
        Ok(Some(match (kind, answers) {
            (2, Some(serial)) => Message::Answer(serial, Ok(body())),
            (3, Some(serial)) => Message::Answer(serial, Err(BusError::Refused(error))),
            (4, _) => Message::Signal(Signal { interface, member, body: body() }),
            _ => Message::Other,
        }))
    }
}

/// The bus itself; the member is left to fill in.
pub(super) const BUS: Call<'static> =
    Call { to: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus", member: "" };

/// Opens the socket of one address, `unix:path=…` or `unix:abstract=…`, without ever blocking in it.
fn open(address: &str) -> Result<UnixStream, BusError> {
    let (transport, keys) = address.split_once(':').ok_or(BusError::Address)?;
    if transport != "unix" {
        return Err(BusError::Address);
    }
    let mut target = None;
    for (key, value) in keys.split(',').filter_map(|pair| pair.split_once('=')) {
        let value = percent_encoding::percent_decode_str(value).collect::<Vec<u8>>();
        match key {
            "path" => target = Some(SocketAddrUnix::new(value)),
            #[cfg(target_os = "linux")]
            "abstract" => target = Some(SocketAddrUnix::new_abstract_name(&value)),
            _ => {}
        }
    }
    let target = target.ok_or(BusError::Address)?.map_err(|_| BusError::Address)?;
    let socket = rustix::net::socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        None,
    )
    .map_err(|_| BusError::Broken)?;
    rustix::net::connect(&socket, &target).map_err(|error| match error {
        rustix::io::Errno::AGAIN => BusError::Timeout,
        _ => BusError::NoBus,
    })?;
    let stream = UnixStream::from(socket);
    stream.set_nonblocking(false).map_err(|e| BusError::io(&e))?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A connection to a peer that has already said all that it will say.
    fn hearing(said: &[u8]) -> Bus {
        let (stream, mut peer) = UnixStream::pair().unwrap();
        peer.write_all(said).unwrap();
        Bus::over(stream, Instant::now() + Duration::from_secs(5))
    }

    /// An answer or error to the call with the number.
    fn answer(kind: u8, serial: u32, error: &str, body: &str) -> Vec<u8> {
        let mut text = Writer::default();
        text.str(body);
        let mut message = Writer::default();
        message.bytes(&[b'l', kind, 0, 1]);
        message.u32(text.0.len() as u32);
        message.u32(9);
        message.array(8, |fields| {
            fields.bytes(&[5, 1, b'u', 0]);
            fields.u32(serial);
            if !error.is_empty() {
                fields.align(8);
                fields.bytes(&[4, 1, b's', 0]);
                fields.str(error);
            }
        });
        message.align(8);
        [message.0, text.0].concat()
    }

    #[test]
    fn answers_may_come_in_any_order_and_among_signals() {
        let said = [b"OK 00ff\r\n".to_vec(), answer(4, 7, "", ""), answer(2, 2, "", "two"), answer(2, 1, "", "one")];
        let mut bus = hearing(&said.concat());
        assert_eq!(bus.answer(1).unwrap().read().str(), Ok("one"));
        assert_eq!(bus.answer(2).unwrap().read().str(), Ok("two"));
        assert!(matches!(bus.answer(3), Err(BusError::Broken)), "the peer is gone");
    }

    #[test]
    fn signals_are_kept_while_an_answer_is_awaited_and_not_without_end() {
        let signal = |body| answer(4, 7, "", body);
        let mut said = [b"OK 00ff\r\n".to_vec(), signal("first"), answer(2, 1, "", "one"), signal("second")].concat();
        let mut bus = hearing(&said);
        assert_eq!(bus.answer(1).unwrap().read().str(), Ok("one"));
        let heard = |bus: &mut Bus| bus.signal().map(|signal| signal.body.read().str().map(str::to_owned));
        assert_eq!(heard(&mut bus), Ok(Ok("first".into())));
        assert_eq!(heard(&mut bus), Ok(Ok("second".into())));
        assert_eq!(heard(&mut bus), Err(BusError::Broken), "the peer is gone");
        said = b"OK 00ff\r\n".to_vec();
        (0..2 * MAX_SIGNALS).for_each(|_| said.extend(signal("x")));
        said.extend(answer(2, 1, "", "one"));
        let mut bus = hearing(&said);
        assert_eq!(bus.answer(1).unwrap().read().str(), Ok("one"));
        assert_eq!(bus.signals.len(), MAX_SIGNALS);
    }

    #[test]
    fn a_wait_for_signals_ends_at_its_deadline_and_the_next_one_goes_on() {
        let (stream, mut peer) = UnixStream::pair().unwrap();
        peer.write_all(b"OK 00ff\r\n").unwrap();
        let mut bus = Bus::over(stream, Instant::now());
        bus.until(Some(Instant::now() + Duration::from_millis(30)));
        assert_eq!(bus.signal().err(), Some(BusError::Timeout));
        bus.until(None);
        peer.write_all(&answer(4, 7, "", "late")).unwrap();
        assert_eq!(bus.signal().unwrap().body.read().str(), Ok("late"));
    }

    #[test]
    fn an_error_comes_by_its_name_and_never_with_its_text() {
        let mut bus = hearing(&[b"OK x\r\n".to_vec(), answer(3, 1, "org.x.Locked", "secret")].concat());
        assert_eq!(bus.answer(1).err(), Some(BusError::Refused("org.x.Locked".into())));
    }

    #[test]
    fn a_refused_login_and_absurd_lengths_are_broken() {
        assert_eq!(hearing(b"REJECTED EXTERNAL\r\n").answer(1).err(), Some(BusError::Broken));
        assert_eq!(
            hearing(b"OK x\r\nl\x02\0\x01\xff\xff\xff\xff\x01\0\0\0\xff\xff\xff\xff").answer(1).err(),
            Some(BusError::Broken)
        );
    }

    #[test]
    fn addresses_are_tried_in_turn_and_foreign_ones_told_apart() {
        let deadline = Instant::now() + Duration::from_secs(1);
        assert_eq!(Bus::connect("tcp:host=localhost,port=1", deadline).err(), Some(BusError::Address));
        assert_eq!(Bus::connect("unix:path=/no/such/socket", deadline).err(), Some(BusError::NoBus));
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("a bus");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let escaped = socket.to_str().unwrap().replace(' ', "%20");
        assert!(Bus::connect(&format!("unix:path=/no/such;unix:path={escaped},guid=00"), deadline).is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_bytes_from_the_bus_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let said = [b"OK x\r\nl\x02\0\x01\x04\0\0\0\x01\0\0\0\x10\0\0\0".as_slice(), &bytes].concat();
            drop(hearing(&said).answer(1));
            drop(hearing(&said).signal());
        }
    }
}
