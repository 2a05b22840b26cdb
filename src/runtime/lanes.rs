//! The threads that effects are carried out on, so that nothing ever blocks the screen. One lane keeps the order of what
//! touches the vault file; what may take long (a key derivation, a keychain behind a dialog, an export) has a thread of its
//! own each time, since its answer may come too late and is dropped then.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::secret::scrub_stack;

/// A job for a lane.
type Job = Box<dyn FnOnce() + Send>;

/// One thread that does its jobs in their order.
pub struct Lane {
    jobs: Sender<Job>,
}

impl Lane {
    /// Starts a lane; its thread ends when the lane is dropped and its jobs are done.
    pub fn start(name: &str) -> Self {
        let (jobs, queue): (Sender<Job>, Receiver<Job>) = channel();
        // A fault in one job, which the panic's hook writes to the log, must not cost those behind it.
        spawn(name, move || {
            for job in queue {
                drop(catch_unwind(AssertUnwindSafe(job)));
                scrub_stack();
            }
        });
        Self { jobs }
    }

    /// Gives it a job.
    pub fn run(&self, job: impl FnOnce() + Send + 'static) {
        // The thread lives as long as the lane.
        drop(self.jobs.send(Box::new(job)));
    }

    /// Waits until all jobs given so far are done, but no longer than a limit. Says whether they are.
    pub fn finish(&self, limit: Duration) -> bool {
        let (done, wait) = channel();
        self.run(move || {
            let _ = done.send(());
        });
        wait.recv_timeout(limit).is_ok()
    }
}

/// Starts a thread with a name. Where the system gives none, the work is lost with a line in the log. What the work left
/// on its stack is wiped: the system keeps stacks for the next thread.
pub fn spawn(name: &str, work: impl FnOnce() + Send + 'static) {
    let work = move || {
        work();
        scrub_stack();
    };
    if let Err(error) = thread::Builder::new().name(name.to_owned()).spawn(work) {
        tracing::error!(name, %error, "no thread");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn a_lane_does_its_jobs_in_order_and_can_be_waited_for() {
        let (lane, seen) = (Lane::start("test"), Arc::new(Mutex::new(Vec::new())));
        for n in 0..20 {
            let seen = Arc::clone(&seen);
            lane.run(move || {
                thread::sleep(Duration::from_millis(1));
                seen.lock().unwrap().push(n);
            });
        }
        assert!(lane.finish(Duration::from_secs(60)));
        assert_eq!(*seen.lock().unwrap(), (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn a_job_that_panics_costs_only_itself() {
        let lane = Lane::start("faulty");
        lane.run(|| panic!("on purpose"));
        let (done, wait) = channel();
        lane.run(move || done.send(()).unwrap());
        assert!(wait.recv_timeout(Duration::from_secs(60)).is_ok());
        assert!(lane.finish(Duration::from_secs(60)));
    }

    #[test]
    fn waiting_for_a_stuck_lane_ends() {
        let lane = Lane::start("stuck");
        lane.run(|| thread::sleep(Duration::from_secs(2)));
        assert!(!lane.finish(Duration::from_millis(20)));
    }
}
