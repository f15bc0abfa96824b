//! Core's work on threads that are awake anyway. To hand it to a thread of the runtime wakes that thread up, which takes
//! several times as long as the work.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::runtime::Guest;
use crate::sync::lock;

/// How long work waits for its thread, which is busy, before a thread of the runtime goes on with it.
const PATIENCE: Duration = Duration::from_millis(20);

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Begins work on this thread. What is left when it waits goes on where it is woken up if that is `short`, and else on
/// the runtime.
pub fn begin_here(guest: Guest, short: bool, work: impl Future<Output = ()> + Send + 'static) {
    Begun::go_on(
        &Arc::new(Begun { guest, stage: Mutex::new(Stage::Runs), short: AtomicBool::new(short) }),
        Box::pin(work),
    );
}

struct Begun {
    guest: Guest,
    stage: Mutex<Stage>,
    short: AtomicBool,
}

enum Stage {
    Runs,
    Waits(Work),
    Woken,
}

impl Begun {
    fn go_on(self: &Arc<Self>, mut work: Work) {
        *lock(&self.stage) = Stage::Runs;
        if self.guest.run(|| polled(&mut work, &Waker::from(self.clone()))).is_ready() {
            return;
        }
        let mut stage = lock(&self.stage);
        match *stage {
            Stage::Woken => self.guest.spawn(work),
            Stage::Runs | Stage::Waits(_) => *stage = Stage::Waits(work),
        }
    }
}

impl Wake for Begun {
    fn wake(self: Arc<Self>) {
        let stage = std::mem::replace(&mut *lock(&self.stage), Stage::Woken);
        if let Stage::Waits(work) = stage {
            // If it waits again, then for something that takes long.
            match self.short.swap(false, Ordering::Relaxed) {
                true => self.go_on(work),
                false => self.guest.spawn(work),
            }
        }
    }
}

/// Work that one thread does whenever it has nothing else to do.
pub struct Driven {
    guest: Guest,
    /// `None` once it has ended.
    work: Mutex<Option<Work>>,
    woken: AtomicBool,
    /// A thread of the runtime will look after it.
    relieved: AtomicBool,
    call: Box<dyn Fn() -> bool + Send + Sync>,
}

impl Driven {
    /// The thread is to call `go_on` when it is called; `call` says whether it waits for that. The work begins when it is
    /// woken up for the first time.
    pub fn new(
        guest: Guest,
        work: impl Future<Output = ()> + Send + 'static,
        call: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            guest,
            work: Mutex::new(Some(Box::pin(work))),
            woken: AtomicBool::new(false),
            relieved: AtomicBool::new(false),
            call: Box::new(call),
        })
    }

    /// Goes on with the work if it can.
    pub fn go_on(self: &Arc<Self>) {
        if !self.woken.swap(false, Ordering::AcqRel) {
            return;
        }
        let mut work = lock(&self.work);
        if let Some(running) = &mut *work
            && self.guest.run(|| polled(running, &Waker::from(self.clone()))).is_ready()
        {
            *work = None;
        }
    }

    /// Gives the work up, wherever it is.
    pub fn stop(&self) {
        lock(&self.work).take();
    }
}

impl Wake for Driven {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        // Its thread may be busy for long, or gone.
        if !(self.call)() && !self.relieved.swap(true, Ordering::AcqRel) {
            let driven = self.clone();
            self.guest.spawn(async move {
                tokio::time::sleep(PATIENCE).await;
                driven.relieved.store(false, Ordering::Release);
                driven.go_on();
            });
        }
    }
}

/// A panic ends the work; the hook for panics has told of it.
fn polled(work: &mut Work, waker: &Waker) -> Poll<()> {
    let poll = AssertUnwindSafe(|| work.as_mut().poll(&mut Context::from_waker(waker)));
    catch_unwind(poll).unwrap_or(Poll::Ready(()))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread::{self, ThreadId};

    use tokio::sync::oneshot;

    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
    }

    fn guest(runtime: &tokio::runtime::Runtime) -> Guest {
        Guest::new(runtime.handle().clone(), tracing::Dispatch::none())
    }

    /// Work that tells which threads run its parts, before and after a wait.
    fn told(wait: oneshot::Receiver<()>) -> (impl Future<Output = ()>, mpsc::Receiver<ThreadId>) {
        let (tell, threads) = mpsc::channel();
        let work = async move {
            tell.send(thread::current().id()).unwrap();
            wait.await.unwrap();
            tell.send(thread::current().id()).unwrap();
        };
        (work, threads)
    }

    #[test]
    fn work_begins_here_and_goes_on_at_the_runtime() {
        let runtime = runtime();
        let (wake, wait) = oneshot::channel();
        let (work, threads) = told(wait);
        begin_here(guest(&runtime), false, work);
        assert_eq!(threads.try_recv(), Ok(thread::current().id()));
        wake.send(()).unwrap();
        assert_ne!(threads.recv(), Ok(thread::current().id()));
    }

    #[test]
    fn short_work_goes_on_where_it_is_woken_up() {
        let runtime = runtime();
        let (wake, wait) = oneshot::channel();
        let (work, threads) = told(wait);
        begin_here(guest(&runtime), true, work);
        threads.recv().unwrap();
        wake.send(()).unwrap();
        assert_eq!(threads.try_recv(), Ok(thread::current().id()));
    }

    #[test]
    fn work_that_is_woken_up_while_it_runs_is_not_forgotten() {
        let runtime = runtime();
        for short in [false, true] {
            let (done, end) = mpsc::channel();
            begin_here(guest(&runtime), short, async move {
                for _ in 0..3 {
                    tokio::task::yield_now().await;
                }
                done.send(()).unwrap();
            });
            end.recv().unwrap();
        }
    }

    #[test]
    fn a_panic_ends_work() {
        let runtime = runtime();
        begin_here(guest(&runtime), false, async { panic!("on purpose") });
        let driven = Driven::new(guest(&runtime), async { panic!("on purpose") }, || true);
        driven.wake_by_ref();
        driven.go_on();
        assert!(lock(&driven.work).is_none());
    }

    #[test]
    fn driven_work_is_done_by_the_thread_that_is_called() {
        let runtime = runtime();
        let (wake, wait) = oneshot::channel();
        let (work, threads) = told(wait);
        let (call, calls) = mpsc::channel();
        let driven = Driven::new(guest(&runtime), work, move || call.send(()).is_ok());
        driven.go_on();
        assert!(threads.try_recv().is_err());
        driven.wake_by_ref();
        calls.recv().unwrap();
        driven.go_on();
        driven.go_on(); // nothing has happened
        assert_eq!(threads.try_iter().collect::<Vec<_>>(), [thread::current().id()]);
        wake.send(()).unwrap();
        calls.recv().unwrap();
        driven.go_on();
        assert_eq!(threads.try_iter().collect::<Vec<_>>(), [thread::current().id()]);
    }

    #[test]
    fn the_runtime_goes_on_with_driven_work_whose_thread_does_not_come() {
        let runtime = runtime();
        let (wake, wait) = oneshot::channel();
        let (work, threads) = told(wait);
        let driven = Driven::new(guest(&runtime), work, || false);
        driven.wake_by_ref();
        assert_ne!(threads.recv(), Ok(thread::current().id()));
        wake.send(()).unwrap();
        assert_ne!(threads.recv(), Ok(thread::current().id()));
    }
}
