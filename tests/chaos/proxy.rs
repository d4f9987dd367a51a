//! A link that can be cut or slowed: the broker says that one of its listeners is reached here.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread::{sleep, spawn};
use std::time::Duration;

use crate::topics::now;

const WHOLE: u8 = 0;
const CUT: u8 = 1;
const SLOW: u8 = 2;

#[derive(Default)]
struct Link {
    state: AtomicU8,
    until: AtomicI64,
    open: Mutex<Vec<TcpStream>>,
}

pub struct Proxy {
    pub address: String,
    link: Arc<Link>,
}

impl Proxy {
    /// Listens where the broker says that it does.
    pub fn begin() -> Self {
        let ports = std::env::var("QUEUEPULSE_KAFKA_PROXY").unwrap();
        let (said, real) = ports.split_once(':').unwrap();
        let address = format!("127.0.0.1:{said}");
        let real = format!("127.0.0.1:{real}");
        let listener = TcpListener::bind(&address).unwrap();
        let link = Arc::new(Link::default());
        let shared = Arc::clone(&link);
        spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if shared.state.load(Relaxed) == CUT {
                    continue;
                }
                let Ok(server) = TcpStream::connect(&real) else {
                    continue;
                };
                carry(&shared, &client, &server);
                carry(&shared, &server, &client);
                let mut open = shared.open.lock().unwrap();
                open.extend([client, server]);
            }
        });
        Self { address, link }
    }

    /// Nothing passes any more; what is open hangs, as a cut cable makes it.
    pub fn cut(&self, time: Duration) {
        self.disturb(CUT, time);
    }

    /// Pieces of 4 kB, each 40 ms late; what is open now is reset.
    pub fn slow(&self, time: Duration) {
        self.disturb(SLOW, time);
        self.reset();
    }

    fn disturb(&self, state: u8, time: Duration) {
        let time = i64::try_from(time.as_millis()).unwrap();
        self.link.until.store(now() + time, Relaxed);
        self.link.state.store(state, Relaxed);
    }

    fn reset(&self) {
        for stream in self.link.open.lock().unwrap().drain(..) {
            let _closed_already = stream.shutdown(Shutdown::Both);
        }
    }

    pub fn disturbed(&self) -> bool {
        self.link.state.load(Relaxed) != WHOLE
    }

    /// Heals the link when its time has come.
    pub fn mend(&self) {
        if self.disturbed() && now() >= self.link.until.load(Relaxed) {
            self.heal();
        }
    }

    /// Whole again; what was open is reset.
    pub fn heal(&self) {
        if self.link.state.swap(WHOLE, Relaxed) != WHOLE {
            self.reset();
        }
    }
}

fn carry(link: &Arc<Link>, from: &TcpStream, to: &TcpStream) {
    let (Ok(mut from), Ok(mut to)) = (from.try_clone(), to.try_clone()) else {
        return;
    };
    let link = Arc::clone(link);
    spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(read) = from.read(&mut piece) {
            while link.state.load(Relaxed) == CUT {
                sleep(Duration::from_millis(20));
            }
            if link.state.load(Relaxed) == SLOW {
                sleep(Duration::from_millis(40));
            }
            if read == 0 || to.write_all(&piece[..read]).is_err() {
                break;
            }
        }
        let _closed_already = to.shutdown(Shutdown::Both);
        let _closed_already = from.shutdown(Shutdown::Both);
    });
}
