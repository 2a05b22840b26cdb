//! The form that adds and edits an account, with its errors at their fields.

use data_encoding::HEXLOWER;

use super::input::Input;
use super::owner::Owner;
use crate::otp::uri::UriError;
use crate::otp::{Account, Algorithm, Digits, Kind, ParamError, Period, Pin, Seed, base32, motp, uri, yandex};
use crate::secret::Secret;
use crate::text::{clean, is_blank};
use crate::vault::{Entry, EntryId};

/// A line of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The issuer.
    Issuer,
    /// The account's name.
    Account,
    /// The secret, or a whole link.
    Secret,
    /// The kind of code: chosen, not typed.
    Kind,
    /// The PIN of mOTP and Yandex.
    Pin,
    /// SHA-1, SHA-256, SHA-512: chosen.
    Algorithm,
    /// Digits.
    Digits,
    /// Seconds.
    Period,
    /// The counter to use next.
    Counter,
    /// Whose it is: chosen, where there is a choice.
    Owner,
    /// Tags, separated by commas.
    Tags,
    /// A note.
    Note,
}

impl Field {
    /// Its label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::Account => "account",
            Self::Secret => "secret",
            Self::Kind => "kind",
            Self::Pin => "PIN",
            Self::Algorithm => "algorithm",
            Self::Digits => "digits",
            Self::Period => "period, s",
            Self::Counter => "counter",
            Self::Owner => "belongs to",
            Self::Tags => "tags",
            Self::Note => "note",
        }
    }

    /// Whether left and right choose its value.
    pub const fn is_choice(self) -> bool {
        matches!(self, Self::Kind | Self::Algorithm | Self::Owner)
    }
}

/// The kinds in the order in which the form offers them.
pub const KINDS: [&str; 5] = ["totp", "hotp", "steam", "motp", "yandex"];
const ALGORITHMS: [Algorithm; 3] = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512];

/// The form's values and where the cursor is.
pub struct Form {
    /// The entry that is edited, none for a new one.
    pub editing: Option<EntryId>,
    /// Where the account came from, for its entry.
    pub source: &'static str,
    /// The field that is typed into.
    pub focus: Field,
    /// Errors are shown at all fields once a save was tried, before that only at fields that were typed into.
    pub tried: bool,
    /// Show the secret's letters.
    pub show_secret: bool,
    /// Whose the new account will be, where that can be chosen.
    pub owner: Option<Owner>,
    /// Why the last paste was not taken, until the next key: said at the secret.
    refused: Option<String>,
    /// An account that came without its secret is given one.
    pub enrols: bool,
    /// What became of the account elsewhere while it was edited, and what saving does now.
    pub gone: Option<&'static str>,
    kept: Option<Kept>,
    issuer: Input,
    account: Input,
    secret: Input,
    pin: Input,
    digits: Input,
    period: Input,
    counter: Input,
    tags: Input,
    note: Input,
    kind: usize,
    algorithm: usize,
    favourite: bool,
}

/// A secret that an edit keeps and the form does not show.
struct Kept {
    organisation: String,
    seed: Seed,
    pin: Option<Pin>,
}

impl Form {
    /// An empty form.
    pub fn new() -> Self {
        Self {
            editing: None,
            source: "typed in",
            focus: Field::Issuer,
            tried: false,
            show_secret: false,
            owner: None,
            refused: None,
            enrols: false,
            gone: None,
            kept: None,
            issuer: Input::default(),
            account: Input::default(),
            secret: Input::default(),
            pin: Input::default(),
            digits: Input::with("6"),
            period: Input::with("30"),
            counter: Input::with("0"),
            tags: Input::default(),
            note: Input::default(),
            kind: 0,
            algorithm: 0,
            favourite: false,
        }
    }

    /// A form filled from an account: from a pasted link, or the entry that is edited.
    pub fn filled(account: &Account, editing: Option<EntryId>) -> Self {
        let mut form = Self::new();
        form.fill(account);
        form.editing = editing;
        form
    }

    /// A form that waits for the names of a pasted secret.
    pub fn with_secret(secret: &str) -> Self {
        let mut form = Self::new();
        form.secret = Input::with(secret);
        form.source = "a pasted secret";
        form
    }

    /// A form with all that is known of an account that came without its secret.
    pub fn to_enrol(entry: &Entry) -> Self {
        let mut form = Self::new();
        form.editing = Some(entry.id);
        form.enrols = true;
        form.focus = Field::Secret;
        form.issuer = Input::with(entry.issuer());
        form.account = Input::with(entry.name());
        form.note = Input::with(entry.note());
        form.tags = Input::with(&entry.tags().collect::<Vec<_>>().join(", "));
        form.favourite = entry.favourite();
        form.kind = KINDS.iter().position(|k| *k == entry.kind_name()).unwrap_or(0);
        if let Ok(kind) = entry.kind() {
            form.fill_kind(&kind);
        }
        form
    }

    /// Takes the secret of the account that is edited out of the form: it stays as it is unless another is typed. For
    /// accounts whose organisation does not allow that it is shown.
    pub fn keep(&mut self, account: &Account, organisation: &str) {
        self.secret.clear();
        self.pin.clear();
        let pin = match &account.kind {
            Kind::Motp { pin } | Kind::Yandex { pin } => Some(pin.duplicate()),
            Kind::Totp { .. } | Kind::Hotp { .. } | Kind::Steam => None,
        };
        let organisation = clean(organisation).into_owned();
        self.kept = Some(Kept { organisation, seed: account.seed.duplicate(), pin });
    }

    /// Whether a field's letters are dots: an edit shows a stored secret only when it is asked to, wherever the cursor is;
    /// what is typed for a new account can be read while it is typed.
    pub fn masks(&self, field: Field) -> bool {
        let is_stored = self.editing.is_some() && !self.enrols && self.kept.is_none();
        matches!(field, Field::Secret | Field::Pin) && !self.show_secret && (is_stored || field != self.focus)
    }

    /// Why a field stands empty although it has a value.
    pub fn kept(&self, field: Field) -> Option<String> {
        let kept = self.kept.as_ref()?;
        let has = field == Field::Secret || (field == Field::Pin && kept.pin.is_some());
        let words = || format!("kept; {} does not allow it to be shown", kept.organisation);
        (has && self.input(field)?.is_empty()).then(words)
    }

    /// Takes a pasted link in: into a form that enrols its secret alone, into any other everything.
    pub fn take(&mut self, account: &Account) {
        if self.enrols {
            let names =
                [&self.issuer, &self.account, &self.note, &self.tags].map(|line| Secret::new(line.text().to_owned()));
            let favourite = self.favourite;
            self.fill(account);
            let [issuer, name, note, tags] = names.map(|text| Input::with(text.expose()));
            (self.issuer, self.account, self.note, self.tags) = (issuer, name, note, tags);
            self.favourite = favourite;
        } else {
            self.fill(account);
        }
    }

    fn fill(&mut self, account: &Account) {
        self.issuer = Input::with(&account.issuer);
        self.account = Input::with(&account.account);
        self.secret = match account.kind {
            Kind::Motp { .. } => Input::with(Secret::new(HEXLOWER.encode(account.seed.expose())).expose()),
            _ => Input::with(base32::encode(account.seed.expose()).expose()),
        };
        self.note = Input::with(&account.note);
        self.tags = Input::with(&account.groups.join(", "));
        self.favourite = account.favourite;
        self.fill_kind(&account.kind);
    }

    fn fill_kind(&mut self, kind: &Kind) {
        self.kind = KINDS.iter().position(|k| *k == kind.name()).unwrap_or(0);
        match kind {
            Kind::Totp { algorithm, digits, period } => {
                self.algorithm = ALGORITHMS.iter().position(|a| a == algorithm).unwrap_or(0);
                self.digits = Input::with(&digits.get().to_string());
                self.period = Input::with(&period.secs().to_string());
            }
            Kind::Hotp { algorithm, digits, counter } => {
                self.algorithm = ALGORITHMS.iter().position(|a| a == algorithm).unwrap_or(0);
                self.digits = Input::with(&digits.get().to_string());
                self.counter = Input::with(&counter.to_string());
            }
            Kind::Steam => {}
            Kind::Motp { pin } | Kind::Yandex { pin } => self.pin = Input::with(pin.expose()),
        }
    }

    /// The fields that the chosen kind has, from top to bottom.
    pub fn fields(&self) -> Vec<Field> {
        let mut fields = vec![Field::Issuer, Field::Account, Field::Secret, Field::Kind];
        match KINDS[self.kind] {
            "totp" => fields.extend([Field::Algorithm, Field::Digits, Field::Period]),
            "hotp" => fields.extend([Field::Algorithm, Field::Digits, Field::Counter]),
            "steam" => {}
            _ => fields.push(Field::Pin),
        }
        if self.owner.is_some() {
            fields.push(Field::Owner);
        }
        fields.extend([Field::Tags, Field::Note]);
        fields
    }

    /// The line of a typed field; none for the chosen ones.
    pub fn input(&self, field: Field) -> Option<&Input> {
        Some(match field {
            Field::Issuer => &self.issuer,
            Field::Account => &self.account,
            Field::Secret => &self.secret,
            Field::Pin => &self.pin,
            Field::Digits => &self.digits,
            Field::Period => &self.period,
            Field::Counter => &self.counter,
            Field::Tags => &self.tags,
            Field::Note => &self.note,
            Field::Kind | Field::Algorithm | Field::Owner => return None,
        })
    }

    /// The line that is typed into.
    pub fn input_mut(&mut self) -> Option<&mut Input> {
        Some(match self.focus {
            Field::Issuer => &mut self.issuer,
            Field::Account => &mut self.account,
            Field::Secret => &mut self.secret,
            Field::Pin => &mut self.pin,
            Field::Digits => &mut self.digits,
            Field::Period => &mut self.period,
            Field::Counter => &mut self.counter,
            Field::Tags => &mut self.tags,
            Field::Note => &mut self.note,
            Field::Kind | Field::Algorithm | Field::Owner => return None,
        })
    }

    /// The chosen value of a field that is chosen.
    pub fn choice(&self, field: Field) -> &str {
        match field {
            Field::Kind => KINDS[self.kind],
            Field::Owner => self.owner.as_ref().map_or("", Owner::words),
            _ => ALGORITHMS[self.algorithm].title(),
        }
    }

    /// Chooses the next value (or the one before) of the field in focus.
    pub fn choose(&mut self, back: bool) {
        let step = |at: usize, n: usize| if back { (at + n - 1) % n } else { (at + 1) % n };
        match self.focus {
            Field::Kind => self.kind = step(self.kind, KINDS.len()),
            Field::Owner => {
                if let Some(owner) = &mut self.owner {
                    owner.turn();
                }
            }
            Field::Algorithm => self.algorithm = step(self.algorithm, ALGORITHMS.len()),
            _ => {}
        }
    }

    /// Moves to the next field (or the one before), round the form.
    pub fn go(&mut self, back: bool) {
        let fields = self.fields();
        let at = fields.iter().position(|f| *f == self.focus).unwrap_or(0);
        let n = fields.len();
        self.focus = fields[if back { (at + n - 1) % n } else { (at + 1) % n }];
    }

    /// A link typed or pasted into the secret's line fills the whole form.
    pub fn take_link(&mut self) {
        if self.secret.text().contains("://")
            && let Ok(account) = uri::parse(self.secret.text())
        {
            self.take(&account);
        }
    }

    /// Says why a pasted link was not taken; the next key takes the words away.
    pub fn refuse(&mut self, error: Option<&UriError>) {
        self.refused = error.map(|error| match error {
            UriError::Several => String::from("these are several links: leave the form and paste them into the list"),
            other => other.to_string(),
        });
    }

    /// What is wrong with the value of a field now.
    pub fn error(&self, field: Field) -> Option<String> {
        let say = |e: ParamError| Some(e.to_string());
        match field {
            Field::Secret if self.refused.is_some() => self.refused.clone(),
            Field::Secret if uri::holds_link(self.secret.text()) => Some(
                uri::parse(self.secret.text())
                    .err()
                    .map_or_else(|| String::from("a link, not a secret"), |e| e.to_string()),
            ),
            Field::Secret => self.seed().err().and_then(say),
            Field::Digits => self.digits().err().and_then(say),
            Field::Period => self.period().err().and_then(say),
            Field::Counter => self.counter().err().and_then(say),
            Field::Pin => self.pin().err().and_then(say),
            Field::Issuer if is_blank(self.issuer.text()) && is_blank(self.account.text()) => {
                Some(String::from("a name is needed: an issuer, an account or both"))
            }
            _ => None,
        }
    }

    /// Whether a field's error should show yet: it was typed into, or a save was tried.
    pub fn shows_error(&self, field: Field) -> bool {
        let refused = field == Field::Secret && self.refused.is_some();
        self.tried || refused || (field != Field::Issuer && self.input(field).is_some_and(|line| !line.is_empty()))
    }

    /// The first field with an error.
    pub fn first_error(&self) -> Option<Field> {
        self.fields().into_iter().find(|f| self.error(*f).is_some())
    }

    fn seed(&self) -> Result<Seed, ParamError> {
        if let Some(kept) = self.kept.as_ref().filter(|_| self.secret.is_empty()) {
            return Ok(kept.seed.duplicate());
        }
        match KINDS[self.kind] {
            "motp" => motp::seed(self.secret.text().trim()),
            "yandex" => yandex::seed(base32::bytes(self.secret.text())?),
            _ => base32::decode(self.secret.text()),
        }
    }

    fn digits(&self) -> Result<Digits, ParamError> {
        let text = self.digits.text().trim();
        Digits::new(text.parse().map_err(|_| ParamError::Digits(number_text(text)))?)
    }

    fn period(&self) -> Result<Period, ParamError> {
        let text = self.period.text().trim();
        Period::new(text.parse().map_err(|_| ParamError::Period(number_text(text)))?)
    }

    fn counter(&self) -> Result<u64, ParamError> {
        let text = self.counter.text().trim();
        text.parse().ok().and_then(|n| uri::counter(Some(n)).ok()).ok_or_else(|| ParamError::Counter(number_text(text)))
    }

    fn pin(&self) -> Result<Pin, ParamError> {
        if let Some(pin) = self.kept.as_ref().and_then(|kept| kept.pin.as_ref()).filter(|_| self.pin.is_empty()) {
            return Ok(pin.duplicate());
        }
        Pin::new(self.pin.text().to_owned())
    }

    /// The account that the form describes; none while a value is wrong. Names may be missing: the preview shows a code
    /// as soon as the secret is there.
    pub fn account(&self) -> Option<Account> {
        let algorithm = ALGORITHMS[self.algorithm];
        let kind = match KINDS[self.kind] {
            "totp" => Kind::Totp { algorithm, digits: self.digits().ok()?, period: self.period().ok()? },
            "hotp" => Kind::Hotp { algorithm, digits: self.digits().ok()?, counter: self.counter().ok()? },
            "steam" => Kind::Steam,
            "motp" => Kind::Motp { pin: self.pin().ok()? },
            _ => Kind::Yandex { pin: self.pin().ok()? },
        };
        let mut account = Account::new(self.issuer.text().trim(), self.account.text().trim(), kind, self.seed().ok()?);
        self.note.text().trim().clone_into(&mut account.note);
        account.favourite = self.favourite;
        let tags = self.tags.text().split(',').map(str::trim).filter(|t| !t.is_empty());
        account.groups = tags.map(str::to_owned).collect();
        account.groups.sort();
        account.groups.dedup();
        Some(account)
    }
}

impl Default for Form {
    fn default() -> Self {
        Self::new()
    }
}

fn number_text(text: &str) -> String {
    if text.is_empty() { String::from("nothing") } else { text.chars().take(24).collect() }
}

#[cfg(test)]
mod tests;
