//! Statements against a plain GROUP BY over the lines: two months of orders, late, cancelled, reversed and corrected ones among them; asked for while the
//! intake runs and lines are folded, checked afterwards at the seals that the answers named.

use crate::cluster::Cluster;
use crate::ledger::{Ledger, config, sqlite};
use premium_ledger::api::proto as pb;
use premium_ledger::app::open_store;
use premium_ledger::clock::Clock;
use premium_ledger::command::simulate::day::Simulated;
use premium_ledger::config::Database;
use premium_ledger::types::{Day, Money};
use sqlx::{Connection, PgConnection, SqliteConnection};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tonic::Request;

/// Events of each of the two days.
const EVENTS: u64 = 12_000;

/// (platform, province, industry, service month, what): how many, and how much.
type Sums = BTreeMap<(String, String, String, String, String), (i64, i64)>;

/// Every sum of the lines up to a seal. `{l}` and `{s}`: lines and seals.
const GROUPED: &str = "
    with booked as (select l.* from {line} l join {seal} s on s.journal_id = l.journal_id where s.seal_no <= {to}),
    standing as (
        select b.*, row_number() over (partition by platform_code, order_id, assignment_no order by kind desc, slot desc) as place
        from booked b
        where kind <= 2 and not exists (
            select 1 from booked r
            where r.kind = 3 and r.order_id = b.order_id and r.platform_code = b.platform_code
              and r.assignment_no = b.assignment_no and r.corrects_slot = b.slot)
    )
    select platform_code || '|' || province_code || '|' || industry_code || '|' || service_period || '|line ' || kind
           || '|' || count(*) || '|' || cast(coalesce(sum({micros}), 0) as bigint)
    from booked group by platform_code, province_code, industry_code, service_period, kind
    union all
    select platform_code || '|' || province_code || '|' || industry_code || '|' || service_period || '|key '
           || premium_state || ' ' || coalesce(end_kind, 0) || '|' || count(*) || '|0'
    from standing where place = 1
    group by platform_code, province_code, industry_code, service_period, premium_state, end_kind";

async fn grouped(url: &str, to: u64) -> Sums {
    let postgres = url.starts_with("postgres");
    let (line, seal, micros) = match postgres {
        true => ("ledger.line", "ledger.seal", "amount * 1000000"),
        false => ("line", "seal", "amount"),
    };
    let sql = GROUPED.replace("{line}", line).replace("{seal}", seal).replace("{micros}", micros);
    let sql = sql.replace("{to}", &to.to_string());
    let rows: Vec<String> = match postgres {
        true => {
            let mut connection = PgConnection::connect(url).await.unwrap();
            sqlx::query_scalar(&sql).fetch_all(&mut connection).await.unwrap()
        }
        false => {
            let mut connection = SqliteConnection::connect(url).await.unwrap();
            sqlx::query_scalar(&sql).fetch_all(&mut connection).await.unwrap()
        }
    };
    let sum = |row: &String| {
        let parts: Vec<&str> = row.split('|').collect();
        let [platform, province, industry, period, what, count, amount] = parts[..] else { panic!("{row}") };
        let month = format!("{}-{}", &period[..4], &period[4..]);
        let key = (platform.to_owned(), province.to_owned(), industry.to_owned(), month, what.to_owned());
        (key, (count.parse().unwrap(), amount.parse().unwrap()))
    };
    rows.iter().map(sum).collect()
}

/// The same, as the statements say.
fn told(statements: &[pb::Statement]) -> Sums {
    let mut sums = Sums::new();
    for statement in statements {
        let key = statement.key.clone().unwrap();
        assert!(statement.prior.is_empty(), "nothing is frozen");
        let section = statement.current.as_ref().unwrap();
        let mut put = |what: String, count: i64, amount: &str| {
            let of = (
                key.platform_code.clone(),
                key.province_code.clone(),
                key.industry_code.clone(),
                key.period.clone(),
                what,
            );
            if count != 0 {
                sums.insert(of, (count, Money::parse(amount).unwrap().micros()));
            }
        };
        let kinds = [&section.opens, &section.charges, &section.reversals, &section.adjustments];
        for (n, lines) in kinds.into_iter().enumerate() {
            let lines = lines.clone().unwrap();
            put(format!("line {}", n + 1), lines.count as i64, &lines.amount);
        }
        let standing = section.standing.as_ref().unwrap();
        put("key 2 0".to_owned(), standing.open, "0");
        for of_kind in &standing.not_charged {
            put(format!("key 2 {}", of_kind.end_kind), of_kind.count, "0");
        }
        put("charged".to_owned(), standing.charged, "0");
        put("out of scope".to_owned(), standing.out_of_scope, "0");
        let exact = Money::parse(&statement.exact).unwrap().micros();
        let declared = Money::parse(&statement.rounded).unwrap().micros();
        assert_eq!(
            exact,
            declared + Money::parse(&statement.residual).unwrap().micros(),
            "nothing is lost in rounding"
        );
        assert_eq!(declared % 10_000, 0);
    }
    sums
}

/// Charged keys and those out of scope are told without their end kinds.
fn without_kinds(grouped: Sums) -> Sums {
    let mut sums = Sums::new();
    for (mut key, (count, amount)) in grouped {
        if key.4.starts_with("key 4") {
            key.4 = "charged".to_owned();
        } else if key.4.starts_with("key 1") {
            key.4 = "out of scope".to_owned();
        }
        let sum = sums.entry(key).or_default();
        *sum = (sum.0 + count, sum.1 + amount);
    }
    sums
}

/// Books a day, and takes back or corrects one line in forty on the way.
async fn book(ledger: Arc<Ledger>, day: &'static str, events: Vec<pb::Order>) {
    for (i, batch) in events.chunks(250).enumerate() {
        let request = pb::RecordOrdersRequest { batch_id: String::new(), orders: batch.to_vec() };
        let results = ledger.intake.record_orders(Request::new(request)).await.unwrap().into_inner().results;
        let recorded = batch.iter().zip(&results).filter(|(_, result)| result.outcome == 1);
        for (n, (order, result)) in recorded.enumerate().filter(|(n, _)| n % 40 == i % 40) {
            let request_id = format!("{day}-{i}-{n}");
            let reversal_reason = pb::ReversalReason::WrongData.into();
            let line_id = result.line_id.clone();
            if n % 2 == 0 {
                let order = pb::Order { accept_area: "440106".to_owned(), ..order.clone() };
                let request = pb::CorrectOrderRequest { request_id, line_id, order: Some(order), reversal_reason };
                // One that says so already is not corrected.
                let _ = ledger.intake.correct_order(Request::new(request)).await;
            } else {
                let key = pb::OrderKey {
                    platform_code: order.platform_code.clone(),
                    order_id: order.order_id.clone(),
                    assignment_no: order.assignment_no,
                };
                let request = pb::ReverseOrderRequest { request_id, key: Some(key), line_id, reversal_reason };
                ledger.intake.reverse_order(Request::new(request)).await.unwrap();
            }
        }
    }
}

async fn list(ledger: &Ledger, period: &str) -> Vec<pb::Statement> {
    let mut request =
        pb::ListStatementsRequest { period: period.to_owned(), page_size: 300, ..Default::default() };
    let mut statements = Vec::new();
    loop {
        let page = ledger.statement.list_statements(Request::new(request.clone())).await.unwrap().into_inner();
        statements.extend(page.statements);
        if page.next_page_token.is_empty() {
            return statements;
        }
        request.page_token = page.next_page_token;
    }
}

async fn check(database: Database, url: &str) {
    // Before anything waits: to make them takes seconds, in which a thread of the runtime would serve nobody else.
    let days = [("2026-07-31", 1), ("2026-08-01", 2)].map(|(day, seed)| {
        let simulated = Simulated::new(seed, Day::parse(day).unwrap(), EVENTS, 400);
        (day, simulated.map(|event| event.order).collect())
    });
    let store = open_store(&config(database), Clock::system()).await.unwrap();
    let (ledger, stop) = Ledger::over(store.clone(), 2).await;
    let ledger = Arc::new(ledger);
    let over = Arc::new(AtomicBool::new(false));
    let fold = tokio::spawn({
        let over = over.clone();
        async move {
            while !over.load(Ordering::Relaxed) {
                store.fold_totals(900).await.unwrap();
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
        }
    });
    let booking: Vec<_> = days.map(|(day, events)| tokio::spawn(book(ledger.clone(), day, events))).into();
    let mut answers = Vec::new();
    while !booking.iter().all(|task| task.is_finished()) {
        for period in ["2026-07", "2026-08"] {
            let statements = list(&ledger, period).await;
            answers.extend((!statements.is_empty()).then_some((period, statements)));
        }
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    for task in booking {
        task.await.unwrap();
    }
    over.store(true, Ordering::Relaxed);
    fold.await.unwrap();
    answers.push(("2026-07", list(&ledger, "2026-07").await));
    answers.push(("2026-08", list(&ledger, "2026-08").await));
    assert!(answers.len() >= 6, "asked while the intake ran: {}", answers.len());
    let spread = answers.len().div_ceil(6);
    let last = answers.len() - 2;
    for (n, (period, statements)) in answers.iter().enumerate().filter(|(n, _)| n % spread == 0 || *n >= last) {
        let seal = statements[0].seal;
        assert!(statements.iter().all(|statement| statement.seal == seal), "all pages are of one seal");
        let mut expected = without_kinds(grouped(url, seal).await);
        expected.retain(|key, _| key.3 == *period);
        assert_eq!(told(statements), expected, "answer {n}: {period} as of {seal}");
    }
    // Each asked for by itself is read from the folds another way.
    for statement in answers[last..].iter().flat_map(|(_, statements)| statements).step_by(5) {
        let point = pb::known_at::Point::Seal(statement.seal);
        let request = pb::GetStatementRequest {
            key: statement.key.clone(),
            known_at: Some(pb::KnownAt { point: Some(point) }),
        };
        let alone = ledger.statement.get_statement(Request::new(request)).await.unwrap().into_inner().statement;
        assert_eq!(alone.as_ref(), Some(statement));
    }
    drop((ledger, stop));
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_are_a_group_by_over_the_lines_on_postgres() {
    let cluster = Cluster::shared();
    let url = cluster.database().await;
    check(Database::Postgres(url.clone()), &url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_are_a_group_by_over_the_lines_on_sqlite() {
    let (_folder, database) = sqlite();
    let Database::Sqlite(place) = &database else { unreachable!() };
    let url = format!("sqlite://{}", place.path.display());
    check(database, &url).await;
}
