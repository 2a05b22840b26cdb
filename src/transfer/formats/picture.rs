//! Pictures with QR codes: screenshots, one or several codes in each.

use std::collections::BTreeSet;
use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageReader, Limits, Luma, imageops};

use super::super::{Format, Import, ImportError};
use super::uri_list;

const FORMAT: Format = Format::Picture;
/// Pixels of a picture, and bytes that decoding may take.
const MAX_PIXELS: u64 = 16_000_000;
const MAX_BYTES: u64 = 80 << 20;
/// Pixels beyond which a picture is not doubled.
const LARGE: u32 = 1600;

/// Whether bytes begin like a picture that is read.
pub fn is_picture(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x89PNG")
        || bytes.starts_with(&[0xFF, 0xD8, 0xFF])
        || (bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"))
}

/// Reads every code of a picture.
pub fn read(bytes: &[u8]) -> Result<Import, ImportError> {
    let open = || ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| ImportError::Unknown);
    let damaged =
        |_| ImportError::Damaged { format: FORMAT, reason: String::from("the picture is too large or damaged") };
    let (width, height) = open()?.into_dimensions().map_err(damaged)?;
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(ImportError::TooMany { what: "pixels", limit: MAX_PIXELS as usize });
    }
    let mut reader = open()?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_BYTES);
    reader.limits(limits);
    accounts(reader.decode().map_err(damaged)?)
}

/// Reads every code of a picture that is pixels already: red, green, blue and alpha of each, row by row.
pub fn read_pixels(width: usize, height: usize, rgba: Vec<u8>) -> Result<Import, ImportError> {
    if (width as u64).saturating_mul(height as u64) > MAX_PIXELS {
        return Err(ImportError::TooMany { what: "pixels", limit: MAX_PIXELS as usize });
    }
    let picture = image::RgbaImage::from_raw(width as u32, height as u32, rgba).ok_or(ImportError::Unknown)?;
    accounts(picture.into())
}

fn accounts(picture: DynamicImage) -> Result<Import, ImportError> {
    let picture = gray(picture);
    let texts = codes(&picture);
    if texts.is_empty() {
        return Err(none("There is no QR code that can be read in this picture. Try a screenshot instead of a photo."));
    }
    let import = uri_list::read(&texts.join("\n"))?;
    if import.entries.is_empty() && import.format == Format::UriList {
        return Err(none("The QR code in this picture is no account for an authenticator."));
    }
    Ok(import)
}

fn none(reason: &str) -> ImportError {
    ImportError::Refused { format: FORMAT, reason: reason.to_owned() }
}

/// Greys on white, because a transparent ground would come out black.
fn gray(picture: DynamicImage) -> GrayImage {
    if !picture.color().has_alpha() {
        return picture.into_luma8();
    }
    let deep = picture.into_luma_alpha8();
    GrayImage::from_fn(deep.width(), deep.height(), |x, y| {
        let [light, alpha] = deep.get_pixel(x, y).0.map(u32::from);
        Luma([((light * alpha + 255 * (255 - alpha)) / 255) as u8])
    })
}

/// The texts of all codes. The reader misses clean codes at some sizes, so that the picture is tried in several forms.
fn codes(picture: &GrayImage) -> Vec<String> {
    let scaled = |n: u32, d: u32| {
        let (w, h) = ((picture.width() * n / d).max(1), (picture.height() * n / d).max(1));
        imageops::resize(picture, w, h, imageops::FilterType::Triangle)
    };
    let threshold = |image: &GrayImage| {
        let mut image = image.clone();
        image.iter_mut().for_each(|p| *p = if *p < 128 { 0 } else { 255 });
        image
    };
    let small = picture.width().max(picture.height()) <= LARGE;
    let forms: [&dyn Fn() -> Option<GrayImage>; 8] = [
        &|| Some(picture.clone()),
        &|| Some(threshold(picture)),
        &|| Some(scaled(1, 2)),
        &|| small.then(|| scaled(2, 1)),
        &|| Some(bordered(picture)),
        &|| {
            let mut inverted = picture.clone();
            imageops::invert(&mut inverted);
            Some(inverted)
        },
        &|| Some(stretched(picture)),
        &|| Some(scaled(1, 4)),
    ];
    let (mut texts, mut seen, mut missed) = (Vec::new(), BTreeSet::new(), false);
    for form in forms {
        let Some(image) = form() else { continue };
        let mut prepared = rqrr::PreparedImage::prepare(image);
        let grids = prepared.detect_grids();
        missed |= grids.is_empty();
        for grid in grids {
            match grid.decode() {
                Ok((_, text)) => {
                    if seen.insert(text.clone()) {
                        texts.push(text);
                    }
                }
                Err(_) => missed = true,
            }
        }
        // A form in which every code found was read is enough.
        if !texts.is_empty() && !missed {
            break;
        }
        missed = false;
    }
    texts
}

/// With a white border, which codes cut close lack.
fn bordered(picture: &GrayImage) -> GrayImage {
    let mut out = GrayImage::from_pixel(picture.width() + 80, picture.height() + 80, Luma([255]));
    imageops::replace(&mut out, picture, 40, 40);
    out
}

/// With its lightest and darkest grey drawn apart to white and black.
fn stretched(picture: &GrayImage) -> GrayImage {
    let (low, high) = picture.iter().fold((255u8, 0u8), |(low, high), p| (low.min(*p), high.max(*p)));
    let span = u32::from(high.saturating_sub(low)).max(1);
    let mut out = picture.clone();
    out.iter_mut().for_each(|p| *p = (u32::from(p.saturating_sub(low)) * 255 / span) as u8);
    out
}
