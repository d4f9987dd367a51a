//! The wallboard in a terminal: what an instance's API says, in the order and the words of its page.
//!
//! Pure: an answer and an instant go in, cells of a terminal come out. `app::top` owns the terminal,
//! the thread that asks, and the clock. Fed by `/api/v1/snapshot` once a second, of the stream's own
//! form (`brief`, one window): each answer is whole, so a lost connection needs no state of its own.
//! Rejected: the event stream, which would want a reader of its own for a figure that people read
//! once a second.

pub mod client;
mod columns;
mod draw;
mod figures;
mod state;
#[cfg(test)]
mod tests;

pub use draw::Board;
pub use figures::Snapshot;
pub use state::{Got, Look, Next, Options, Sort, Top, Wanted};
