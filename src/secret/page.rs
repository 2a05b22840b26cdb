//! A page of memory for one key and nothing else: kept out of swap where the limit on locked memory (`ulimit -l`) allows,
//! and out of core dumps (Linux). Where the system refuses, the key is held all the same, and `doctor` tells.

use std::io;

use memmap2::MmapMut;
use zeroize::Zeroize;

use super::Secret;

/// Bytes of a key.
const LEN: usize = 32;

/// A key of 32 bytes on a page of its own. Wiped on drop. No `Clone`, no `Debug`.
pub struct KeyPage(Place);

enum Place {
    Page(MmapMut),
    /// Where the system gives no page.
    Heap(Secret<[u8; LEN]>),
}

impl KeyPage {
    /// Moves a key to a page of its own.
    pub fn new(key: &Secret<[u8; LEN]>) -> Self {
        match map() {
            Ok(mut page) => {
                // Locked before the key comes in; a limit that is reached is no reason to do without the vault.
                let _ = lock(&page);
                page[..LEN].copy_from_slice(key.expose());
                Self(Place::Page(page))
            }
            Err(_) => Self(Place::Heap(Secret::new(*key.expose()))),
        }
    }

    /// Shows the key.
    pub fn expose(&self) -> &[u8; LEN] {
        match &self.0 {
            Place::Page(page) => page.first_chunk().expect("a page is longer than a key"),
            Place::Heap(key) => key.expose(),
        }
    }
}

impl Drop for KeyPage {
    fn drop(&mut self) {
        if let Place::Page(page) = &mut self.0 {
            page[..LEN].zeroize();
        }
    }
}

/// Whether a key's page can be locked here, for `doctor`.
///
/// # Errors
/// What the system says: mostly that the limit is reached.
pub fn can_lock() -> io::Result<()> {
    lock(&map()?)
}

fn map() -> io::Result<MmapMut> {
    MmapMut::map_anon(LEN)
}

#[cfg(unix)]
fn lock(page: &MmapMut) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    page.advise(memmap2::Advice::DontDump)?;
    page.lock()
}

#[cfg(not(unix))]
fn lock(_: &MmapMut) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back_as_it_went_in() {
        let key = Secret::new(std::array::from_fn(|i| i as u8));
        assert_eq!(KeyPage::new(&key).expose(), key.expose());
    }

    /// The lines of `/proc/self/smaps` about the page that holds an address.
    #[cfg(target_os = "linux")]
    fn about(address: usize) -> String {
        let holds = |line: &str| {
            let (from, to) = line.split(' ').next()?.split_once('-')?;
            let number = |text| usize::from_str_radix(text, 16).ok();
            Some((number(from)?..number(to)?).contains(&address))
        };
        let smaps = std::fs::read_to_string("/proc/self/smaps").expect("readable");
        let mut lines = smaps.lines().skip_while(|line| holds(line) != Some(true));
        let head = lines.next().expect("the page is mapped").to_owned();
        lines.take_while(|line| holds(line).is_none()).fold(head, |all, line| all + "\n" + line)
    }

    // `lo`: locked, `dd`: not in core dumps (proc_pid_smaps(5)).
    #[cfg(target_os = "linux")]
    #[test]
    fn the_page_of_a_key_is_locked_and_left_out_of_core_dumps() {
        let page = KeyPage::new(&Secret::new([7; LEN]));
        let text = about(page.expose().as_ptr() as usize);
        let flags = text.lines().find_map(|line| line.strip_prefix("VmFlags:")).expect("flags");
        assert!(flags.contains(" dd"), "{text}");
        assert_eq!(flags.contains(" lo"), can_lock().is_ok(), "{text}");
    }
}
