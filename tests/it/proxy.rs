//! The address at which the service finds its database, or a caller the service: as a virtual address or a balancer is, it may lead elsewhere, cut what is open, or be gone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Where it leads; nothing: it takes nobody.
type Target = Option<SocketAddr>;

/// A forwarder on loopback.
pub struct Proxy {
    pub port: u16,
    target: Arc<watch::Sender<Target>>,
    taken: Arc<AtomicUsize>,
}

impl Proxy {
    pub async fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let target = Arc::new(watch::Sender::new(Some(local(to))));
        let taken = Arc::new(AtomicUsize::new(0));
        let (leads, count) = (target.clone(), taken.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(forward(client, leads.subscribe()));
            }
        });
        Self { port, target, taken }
    }

    /// Connections that it took, all told.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// Cuts all that is open, and takes nobody until it leads somewhere again.
    pub fn gone(&self) {
        self.target.send_replace(None);
    }

    /// Cuts all that is open; new connections lead to this port.
    pub fn leads_to(&self, port: u16) {
        self.target.send_replace(Some(local(port)));
    }
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Until either side ends, or the target is set anew.
async fn forward(mut client: TcpStream, mut target: watch::Receiver<Target>) {
    let Some(to) = *target.borrow_and_update() else { return };
    let Ok(mut server) = TcpStream::connect(to).await else { return };
    // As a database's own client would have it; a broken copy is the end of both.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = target.changed() => {}
    }
}
