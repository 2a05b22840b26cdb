//! Writes exports: whole or not at all, for their owner alone, never over a file without a yes.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use crate::app::event::{ExportJob, ExportTrouble, Wrote};
use crate::entropy;
use crate::paths::{from_home, real};
use crate::report::{Report, system};
use crate::transfer;
use crate::vault::MAGIC;

/// Random bytes that are fit for keys.
pub fn random(bytes: &mut [u8]) {
    for chunk in bytes.chunks_mut(32) {
        chunk.copy_from_slice(&entropy::secret::<32>().expose()[..chunk.len()]);
    }
}

/// Makes an export and writes it.
///
/// # Errors
/// [`ExportTrouble`]: no file was made or changed then.
pub fn write(job: &ExportJob) -> Result<Wrote, ExportTrouble> {
    let shown = job.path.display().to_string();
    let path = from_home(&job.path);
    let failed = |error: io::Error| ExportTrouble::Failed(format!("{shown} cannot be written: {}.", system(&error)));
    let there = match fs::metadata(&path) {
        Ok(about) if !about.is_file() => {
            return Err(ExportTrouble::Failed(format!("{shown} is there already, and is not a file.")));
        }
        Ok(_) if !job.over => return Err(ExportTrouble::Exists),
        Ok(_) => true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(failed(error)),
    };
    let exported = transfer::export(job.format, &job.accounts, job.password.as_ref(), &mut random)
        .map_err(|error| ExportTrouble::Failed(Report::from(&error).why()))?;
    // Where it is a link, what it leads to gives way.
    let path = if there { real(&path).map_err(failed)? } else { path };
    match beside(&path, exported.bytes.expose(), there) {
        // It came to be there meanwhile.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(ExportTrouble::Exists),
        done => done.map_err(failed)?,
    }
    let unusable = job.unusable.iter().map(|(name, why)| format!("left out {name}: {why}"));
    let left_out = exported.left_out.iter().map(|one| format!("left out {}: {}", one.name, one.reason));
    let lost = exported.lost.iter().map(|what| format!("the format does not hold {what}"));
    Ok(Wrote { count: exported.count, path: shown, left_out: unusable.chain(left_out).chain(lost).collect() })
}

/// Writes a file whole or not at all, for its owner alone: under another name first. Never over a vault, whoever says yes: it
/// is more than what an export holds of it.
///
/// # Errors
/// What the system says; [`io::ErrorKind::AlreadyExists`] where a file is there that may not give way,
/// [`io::ErrorKind::InvalidInput`] where it is a vault.
pub fn beside(path: &Path, bytes: &[u8], over: bool) -> io::Result<()> {
    if over && is_vault(path)? {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "It is a vault, and a vault is never overwritten"));
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".otpanel-export-").tempfile_in(folder).map_err(bare)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    let done = if over { file.persist(path) } else { file.persist_noclobber(path) };
    done.map(drop).map_err(|e| e.error)
}

fn is_vault(path: &Path) -> io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut head)?;
    Ok(head == MAGIC)
}

/// The system's own error, without the name of the temporary file.
fn bare(error: io::Error) -> io::Error {
    let kind = error.kind();
    error
        .into_inner()
        .and_then(|inner| inner.source().and_then(|s| s.downcast_ref::<io::Error>()?.raw_os_error()))
        .map_or(kind.into(), io::Error::from_raw_os_error)
}
