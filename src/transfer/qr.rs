//! QR codes out: a text becomes a grid of modules, the grid lines for a terminal or a picture. Pure. Pictures in are read
//! by `formats/picture.rs`.
//!
//! A grid is as secret as the text that it shows: it has no `Debug`, and its memory is wiped like all other.

use std::io::Cursor;

use image::{GrayImage, ImageFormat, Luma};
use qrcode::{Color, EcLevel, QrCode};

use super::Format;
use super::export::Random;
use super::formats::{migration_links, writer};
use crate::otp::{Account, uri};
use crate::secret::Secret;

/// Light modules around a code on a screen. The standard asks for four; readers do with two, and a screen is small.
pub const QUIET: usize = 2;
/// Light modules around a code in a picture.
const QUIET_PICTURE: usize = 4;
/// Pixels of a module's side in a picture.
const PIXELS: usize = 8;
/// Accounts of one migration code at most: what phones read well.
const MOST: usize = 10;

/// The modules of a QR code.
pub struct Grid {
    side: usize,
    dark: Secret<Vec<bool>>,
}

/// The QR code of a text, as small as can be; none where it is too long for one.
pub fn grid(text: &str) -> Option<Grid> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let dark = code.to_colors().iter().map(|colour| *colour == Color::Dark).collect();
    Some(Grid { side: code.width(), dark: Secret::new(dark) })
}

/// What every reader takes for granted: without it the pattern is smaller by a quarter, and fits on more screens.
const USUAL: &str = "&algorithm=SHA1&digits=6&period=30";

/// The QR code of an account's link; none where its names are too long for one.
pub fn of(account: &Account) -> Option<Grid> {
    let link = uri::write(account);
    grid(link.expose().strip_suffix(USUAL).unwrap_or(link.expose()))
}

impl Grid {
    /// Modules of a side, without the light ones around.
    pub const fn side(&self) -> usize {
        self.side
    }

    /// Whether the module in a column and a row is dark; light outside.
    pub fn is_dark(&self, column: usize, row: usize) -> bool {
        column < self.side && row < self.side && self.dark.expose()[row * self.side + column]
    }

    /// Lines of half blocks, each two modules high and [`Self::columns`] wide. Light modules are drawn and dark ones left
    /// out: right on a dark ground as it is, elsewhere with white on black.
    pub fn lines(&self) -> Vec<String> {
        let whole = self.columns();
        let light = |column: usize, row: usize| !self.is_dark(column.wrapping_sub(QUIET), row.wrapping_sub(QUIET));
        let sign = |column: usize, row: usize| match (light(column, row), row + 1 < whole && light(column, row + 1)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        };
        (0..whole).step_by(2).map(|row| (0..whole).map(|column| sign(column, row)).collect()).collect()
    }

    /// The width of [`Self::lines`].
    pub const fn columns(&self) -> usize {
        self.side + 2 * QUIET
    }

    /// A PNG picture, black on white.
    pub fn png(&self) -> Secret<Vec<u8>> {
        let side = ((self.side + 2 * QUIET_PICTURE) * PIXELS) as u32;
        let module = |pixel: u32| (pixel as usize / PIXELS).wrapping_sub(QUIET_PICTURE);
        let picture =
            GrayImage::from_fn(side, side, |x, y| Luma([if self.is_dark(module(x), module(y)) { 0 } else { 255 }]));
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png).expect("memory takes every picture of this size");
        Secret::new(bytes.into_inner())
    }
}

/// Google Authenticator's transfer codes of the accounts that it can hold, as many in each as are readable and no code
/// wider than `columns`, where one account is not too wide already.
pub fn migration(accounts: &[Account], columns: Option<usize>, random: Random<'_>) -> Vec<Grid> {
    let holds = |account: &&Account| writer(Format::GoogleMigration).is_some_and(|w| (w.refusal)(account).is_none());
    let held: Vec<&Account> = accounts.iter().filter(holds).collect();
    let fits = |grid: &Grid| columns.is_none_or(|columns| grid.columns() <= columns);
    for per in (1..=MOST).rev() {
        let links = migration_links(&held, per, random);
        let grids: Option<Vec<Grid>> = links.iter().map(|link| grid(link.expose())).collect();
        if let Some(grids) = grids.filter(|grids| per == 1 || grids.iter().all(fits)) {
            return grids;
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otp::{Kind, Seed};
    use crate::transfer::{Source, import};

    fn accounts(n: u8) -> Vec<Account> {
        let seed = |n| Seed::new(vec![n; 20]).expect("a seed");
        (0..n).map(|n| Account::new(format!("Site {n}"), "ada@example.com", Kind::totp(), seed(n))).collect()
    }

    /// The picture that the lines show, read by the importer.
    fn seen(lines: &[String]) -> Vec<u8> {
        let (width, height) = (lines[0].chars().count(), lines.len() * 2);
        let rows: Vec<Vec<char>> = lines.iter().map(|line| line.chars().collect()).collect();
        let picture = GrayImage::from_fn(width as u32 * 6, height as u32 * 6, |x, y| {
            let (column, row) = (x as usize / 6, y as usize / 6);
            let sign = rows[row / 2][column];
            let light = sign == '█' || sign == if row % 2 == 0 { '▀' } else { '▄' };
            Luma([if light { 255 } else { 0 }])
        });
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png).expect("written");
        bytes.into_inner()
    }

    #[test]
    fn a_link_comes_back_from_its_picture_and_from_its_lines() {
        let account = &accounts(1)[0];
        let grid = of(account).expect("it fits");
        assert!(grid.lines().iter().all(|line| line.chars().count() == grid.columns()));
        assert!(grid.columns() <= 49 && grid.lines().len() <= 25, "it fits a small window: {}", grid.columns());
        for bytes in [grid.png().expose().clone(), seen(&grid.lines())] {
            let back = import(Source::new(&bytes)).expect("read");
            assert_eq!((&back.entries[0].issuer, back.entries.len()), (&account.issuer, 1));
            assert_eq!(back.entries[0].seed.expose(), account.seed.expose());
        }
    }

    #[test]
    fn transfer_codes_fit_the_width_and_hold_every_account_once() {
        let accounts = accounts(23);
        for (columns, codes) in [(None, 3), (Some(80), 8), (Some(10), 23)] {
            let grids = migration(&accounts, columns, &mut |bytes| bytes.fill(7));
            assert!(columns.is_none_or(|columns| columns == 10 || grids.iter().all(|g| g.columns() <= columns)));
            let mut names = Vec::new();
            for grid in &grids {
                let back = import(Source::new(grid.png().expose())).expect("read");
                names.extend(back.entries.into_iter().map(|account| account.issuer));
            }
            let all: Vec<String> = accounts.iter().map(|account| account.issuer.clone()).collect();
            assert_eq!(names, all);
            assert!(grids.len() <= codes, "{} codes at {columns:?}", grids.len());
        }
    }

    #[test]
    fn what_is_too_long_for_a_code_gives_none() {
        assert!(grid(&"x".repeat(3000)).is_none());
    }
}
