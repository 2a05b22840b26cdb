//! The names of the formats.

macro_rules! formats {
    ($($variant:ident $id:literal $name:literal,)*) => {
        /// A program's export format.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Format {
            $(#[doc = $name] $variant,)*
        }

        impl Format {
            /// Every format.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word that the command line knows it by.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// How people call it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

formats! {
    UriList "otpauth" "otpauth list",
    GoogleMigration "google" "Google Authenticator export",
    GoogleDatabase "google-db" "Google Authenticator database",
    Aegis "aegis" "Aegis",
    TwoFas "2fas" "2FAS",
    Ente "ente" "Ente Auth",
    Microsoft "microsoft" "Microsoft Authenticator database",
    AndOtp "andotp" "andOTP",
    Authy "authy" "Authy",
    Bitwarden "bitwarden" "Bitwarden",
    BitwardenAuthenticator "bitwarden-authenticator" "Bitwarden Authenticator",
    Proton "proton" "Proton Authenticator",
    ProtonPass "proton-pass" "Proton Pass",
    LastPass "lastpass" "LastPass Authenticator",
    LastPassVault "lastpass-vault" "LastPass",
    Raivo "raivo" "Raivo",
    Stratum "stratum" "Stratum",
    FreeOtp "freeotp" "FreeOTP",
    FreeOtpPlus "freeotp-plus" "FreeOTP+",
    Steam "steam" "Steam",
    WinAuth "winauth" "WinAuth",
    TotpAuthenticator "totp-authenticator" "TOTP Authenticator",
    AuthenticatorPlus "authenticator-plus" "Authenticator Plus",
    Duo "duo" "Duo",
    BattleNet "battle-net" "Battle.net",
    KeePass "keepass" "KeePass",
    KeePassXml "keepass-xml" "KeePass XML",
    KeePassXc "keepassxc-csv" "KeePassXC CSV",
    OnePassword "1password" "1Password",
    ApplePasswords "apple" "Apple Passwords",
    Dashlane "dashlane" "Dashlane",
    Keeper "keeper" "Keeper",
    NordPass "nordpass" "NordPass",
    Enpass "enpass" "Enpass",
    Csv "csv" "CSV",
    Cotp "cotp" "cotp",
    OtpClient "otpclient" "OTPClient",
    Tofa "tofa" "tofa",
    TwoFAuth "2fauth" "2FAuth",
    Pass "pass" "pass",
    Picture "qr" "QR picture",
    Otpanel "otpanel" "otpanel vault",
}

impl Format {
    /// Reads the word that [`Format::id`] gives, in any case.
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|f| f.id().eq_ignore_ascii_case(id))
    }
}
