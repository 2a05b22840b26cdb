//! Faults in real saves: the program itself, killed at every call of a save to the file system, told every error that the
//! call can give, and cut off from the power with what was not on the disk yet gone.
//!
//! What is held: the vault opens with the old accounts or the new ones, never with neither; the exit code and the words
//! never claim a save that did not happen, nor deny one that did; a later save leaves no temporary files.
//!
//! The default run takes a part of the errors; `OTPANEL_TEST_LONG=1` takes all.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::print_stdout)]

mod errors;
mod power;
#[path = "../support/mod.rs"]
mod support;
mod trace;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use trace::{Call, Ended, Fault};
use world::{Op, Summary, World};

fn long() -> bool {
    std::env::var_os("OTPANEL_TEST_LONG").is_some_and(|value| value == "1")
}

/// Whether programs may be traced here at all.
fn may_trace() -> bool {
    if !support::installed(&["strace"]) {
        return false;
    }
    let works = std::process::Command::new("strace")
        .args(["-qq", "-f", "-o", "/dev/null", "true"])
        .output()
        .is_ok_and(|out| out.status.success());
    if !works {
        support::left_out("strace may not trace programs here");
    }
    works
}

/// A save as it runs when nothing goes wrong: its calls, and what it makes of the vault.
struct Plain {
    op: &'static Op,
    old: Option<Summary>,
    new: Summary,
    calls: Vec<Call>,
}

fn plain(op: &'static Op) -> Plain {
    let world = World::for_op(op);
    let old = world.summary();
    let run = trace::record(&world, op);
    assert_eq!(run.code, Some(0), "{}: {}", op.name, run.err);
    let new = world.summary().expect("it saved");
    assert_ne!(Some(&new), old.as_ref(), "{} saves something", op.name);
    let calls = trace::window(&run.log, world.root());
    assert!(calls.len() > 20, "{}: {} calls\n{}", op.name, calls.len(), run.log);
    Plain { op, old, new, calls }
}

/// Runs a save with one fault and judges what is left. None where the fault did not come about.
fn suffer(plain: &Plain, fault: &Fault) -> Option<Result<(), String>> {
    let world = World::for_op(plain.op);
    let ended = trace::inject(&world, plain.op, fault);
    if !ended.hit {
        return None;
    }
    Some(judge(plain, &world, &ended).map_err(|why| format!("{}, {fault}: {why}\n{}", plain.op.name, ended.err)))
}

fn judge(plain: &Plain, world: &World, ended: &Ended) -> Result<(), String> {
    let now = world.try_summary()?;
    let is_new = now.as_ref().is_some_and(|now| *now == plain.new || *now == plain.new.without_beside());
    let is_old = now == plain.old;
    if !is_new && !is_old {
        return Err(format!("neither old nor new:\n{now:#?}"));
    }
    if ended.code == Some(0) && !is_new {
        return Err("it said done, and is not".to_owned());
    }
    if ended.err.contains("panicked") {
        return Err("it panicked".to_owned());
    }
    let denies = ["Not saved", "as it was before", "Nothing was changed", "Nothing was overwritten"];
    if !is_old && ended.code != Some(0) && denies.iter().any(|words| ended.err.contains(words)) {
        return Err("it says that nothing was saved, and it was".to_owned());
    }
    if is_old
        && ["Changed ", "Moved ", "Brought back ", "Joined", "added "].iter().any(|word| ended.said.contains(word))
    {
        return Err(format!("it claims a save that did not happen: {}", ended.said));
    }
    world.nothing_lost()?;
    world.saves_again_and_is_clean()
}

/// Runs all faults on all cores; gives how many came about.
fn run(name: &str, plain: &[Plain], faults: &[(usize, Fault)]) -> usize {
    let began = Instant::now();
    let (next, hits) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let failed = Mutex::new(Vec::new());
    let missed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from).min(8) {
            scope.spawn(|| {
                while let Some((op, fault)) = faults.get(next.fetch_add(1, Ordering::SeqCst)) {
                    match suffer(&plain[*op], fault) {
                        None => missed.lock().unwrap().push(format!("{} {fault}", plain[*op].op.name)),
                        Some(Ok(())) => drop(hits.fetch_add(1, Ordering::SeqCst)),
                        Some(Err(why)) => failed.lock().unwrap().push(why),
                    }
                }
            });
        }
    });
    let (failed, missed, hits) = (failed.into_inner().unwrap(), missed.into_inner().unwrap(), hits.into_inner());
    println!("{name}: {hits} faults survived, {} not, in {:.1?}", failed.len(), began.elapsed());
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), faults.len(), failed.join("\n"));
    assert!(missed.len() * 50 <= faults.len(), "{} faults did not come about: {missed:?}", missed.len());
    hits
}

#[test]
fn a_kill_at_every_call_of_a_save_loses_nothing() {
    if !may_trace() {
        return;
    }
    let plain: Vec<Plain> = world::OPS.iter().map(plain).collect();
    let mut faults = Vec::new();
    for (at, plain) in plain.iter().enumerate() {
        let step = if plain.op.slow && !long() { 4 } else { 1 };
        faults.extend(plain.calls.iter().step_by(step).map(|call| (at, Fault::kill(call))));
    }
    assert!(run("kills", &plain, &faults) >= 300);
}

#[test]
fn every_error_of_every_call_of_a_save_loses_nothing() {
    if !may_trace() {
        return;
    }
    let plain: Vec<Plain> = world::OPS.iter().filter(|op| !op.slow || long()).map(plain).collect();
    let mut faults = Vec::new();
    for (at, plain) in plain.iter().enumerate() {
        for call in &plain.calls {
            for errno in errors::of(&call.name) {
                faults.push((at, Fault::error(call, errno, false)));
                // From here on for good, as a disk that is full or broken is.
                if matches!(*errno, "ENOSPC" | "EIO" | "EROFS" | "EDQUOT") {
                    faults.push((at, Fault::error(call, errno, true)));
                }
            }
        }
    }
    if !long() {
        // One in so many, another part of each call's errors in each save.
        let step = faults.len() / 700 + 1;
        faults = faults.into_iter().enumerate().filter(|(n, _)| n % step == 0).map(|(_, fault)| fault).collect();
    }
    assert!(run("errors", &plain, &faults) >= 300);
}

#[test]
fn a_power_cut_at_every_call_of_a_save_loses_nothing() {
    if !may_trace() {
        return;
    }
    let mut cuts = 0;
    for op in world::OPS {
        let world = World::for_op(op);
        let old = world.summary();
        let disk = power::Disk::read(world.root());
        let run = trace::record(&world, op);
        assert_eq!(run.code, Some(0), "{}: {}", op.name, run.err);
        let new = world.summary().expect("it saved");
        cuts += power::cut_everywhere(&disk, &run.log, &world, op, old.as_ref(), &new);
    }
    println!("power: {cuts} cuts survived");
    assert!(cuts >= 300, "{cuts}");
}

/// What a run may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(60);
