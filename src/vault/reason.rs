//! Why a version of the vault is kept in the history.

/// Why a version was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// A save replaced it.
    Save,
    /// A save wrote it.
    Saved,
    /// It stood there before an import.
    Import,
    /// It stood there before a restore.
    Restore,
    /// It stood there before the password or another slot changed.
    Password,
    /// It was a conflict copy of a sync tool, and was joined.
    Conflict,
    /// It was found in the vault's place and does not open.
    Unreadable,
}

impl Reason {
    pub(super) const ALL: [Self; 7] =
        [Self::Save, Self::Saved, Self::Import, Self::Restore, Self::Password, Self::Conflict, Self::Unreadable];

    /// Whether it says nothing but that a save was made.
    pub(super) const fn is_plain(self) -> bool {
        matches!(self, Self::Save | Self::Saved)
    }

    /// As the file's name says it, and lists may: `save`, `import`, …
    pub const fn name(self) -> &'static str {
        match self {
            Self::Save => "save",
            Self::Saved => "saved",
            Self::Import => "import",
            Self::Restore => "restore",
            Self::Password => "password",
            Self::Conflict => "conflict",
            Self::Unreadable => "unreadable",
        }
    }
}
