//! `demo`: serves an embedded ledger, plays a small seeded day, shows what can be asked of it, and keeps serving.

use super::client::{ClientError, DEFAULT_SERVER, connect};
use super::reload::{Reload, SetLog};
use super::serve::{self, Signals};
use super::simulate::day::Simulated;
use super::simulate::{SimulateArgs, play};
use super::{Done, ask};
use crate::api::proto as pb;
use crate::app::App;
use crate::clock::Clock;
use crate::config::{DEFAULT_LISTEN, ServeArgs};
use crate::types::{Day, EndKind, Instant};
use clap::Args;
use pb::intake_service_client::IntakeServiceClient;
use std::collections::{HashMap, HashSet};
use std::io::{Write, stdout};
use tokio::time::Instant as Started;

const SEED: u64 = 1;
const EVENTS: u64 = 20_000;
const WORKERS: u32 = 2_000;
const DATE: &str = "2026-07-15";

/// Where to serve the demo.
#[derive(Args, Clone, Debug)]
pub struct DemoArgs {
    /// Address to serve on
    #[arg(long, env = "PREMIUM_LEDGER_LISTEN", value_name = "ADDRESS", default_value = DEFAULT_LISTEN)]
    pub listen: String,
    /// The embedded ledger
    #[arg(long, value_name = "URL", default_value = "sqlite:./data/demo.sqlite")]
    pub database_url: String,
}

/// Runs until a signal.
pub async fn run(args: &DemoArgs, set_log: SetLog) -> Done {
    let mut serving = ServeArgs::of_demo();
    serving.listen.clone_from(&args.listen);
    serving.database_url.clone_from(&args.database_url);
    let app = App::start(&serving.check()?, Clock::system()).await?;
    let server = format!("http://{}", app.address());
    let option = if server == DEFAULT_SERVER { String::new() } else { format!(" --server {server}") };
    writeln!(stdout(), "serving {server} from {}\n", args.database_url)?;

    writeln!(stdout(), "A day of {EVENTS} order events of 25 platforms ({DATE}, seed {SEED}):\n")?;
    let day = SimulateArgs {
        server: server.clone(),
        events: EVENTS,
        seed: SEED,
        date: DATE.to_owned(),
        workers: WORKERS,
        speed: None,
        streams: 2,
        batch: 500,
        quiet: true,
    };
    let started = Started::now();
    let tally = play(&day).await?;
    writeln!(stdout(), "{}", tally.report(started.elapsed()))?;

    let shown = Shown::find(Day::parse(DATE)?);
    for (title, order, minutes) in [
        ("A worker's cover in the middle of an order", &shown.completed, 5),
        ("An accident in an order whose end was never reported", &shown.open, 20),
    ] {
        let Some(order) = order else { continue };
        let Some(at) = accepted_at(order).map(|at| at.plus_seconds(minutes * 60)) else { continue };
        writeln!(stdout(), "{title}:\n\n  $ premium-ledger coverage {} --at {at}{option}", order.worker_id)?;
        writeln!(stdout(), "{}", ask::coverage(&server, &order.worker_id, at, None).await?)?;
    }
    if let Some(conflict) = find_conflict(&server, Clock::system().now().day()).await? {
        let (platform, id, number) = (&conflict.platform_code, &conflict.order_id, conflict.assignment_no);
        let assignment = if number > 1 { format!(" --assignment {number}") } else { String::new() };
        writeln!(
            stdout(),
            "An order that was told in two versions:\n\n  $ premium-ledger order {platform} {id}{assignment}{option}"
        )?;
        writeln!(stdout(), "{}", ask::order(&server, platform, id, number).await?)?;
    }
    writeln!(stdout(), "Serving on {server} until Ctrl-C.")?;
    serve::until_stopped(app, Signals::listen()?, &Reload::new(None, set_log)).await
}

/// Orders of the day worth asking about.
struct Shown {
    completed: Option<pb::Order>,
    open: Option<pb::Order>,
}

impl Shown {
    fn find(date: Day) -> Self {
        let key = |o: &pb::Order| (o.platform_code.clone(), o.order_id.clone(), o.assignment_no);
        let events: Vec<pb::Order> = Simulated::new(SEED, date, EVENTS, WORKERS).map(|e| e.order).collect();
        let ended: HashSet<_> = events.iter().filter(|o| o.ended_at.is_some()).map(key).collect();
        let mut seen: HashMap<_, u32> = HashMap::new();
        for order in &events {
            *seen.entry(key(order)).or_default() += 1;
        }
        let completed = |o: &&pb::Order| {
            o.end_kind == i32::from(EndKind::Completed.code()) && seen[&key(o)] == 2 && o.assignment_no == 1
        };
        // Late enough in the day that the platform's other orders stand around it, early enough that it has ended.
        let noon = date.start().plus_seconds(12 * 3_600);
        let open = |o: &&pb::Order| {
            o.ended_at.is_none()
                && !ended.contains(&key(o))
                && seen[&key(o)] == 1
                && valid(o)
                && accepted_at(o).is_some_and(|at| at < noon)
        };
        Self { completed: events.iter().find(completed).cloned(), open: events.iter().rev().find(open).cloned() }
    }
}

fn valid(order: &pb::Order) -> bool {
    order.worker_id.len() == 36 && !order.accept_area.is_empty() && order.platform_code != "NOBODY"
}

fn accepted_at(order: &pb::Order) -> Option<Instant> {
    let accepted = order.accepted_at.as_ref()?;
    Instant::from_parts(accepted.seconds, accepted.nanos).ok()
}

/// Some conflict of today.
async fn find_conflict(server: &str, today: Day) -> Result<Option<pb::Order>, ClientError> {
    let mut client = IntakeServiceClient::new(connect(server).await?);
    for platform in ["MEITUAN", "ELEME", "DIDI"] {
        let request = pb::ListConflictsRequest {
            platform_code: platform.to_owned(),
            date: today.to_string(),
            page_size: 1,
            page_token: String::new(),
        };
        let found = client.list_conflicts(request).await?.into_inner().conflicts;
        if let Some(order) = found.into_iter().find_map(|conflict| conflict.order) {
            return Ok(Some(order));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_has_what_the_demo_shows() {
        let shown = Shown::find(Day::parse(DATE).unwrap());
        assert!(shown.completed.is_some());
        assert!(shown.open.as_ref().and_then(accepted_at).is_some());
    }
}
