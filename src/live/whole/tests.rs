use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use super::*;
use crate::live::fixture::{self, NOW};
use crate::live::live::{LiveParts, Standing};
use crate::live::{Centre, Frames, QueueKey, RowName};
use crate::windows::frame::Frame;

static CLOCK: AtomicI64 = AtomicI64::new(0);
/// The clock is shared by the tests.
static ONE_BY_ONE: Mutex<()> = Mutex::new(());

fn engine(standing: &Arc<Mutex<Standing>>, centre: &Arc<Centre>, frames: &Arc<Frames>) -> Live {
    let standing = Arc::clone(standing);
    Live::new(LiveParts {
        registry: Arc::new(fixture::registry()),
        frames: Arc::clone(frames),
        specs: fixture::specs(),
        coverage: Box::new(fixture::coverage),
        condition: Box::new(|_| Condition {
            unready: Some("catching up".to_owned()),
            ..Condition::default()
        }),
        clock: || Millis(CLOCK.load(Relaxed)),
        session_timeout: Span::seconds(10),
        history: Box::new(|_, _| Some(Vec::new())),
        standing: Box::new(move || standing.lock().unwrap().clone()),
        centre: Arc::clone(centre),
        stale_after: Span::seconds(30),
    })
}

fn among(own: &[bool]) -> Standing {
    Standing::Among {
        share: Share::Of(own.to_vec()),
        unready: None,
    }
}

fn whole(live: &Live, to: Millis, own: &[bool]) -> Whole {
    let frames = fixture::frames(live.registry(), 1).into_iter();
    let at = |frame: Arc<Frame>| {
        Arc::new(Frame {
            tick: to.0.unsigned_abs(),
            to,
            now: to,
            ..Frame::clone(&frame)
        })
    };
    Whole {
        to,
        frames: frames.map(at).collect(),
        known_to: Some(to - Span(400)),
        since: [Millis::MIN; 2],
        own: own.to_vec(),
    }
}

fn at(later: i64) {
    CLOCK.store(NOW.0 + later, Relaxed);
}

#[test]
fn among_others_the_whole_is_shown_whatever_ones_own_partitions_do() {
    let _alone = ONE_BY_ONE.lock().unwrap();
    let standing = Arc::new(Mutex::new(among(&[true, false])));
    let centre = Arc::<Centre>::default();
    let live = engine(&standing, &centre, &Arc::new(Frames::new(1)));
    at(0);
    assert!(live.look().is_err(), "nobody has published");
    centre.show(whole(&live, NOW, &[true, true]));
    at(900);
    let look = live.look().unwrap();
    assert_eq!(look.merged.to, NOW);
    assert_eq!(look.data_age_seconds(), Some(1.3));
    assert_eq!(look.silence, None, "nobody knows it of all topics");
    assert_eq!(
        look.share,
        Share::Of(vec![true, false]),
        "owned then and now"
    );
    assert!(look.merged.total.windows[0].complete && !look.stale);
    let key = QueueKey::new("acme", "sales", "voice");
    assert!(
        live.history(&key, &[]).is_err(),
        "its own past is a part only"
    );
}

#[test]
fn what_was_shown_stands_until_it_is_stale_and_then_nothing_is_complete() {
    let _alone = ONE_BY_ONE.lock().unwrap();
    let standing = Arc::new(Mutex::new(among(&[])));
    let centre = Arc::<Centre>::default();
    let live = engine(&standing, &centre, &Arc::new(Frames::new(1)));
    centre.show(whole(&live, NOW, &[]));
    at(30_000);
    let look = live.look().unwrap();
    assert!(!look.stale && look.merged.total.windows[0].complete);
    centre.tell(Vec::new(), vec!["contact/3".to_owned()]);
    at(30_001);
    let look = live.look().unwrap();
    assert!(look.stale);
    let rows = look.merged.queues.iter().chain([&look.merged.total]);
    let mut windows = rows.flat_map(|row| row.windows.iter());
    assert!(windows.all(|window| !window.complete));
    assert!(
        look.condition
            .unready
            .as_deref()
            .unwrap()
            .contains("contact/3")
    );
    // the age goes on growing, and nothing but the age says so: nobody reads back
    assert_eq!(look.condition.data_age, Some(Span(30_401)));
    assert!(!look.condition.catching_up);
    centre.show(whole(&live, NOW + Span::seconds(31), &[]));
    at(31_500);
    let look = live.look().unwrap();
    assert!(!look.stale && look.merged.total.windows[0].complete);
}

#[test]
fn one_that_was_alone_goes_on_showing_what_it_showed_and_exports_nothing_of_it_that_is_lost() {
    let _alone = ONE_BY_ONE.lock().unwrap();
    let standing = Arc::new(Mutex::new(Standing::Alone));
    let centre = Arc::<Centre>::default();
    let frames = Arc::new(Frames::new(2));
    let mut live = engine(&standing, &centre, &frames);
    live.parts.condition = Box::new(|_| Condition::default());
    for (worker, frame) in fixture::frames(live.registry(), 1).into_iter().enumerate() {
        frames.publisher(worker).publish(Frame::clone(&frame));
    }
    at(0);
    assert_eq!(live.look().unwrap().share, Share::All);
    *standing.lock().unwrap() = among(&[false, false]);
    centre.show(whole(&live, NOW - Span::seconds(9), &[true, false]));
    at(2000);
    let look = live.look().unwrap();
    assert_eq!(
        (look.merged.tick, look.merged.to),
        (1, NOW),
        "not an earlier whole"
    );
    assert!(!look.share.has(&RowName::Total));
    centre.show(whole(&live, NOW + Span::seconds(1), &[false, false]));
    assert_eq!(live.look().unwrap().merged.to, NOW + Span::seconds(1));
}
