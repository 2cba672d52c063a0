//! Connections that are used all the time, to write and to ask for cover: the one used last is used next, and the pool does not see it in between.
//!
//! The pool asks each connection that is given back whether it lives, a round trip, and hands out the one that has been idle for longest, whose session and
//! plans are in no cache any more.

use super::codec::store_error;
use crate::store::StoreResult;
use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgPool;
use std::sync::Mutex;

/// Idle connections of a pool that are kept out of it.
#[derive(Debug)]
pub struct Warm {
    pool: PgPool,
    idle: Mutex<Vec<PoolConnection<Postgres>>>,
    most: usize,
}

impl Warm {
    /// Keeps so many at most.
    pub const fn new(pool: PgPool, most: usize) -> Self {
        Self { pool, idle: Mutex::new(Vec::new()), most }
    }

    /// A connection. Whoever has done with it without an error keeps it warm; any other goes back to the pool, which looks at it.
    pub async fn take(&self) -> StoreResult<PoolConnection<Postgres>> {
        let warm = self.idle.lock().expect("no panic while held").pop();
        match warm {
            Some(connection) => Ok(connection),
            None => self.pool.acquire().await.map_err(store_error),
        }
    }

    /// For the next.
    pub fn keep(&self, connection: PoolConnection<Postgres>) {
        let mut idle = self.idle.lock().expect("no panic while held");
        if idle.len() < self.most && !self.pool.is_closed() {
            idle.push(connection);
        }
    }

    /// How many are idle here.
    pub fn len(&self) -> usize {
        self.idle.lock().expect("no panic while held").len()
    }

    /// Gives all back: the database may be gone.
    pub fn clear(&self) {
        self.idle.lock().expect("no panic while held").clear();
    }
}
