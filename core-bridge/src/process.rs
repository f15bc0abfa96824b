//! What belongs to one process: detection of fork.

use std::mem::ManuallyDrop;

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
