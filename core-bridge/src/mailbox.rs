//! Items left by Core's threads for a Python thread: many are taken at once, for one wake-up.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::sync::lock;

/// An unbounded queue whose reader is woken once for any number of items.
pub struct Mailbox<T> {
    state: Mutex<State<T>>,
    bell: Bell,
}

struct State<T> {
    items: Vec<T>,
    /// The bell has been rung since the reader last came.
    rung: bool,
    /// A waiting reader has not yet noticed.
    unheard: bool,
    closed: bool,
    /// How many readers wait at the bell: one, unless it was given up.
    waiting: usize,
    /// The reader is called away from there.
    called: bool,
    taken: u64,
}

/// What ends a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    Mail,
    Call,
    /// The mailbox is closed and empty.
    End,
}

/// How much waits, and how often the reader has come for it.
#[derive(Clone, Copy)]
pub struct Backlog {
    pub waiting: usize,
    pub taken: u64,
}

/// How the reader learns that there is mail.
pub enum Bell {
    /// It waits here.
    Wait(Condvar),
    /// An event loop polls the other end of this socket.
    #[cfg(unix)]
    Socket(std::os::unix::net::UnixStream),
}

impl<T> Mailbox<T> {
    pub fn new(bell: Bell) -> Self {
        let state = State {
            items: Vec::new(),
            rung: false,
            unheard: false,
            closed: false,
            waiting: 0,
            called: false,
            taken: 0,
        };
        Self { state: Mutex::new(state), bell }
    }

    /// False if the mailbox is closed; the item is dropped.
    pub fn push(&self, item: T) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        state.items.push(item);
        self.ring(state);
        true
    }

    /// Everything that has come, oldest first. The bell rings anew for what comes later.
    pub fn take(&self) -> Vec<T> {
        let mut state = self.lock();
        state.rung = false;
        state.unheard = false;
        state.taken += 1;
        std::mem::take(&mut state.items)
    }

    pub fn backlog(&self) -> Backlog {
        let state = self.lock();
        Backlog { waiting: state.items.len(), taken: state.taken }
    }

    /// Waits for the bell, whose every ring is heard once; false when the mailbox is closed and empty. For a mailbox
    /// whose bell is `Wait`.
    pub fn wait(&self) -> bool {
        loop {
            match self.wait_for_mail_or_call() {
                Heard::Mail => return true,
                Heard::Call => {}
                Heard::End => return false,
            }
        }
    }

    /// The same, for a reader that may be called away.
    pub fn wait_for_mail_or_call(&self) -> Heard {
        let mut state = self.lock();
        loop {
            if std::mem::take(&mut state.called) {
                return Heard::Call;
            }
            if std::mem::take(&mut state.unheard) && !state.items.is_empty() {
                return Heard::Mail;
            }
            if state.closed {
                return if state.items.is_empty() { Heard::End } else { Heard::Mail };
            }
            match &self.bell {
                Bell::Wait(bell) => {
                    state.waiting += 1;
                    state = bell.wait(state).unwrap_or_else(PoisonError::into_inner);
                    state.waiting -= 1;
                }
                #[cfg(unix)]
                Bell::Socket(_) => return Heard::End,
            }
        }
    }

    /// Calls the reader away from the bell; false if it does not wait there, and will hear of it when it comes.
    pub fn call(&self) -> bool {
        let mut state = self.lock();
        state.called = true;
        let waiting = state.waiting > 0;
        drop(state);
        if let (true, Bell::Wait(bell)) = (waiting, &self.bell) {
            bell.notify_all();
        }
        waiting
    }

    /// Nothing is accepted any more; what has come can still be taken.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.rung = false;
        self.ring(state);
    }

    fn ring(&self, mut state: MutexGuard<'_, State<T>>) {
        if std::mem::replace(&mut state.rung, true) {
            return;
        }
        state.unheard = true;
        let waiting = state.waiting > 0;
        drop(state);
        match &self.bell {
            Bell::Wait(bell) if waiting => bell.notify_all(),
            Bell::Wait(_) => {}
            #[cfg(unix)]
            Bell::Socket(socket) => {
                // The only byte under way. If the other end is gone, so is the reader.
                let _ = std::io::Write::write(&mut &*socket, &[1]);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        lock(&self.state)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn mail_comes_in_order_and_a_closed_box_takes_none() {
        let mailbox = Mailbox::new(Bell::Wait(Condvar::new()));
        assert!(mailbox.push(1) && mailbox.push(2));
        assert!(mailbox.wait());
        mailbox.close();
        assert!(!mailbox.push(3));
        assert!(mailbox.wait());
        assert_eq!(mailbox.take(), [1, 2]);
        assert!(!mailbox.wait());
    }

    #[test]
    fn a_waiting_reader_is_woken_by_mail_and_by_the_end() {
        let mailbox = Arc::new(Mailbox::new(Bell::Wait(Condvar::new())));
        let reader = std::thread::spawn({
            let mailbox = mailbox.clone();
            move || {
                let mut seen = Vec::new();
                while mailbox.wait() {
                    seen.extend(mailbox.take());
                }
                seen
            }
        });
        for item in 0..100 {
            assert!(mailbox.push(item));
        }
        mailbox.close();
        assert_eq!(reader.join().unwrap(), (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_reader_that_waits_can_be_called_away() {
        let mailbox = Arc::new(Mailbox::new(Bell::Wait(Condvar::new())));
        assert!(!mailbox.call());
        assert_eq!(mailbox.wait_for_mail_or_call(), Heard::Call);
        let reader = std::thread::spawn({
            let mailbox = mailbox.clone();
            move || {
                let mut calls = 0;
                while mailbox.wait_for_mail_or_call() == Heard::Call {
                    calls += 1;
                }
                calls
            }
        });
        while !mailbox.call() {
            std::thread::yield_now();
        }
        assert!(mailbox.push('a'));
        assert!(reader.join().unwrap() > 0);
    }

    #[cfg(unix)]
    #[test]
    fn one_byte_announces_any_number_of_items() {
        use std::io::Read;
        let (mut reader, writer) = std::os::unix::net::UnixStream::pair().unwrap();
        reader.set_nonblocking(true).unwrap();
        let mailbox = Mailbox::new(Bell::Socket(writer));
        let mut bytes = [0; 8];
        for _ in 0..2 {
            assert!(mailbox.push('a') && mailbox.push('b'));
            assert_eq!(reader.read(&mut bytes).unwrap(), 1);
            assert_eq!(mailbox.take(), ['a', 'b']);
        }
        assert!(reader.read(&mut bytes).is_err());
    }
}
