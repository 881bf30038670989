//! Watching in an async program, on an executor of thirty lines.
//!
//! `cargo run -p revwatch --features stream --example async_watch`

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use futures_core::Stream;
use revwatch::{EventKind, KeyRange, Options, Result, SharedStore, WatchRequest, WatchResponse};

/// Runs a future on this thread, which sleeps until the future is woken.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// The next item of a stream; crates such as `futures` have this and much more.
async fn next<S: Stream>(mut stream: Pin<&mut S>) -> Option<S::Item> {
    poll_fn(|context| stream.as_mut().poll_next(context)).await
}

fn main() -> Result<()> {
    let store = SharedStore::in_memory(Options::default());
    let stream = store.watch_stream();
    store.watch(stream, &WatchRequest::new(KeyRange::prefix(b"/task/")))?;

    let writer = store.clone();
    let writing = thread::spawn(move || {
        for number in 1..=3 {
            let key = format!("/task/{number}");
            writer.put(key.as_bytes(), b"to do")?;
        }
        writer.put(b"/task/done", b"")
    });

    block_on(async {
        let mut responses = pin!(store.responses(stream, 100, 1 << 20));
        while let Some(response) = next(responses.as_mut()).await {
            let WatchResponse::Events { events, .. } = response? else {
                continue;
            };
            for event in events.iter() {
                let verb = match event.kind {
                    EventKind::Put => "put",
                    EventKind::Delete => "delete",
                };
                let key = String::from_utf8_lossy(event.kv.key);
                println!("{} {verb} {key}", event.kv.mod_revision);
                if event.kv.key == b"/task/done" {
                    store.close_stream(stream);
                }
            }
        }
        Ok::<(), revwatch::Error>(())
    })?;
    writing.join().expect("the writer does not panic").map(drop)
}
