//! What belongs to one process: detection of fork, and of an interpreter that is going away.

use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;

use crate::errors::Error;

/// A value that only the process that made it may touch.
///
/// Threads do not survive a fork, but the locks they held stay locked: in a forked child any use, even the drop, could
/// wait for ever. So use is an error there, and the drop leaks.
pub struct InProcess<T> {
    what: &'static str,
    pid: u32,
    value: ManuallyDrop<T>,
}

impl<T> InProcess<T> {
    /// `what` names the value in errors: "client", "worker".
    pub fn new(what: &'static str, value: T) -> Self {
        Self { what, pid: std::process::id(), value: ManuallyDrop::new(value) }
    }

    pub fn get(&self) -> Result<&T, Error> {
        if self.pid == std::process::id() {
            Ok(&self.value)
        } else {
            Err(Error::ForeignProcess { what: self.what, pid: self.pid })
        }
    }
}

impl<T> Drop for InProcess<T> {
    fn drop(&mut self) {
        if self.pid == std::process::id() {
            // SAFETY: dropped once, here, and not used again.
            #[allow(unsafe_code)]
            unsafe {
                ManuallyDrop::drop(&mut self.value);
            }
        }
    }
}

static EXITING: AtomicBool = AtomicBool::new(false);

/// Tells threads that wait detached from Python never to come back to it. Called at exit, before the interpreter is torn
/// down.
#[pyfunction]
pub fn begin_exit() {
    EXITING.store(true, Ordering::Release);
}

/// Ends the road of a thread that would attach to a dying interpreter: CPython kills such threads by unwinding through
/// our frames, which aborts the process. To be called while detached, after every wait that may outlive the interpreter.
pub fn stay_detached_at_exit() {
    if EXITING.load(Ordering::Acquire) {
        loop {
            std::thread::park();
        }
    }
}
