//! What is wrong with a worker, from what has not moved for too long.

use std::time::Duration;

use crate::mailbox::Backlog;

/// What waits, and for whom.
#[derive(Clone, Copy)]
pub enum Waiting {
    Activations,
    Activities,
    EventLoop,
}

impl Waiting {
    fn reason(self) -> &'static str {
        match self {
            Self::Activations => "workflow activations wait for their thread",
            Self::Activities => "activities wait for a thread",
            Self::EventLoop => "tasks and results wait for the event loop",
        }
    }

    fn over(self) -> &'static str {
        match self {
            Self::Activations => "the workflow thread takes activations",
            Self::Activities => "threads take activities",
            Self::EventLoop => "the event loop takes tasks and results",
        }
    }
}

/// Notices that items wait and none is taken. Time counts in ticks, so that a process that was stopped is not blamed.
pub struct Progress {
    waiting: Waiting,
    taken: u64,
    still: Duration,
}

impl Progress {
    pub fn new(waiting: Waiting) -> Self {
        Self { waiting, taken: 0, still: Duration::ZERO }
    }

    /// After another tick: why this is a stall, if it is one.
    pub fn look(&mut self, now: Backlog, tick: Duration, limit: Duration) -> Option<(&'static str, String)> {
        if now.waiting == 0 || now.taken != self.taken {
            self.taken = now.taken;
            self.still = Duration::ZERO;
            return None;
        }
        self.still += tick;
        let (waiting, still) = (self.waiting, self.still.as_secs_f64());
        let wrong = || format!("{} {}, and none was taken for {still:.1} s", now.waiting, waiting.reason());
        (self.still >= limit).then(|| (waiting.over(), wrong()))
    }
}

/// Notices that Python does not run: its word, a number that goes up, does not come any more.
#[derive(Default)]
pub struct Silence {
    word: u64,
    silent: Duration,
}

impl Silence {
    pub fn look(&mut self, word: u64, tick: Duration, limit: Duration) -> Option<String> {
        if word != self.word {
            self.word = word;
            self.silent = Duration::ZERO;
            return None;
        }
        // Nobody has promised anything before the first word.
        self.silent += if word == 0 { Duration::ZERO } else { tick };
        (self.silent >= limit)
            .then(|| format!("Python has not run for {:.1} s: something holds the GIL", self.silent.as_secs_f64()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_secs(1);
    const LIMIT: Duration = Duration::from_secs(3);

    #[test]
    fn only_a_backlog_of_which_nothing_is_taken_is_a_stall() {
        let mut progress = Progress::new(Waiting::Activities);
        let mut looks = |waiting, taken| progress.look(Backlog { waiting, taken }, TICK, LIMIT).map(|(_, wrong)| wrong);
        for taken in 0..10 {
            assert_eq!(looks(5, taken), None);
        }
        for _ in 0..10 {
            assert_eq!(looks(0, 9), None);
        }
        assert_eq!(looks(1, 9), None);
        assert_eq!(looks(1, 9), None);
        assert_eq!(looks(2, 9).as_deref(), Some("2 activities wait for a thread, and none was taken for 3.0 s"));
        assert_eq!(looks(2, 10), None);
    }

    #[test]
    fn python_is_silent_after_its_last_word() {
        let mut silence = Silence::default();
        for _ in 0..10 {
            assert_eq!(silence.look(0, TICK, LIMIT), None);
        }
        assert_eq!(silence.look(1, TICK, LIMIT), None);
        assert_eq!(silence.look(1, TICK, LIMIT), None);
        assert_eq!(silence.look(1, TICK, LIMIT), None);
        assert!(silence.look(1, TICK, LIMIT).unwrap().contains("GIL"));
        assert_eq!(silence.look(2, TICK, LIMIT), None);
    }
}
