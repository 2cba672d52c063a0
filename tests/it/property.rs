//! Random scripts on the model and on SQLite: the same transcripts. A failure prints the smallest script that shows it. The same 100
//! scripts every time, so that nobody's change is refused for another's; `PROPTEST_CASES=1000` tries as many new ones.

use crate::ledger::Ledger;
use crate::script;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Few keys, few contents, few workers: collisions are the rule.
fn order() -> impl Strategy<Value = String> {
    let ends = [
        "",
        " end=2026-10-01T12:30:00 kind=COMPLETED",
        " end=2026-10-01T12:45:00 kind=COMPLETED",
        " end=2026-10-01T12:20:00 kind=CANCELLED_BY_CUSTOMER",
        " end=2026-10-01T11:00:00 kind=COMPLETED",
    ];
    (0..3_u8, 1..3_u8, 0..3_u8, prop::sample::select(ends.to_vec()), 0..20_u8).prop_map(
        |(id, worker, minute, end, odd)| {
            let odd = match odd {
                0 => " agency=AG",
                1 => " area=320101",
                2 => " platform=DIDI",
                3 => " industry=takeaway",
                4 => " worker=nobody",
                _ => "",
            };
            format!("id=k{id} worker=w{worker} at=2026-10-01T12:0{minute}:00{end}{odd}")
        },
    )
}

fn step() -> impl Strategy<Value = String> {
    let line = 1..12_u8;
    let at = (1..3_u8, 10..60_u8);
    prop_oneof![
        6 => prop::collection::vec(order(), 1..4).prop_map(|orders| format!("> record {}", orders.join(" | "))),
        2 => (0..3_u8).prop_map(|id| format!("> reverse id=k{id} reason=OTHER")),
        1 => (0..3_u8, line.clone()).prop_map(|(id, line)| format!("> reverse id=k{id} line=L{line} reason=OTHER")),
        2 => (line, order()).prop_map(|(line, order)| format!("> correct line=L{line} {order} reason=WRONG_DATA")),
        2 => (0..3_u8).prop_map(|id| format!("> get id=k{id}")),
        3 => at.prop_map(|(worker, minute)| format!("> coverage worker=w{worker} at=2026-10-01T12:{minute}:00")),
        1 => (1..3_u8).prop_map(|worker| format!("> day worker=w{worker} date=2026-10-01")),
        1 => (0..59_u8).prop_map(|minute| format!("> watermark at=2026-10-01T12:{minute:02}:00")),
        1 => (1..30_u8).prop_map(|cent| format!("> rate platform=MEITUAN province=31 base=0.{cent:02} valid_from=2026-09-{cent:02}")),
        3 => Just("> fold".to_owned()),
        1 => prop::sample::select(vec!["", " dry=1", " province=31", " until=2026-10-02"]).prop_map(|what| format!("> reprice{what}")),
        2 => prop::sample::select(vec!["2026-10", "2026-11"]).prop_map(|period| format!("> statements period={period}")),
        1 => Just("> lines period=2026-10".to_owned()),
        1 => Just("> freeze period=2026-10".to_owned()),
        1 => Just("> conflicts".to_owned()),
        1 => Just("> refusals".to_owned()),
    ]
}

#[test]
fn random_scripts_agree_with_the_model() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let explore = std::env::var_os("PROPTEST_CASES").is_some();
    let config = Config { failure_persistence: None, ..Config::default() };
    let mut runner = match explore {
        true => TestRunner::new(config),
        false => {
            let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
            TestRunner::new_with_rng(Config { cases: 100, ..config }, rng)
        }
    };
    let scripts = prop::collection::vec(step(), 1..25).prop_map(|steps| steps.join("\n") + "\n");
    let result = runner.run(&scripts, |text| {
        let (model, sqlite) = runtime.block_on(async {
            let model = script::run(&Ledger::model(), &text).await;
            (model, script::run(&Ledger::sqlite().await, &text).await)
        });
        prop_assert_eq!(script::bare(&sqlite), script::bare(&model));
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}
