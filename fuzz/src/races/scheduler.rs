//! Runs tasks on this thread, in an order that the input chooses.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

/// A task, or its output with the steps of its start and end.
enum Task<T> {
    Runs(Option<usize>, Pin<Box<dyn Future<Output = T>>>),
    Done(Finished<T>),
}

/// The output of a task, and the steps of its start and end.
pub(super) struct Finished<T> {
    pub(super) began: usize,
    pub(super) ended: usize,
    pub(super) output: T,
}

/// More steps than any race takes. After them, a task waits for an event that never comes.
const STUCK: usize = 100_000;

/// Each byte of `order` selects the task that goes on to its next verb of the store. After the last
/// byte, all tasks go on in turn.
pub(super) fn run<T>(
    tasks: Vec<Pin<Box<dyn Future<Output = T>>>>,
    order: &[u8],
) -> Vec<Finished<T>> {
    let mut tasks: Vec<_> = tasks.into_iter().map(|task| Task::Runs(None, task)).collect();
    let mut context = Context::from_waker(Waker::noop());
    for step in 0.. {
        assert!(step < STUCK, "the tasks wait for each other");
        let mut running: Vec<&mut Task<T>> =
            tasks.iter_mut().filter(|task| matches!(task, Task::Runs(..))).collect();
        if running.is_empty() {
            break;
        }
        let next = order.get(step).map_or(step, |next| usize::from(*next)) % running.len();
        let task = &mut *running[next];
        let Task::Runs(began, future) = task else { continue };
        let began = *began.get_or_insert(step);
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            *task = Task::Done(Finished { began, ended: step, output });
        }
    }
    let done = tasks.into_iter().filter_map(|task| match task {
        Task::Done(finished) => Some(finished),
        Task::Runs(..) => None,
    });
    done.collect()
}
