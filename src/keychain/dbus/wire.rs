//! How D-Bus lays values out in bytes: the few types that the Secret Service needs, little end first.

use zeroize::Zeroizing;

use super::BusError;

/// An argument of a call.
pub(in crate::keychain) enum Arg<'a> {
    Str(&'a str),
    Path(&'a str),
    Paths(&'a [&'a str]),
    StrVariant(&'a str),
    Dict(&'a [(&'a str, &'a str)]),
    DictVariant(&'a [(&'a str, &'a str)]),
}

impl Arg<'_> {
    /// Its type, as D-Bus writes it.
    pub(super) fn signature(&self) -> &'static str {
        match self {
            Self::Str(_) => "s",
            Self::Path(_) => "o",
            Self::Paths(_) => "ao",
            Self::StrVariant(_) | Self::DictVariant(_) => "v",
            Self::Dict(_) => "a{ss}",
        }
    }
}

/// Writes values in D-Bus layout, little end first.
#[derive(Default)]
pub(in crate::keychain) struct Writer(pub(in crate::keychain) Vec<u8>);

impl Writer {
    pub(in crate::keychain) fn align(&mut self, to: usize) {
        self.0.resize(self.0.len().next_multiple_of(to), 0);
    }

    pub(in crate::keychain) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(in crate::keychain) fn u32(&mut self, value: u32) {
        self.align(4);
        self.bytes(&value.to_le_bytes());
    }

    pub(in crate::keychain) fn str(&mut self, text: &str) {
        self.u32(text.len() as u32);
        self.bytes(text.as_bytes());
        self.bytes(&[0]);
    }

    pub(in crate::keychain) fn signature(&mut self, text: &str) {
        self.bytes(&[text.len() as u8]);
        self.bytes(text.as_bytes());
        self.bytes(&[0]);
    }

    /// An array: its length in bytes, a gap up to the elements' alignment, the elements.
    pub(in crate::keychain) fn array(&mut self, align: usize, fill: impl FnOnce(&mut Self)) {
        self.u32(0);
        let length_at = self.0.len() - 4;
        self.align(align);
        let start = self.0.len();
        fill(self);
        let length = (self.0.len() - start) as u32;
        self.0[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
    }

    pub(in crate::keychain) fn arg(&mut self, arg: &Arg<'_>) {
        match arg {
            Arg::Str(text) | Arg::Path(text) => self.str(text),
            Arg::Paths(paths) => self.array(4, |array| paths.iter().for_each(|path| array.str(path))),
            Arg::StrVariant(text) => {
                self.signature("s");
                self.str(text);
            }
            Arg::DictVariant(pairs) => {
                self.signature("a{ss}");
                self.arg(&Arg::Dict(pairs));
            }
            Arg::Dict(pairs) => self.array(8, |dict| {
                for (key, value) in *pairs {
                    dict.align(8);
                    dict.str(key);
                    dict.str(value);
                }
            }),
        }
    }
}

/// The body of an answer, wiped on drop.
pub(in crate::keychain) struct Body(Zeroizing<Vec<u8>>);

impl Body {
    pub(in crate::keychain) fn new(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }

    pub(in crate::keychain) fn read(&self) -> Reader<'_> {
        Reader::new(&self.0, 0)
    }
}

/// Reads values in D-Bus layout. Every method fails on bytes that are not there.
pub(in crate::keychain) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads from `at` on; bytes before it count for alignment.
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    pub(super) fn at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8], BusError> {
        let end = self.at.checked_add(n).ok_or(BusError::Broken)?;
        let taken = self.bytes.get(self.at..end).ok_or(BusError::Broken)?;
        self.at = end;
        Ok(taken)
    }

    pub(super) fn align(&mut self, to: usize) -> Result<(), BusError> {
        self.take(self.at.next_multiple_of(to) - self.at).map(drop)
    }

    pub(super) fn u8(&mut self) -> Result<u8, BusError> {
        Ok(self.take(1)?[0])
    }

    pub(in crate::keychain) fn u32(&mut self) -> Result<u32, BusError> {
        self.align(4)?;
        Ok(u32::from_le_bytes(self.take(4)?.try_into().map_err(|_| BusError::Broken)?))
    }

    /// A boolean.
    pub(in crate::keychain) fn bool(&mut self) -> Result<bool, BusError> {
        Ok(self.u32()? != 0)
    }

    /// A string or an object path.
    pub(in crate::keychain) fn str(&mut self) -> Result<&'a str, BusError> {
        let len = self.u32()? as usize;
        let text = self.take(len)?;
        self.take(1)?;
        std::str::from_utf8(text).map_err(|_| BusError::Broken)
    }

    pub(super) fn signature(&mut self) -> Result<&'a str, BusError> {
        let len = usize::from(self.u8()?);
        let text = self.take(len)?;
        self.take(1)?;
        std::str::from_utf8(text).map_err(|_| BusError::Broken)
    }

    /// An array of bytes.
    pub(in crate::keychain) fn byte_array(&mut self) -> Result<&'a [u8], BusError> {
        let len = self.u32()? as usize;
        self.take(len)
    }

    /// A variant that must hold the given type; its value is read next.
    pub(in crate::keychain) fn variant_of(&mut self, signature: &str) -> Result<(), BusError> {
        if self.signature()? == signature { Ok(()) } else { Err(BusError::Broken) }
    }

    /// A variant of a type that a property of the Secret Service may have; its strings, where it is a dictionary of them.
    pub(in crate::keychain) fn property(&mut self) -> Result<Vec<(&'a str, &'a str)>, BusError> {
        match self.signature()? {
            "a{ss}" => return self.array(8, |pair| Ok((pair.str()?, pair.str()?))),
            "s" | "o" => drop(self.str()?),
            "b" | "u" => drop(self.u32()?),
            "t" | "x" => {
                self.align(8)?;
                self.take(8)?;
            }
            "ao" | "as" => drop(self.array(4, Self::str)?),
            _ => return Err(BusError::Broken),
        }
        Ok(Vec::new())
    }

    /// An array of which every element is read by `element`, aligned to `align` bytes.
    pub(in crate::keychain) fn array<T>(
        &mut self,
        align: usize,
        mut element: impl FnMut(&mut Self) -> Result<T, BusError>,
    ) -> Result<Vec<T>, BusError> {
        let len = self.u32()? as usize;
        self.align(align)?;
        let end = self.at.checked_add(len).filter(|end| *end <= self.bytes.len()).ok_or(BusError::Broken)?;
        let mut out = Vec::new();
        while self.at < end {
            self.align(align)?;
            out.push(element(self)?);
        }
        Ok(out)
    }

    /// Enters a struct.
    pub(in crate::keychain) fn structure(&mut self) -> Result<(), BusError> {
        self.align(8)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let mut writer = Writer::default();
        writer.arg(&Arg::Str("plain"));
        writer.arg(&Arg::StrVariant("x"));
        writer.arg(&Arg::Dict(&[("service", "otpanel"), ("username", "a/b")]));
        writer.arg(&Arg::DictVariant(&[("a", "b")]));
        writer.arg(&Arg::Path("/org"));
        writer.u32(1);
        let mut reader = Reader::new(&writer.0, 0);
        assert_eq!(reader.str(), Ok("plain"));
        assert_eq!(reader.variant_of("s"), Ok(()));
        assert_eq!(reader.str(), Ok("x"));
        let pairs = reader.array(8, |pair| Ok((pair.str()?, pair.str()?)));
        assert_eq!(pairs, Ok(vec![("service", "otpanel"), ("username", "a/b")]));
        assert_eq!(reader.property(), Ok(vec![("a", "b")]));
        assert_eq!(reader.str(), Ok("/org"));
        assert_eq!(reader.bool(), Ok(true));
        assert!(reader.at_end());
        assert_eq!(reader.u32(), Err(BusError::Broken));
    }

    /// The bytes of the specification's own rules, by hand: a dictionary starts on a boundary of 8 that its length does
    /// not count.
    #[test]
    fn the_layout_is_that_of_the_specification() {
        let mut writer = Writer::default();
        writer.arg(&Arg::Dict(&[("a", "bc")]));
        assert_eq!(writer.0, b"\x0f\0\0\0\0\0\0\0\x01\0\0\0a\0\0\0\x02\0\0\0bc\0");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut lists = Reader::new(&bytes, 0);
            drop(lists.array(4, Reader::str));
            drop(lists.array(8, |pair| Ok((pair.str()?, pair.str()?))));
            let mut secret = Reader::new(&bytes, 0);
            let _ = (secret.structure(), secret.str(), secret.byte_array(), secret.byte_array());
            let _ = (secret.variant_of("b"), secret.bool());
            let mut properties = Reader::new(&bytes, 0);
            drop(properties.array(8, |property| Ok((property.str()?, property.property()?))));
        }
    }
}
