//! Files that are broken, and uploads that are broken off.

use super::start;
use crate::served::{Served, WORKER, order};
use premium_ledger::api::proto as pb;
use premium_ledger::types::DifferenceType as Kind;
use std::collections::{BTreeMap, BTreeSet};
use tonic::Code;
use tonic_types::StatusExt;

/// Whatever is broken is told by row and column, and the rest is compared.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_file_is_compared_as_far_as_it_can_be_read() {
    let served = Served::sqlite().await;
    served.book((0..20).map(|n| order(&format!("o{n}"), "2026-07-15", "310101")).collect()).await;
    let mut file = b"order_id,worker_id,period,premium\n".to_vec();
    let mut expected = BTreeSet::new();
    let mut row = 1;
    let mut put = |bytes: &[u8], told: Option<(&str, &str)>| {
        row += 1;
        file.extend_from_slice(bytes);
        file.push(b'\n');
        if let Some((id, column)) = told {
            expected.insert(("UNREADABLE_AT_SOURCE", row, id.to_owned(), column.to_owned()));
        }
    };
    let good = |id: &str| format!("{id},{WORKER},2026-07,0.07").into_bytes();
    put(&good("o0"), None);
    put(b"o1,\xff\xfe,2026-07,0.07", Some(("o1", "worker_id")));
    put(&[b"o2,".to_vec(), vec![b'x'; 200_000]].concat(), Some(("", "")));
    put(format!("o3,{WORKER},2026-07,-0.07").as_bytes(), Some(("o3", "premium")));
    put(format!("o4,{WORKER},2026-07,0.0700001").as_bytes(), Some(("o4", "premium")));
    put(format!("o5,{WORKER},2026/7/15,0.07").as_bytes(), Some(("o5", "period")));
    put(format!("o6,{WORKER},46204,0.07").as_bytes(), Some(("o6", "period")));
    put(format!("1.23457E+17,{WORKER},2026-07,0.07").as_bytes(), Some(("", "order_id")));
    put(format!("o7,{WORKER}").as_bytes(), Some(("o7", "period")));
    put(format!("o8,{WORKER},2026-07,1,234.00").as_bytes(), Some(("", "")));
    put(format!("\"o9,{WORKER},2026-07,0.07").as_bytes(), Some(("", "")));
    put(b"", None);
    put(format!(",{WORKER},2026-07,0.07").as_bytes(), Some(("", "order_id")));
    put(format!("\"o10\",\"{WORKER}\",2026-07,\"0.07\"").as_bytes(), None);
    for n in 11..20 {
        put(&good(&format!("o{n}")), None);
    }
    // Their rows are lost, so nothing says that the file has them.
    for id in ["o2", "o8", "o9"] {
        expected.insert(("MISSING_AT_SOURCE", 0, id.to_owned(), String::new()));
    }
    let start = pb::ReconcileStart { platform_code: "MEITUAN".to_owned(), ..start("broken", &file) };
    let answer = served.reconcile(start, &file).await.unwrap();
    assert_eq!(answer.told(), expected);
    assert_eq!(answer.count(Kind::Match), 11);
    let described: BTreeMap<u64, &str> =
        answer.differences.iter().map(|d| (d.row, d.description.as_str())).collect();
    for (row, words) in [
        (3, "not UTF-8"),
        (4, "200003 bytes"),
        (5, "negative"),
        (6, "at most 6 decimals"),
        (7, "date by a spreadsheet"),
        (8, "date by a spreadsheet"),
        (9, "lost its digits"),
        (10, "2 cells"),
        (11, "5 cells"),
        (12, "quote"),
        (14, "is empty"),
    ] {
        assert!(described[&row].contains(words), "row {row}: {}", described[&row]);
    }
    served.app.stop().await.unwrap();
}

/// The same of NDJSON.
#[tokio::test(flavor = "multi_thread")]
async fn broken_lines_are_told_and_the_rest_is_compared() {
    let served = Served::sqlite().await;
    served.book((0..20).map(|n| order(&format!("o{n}"), "2026-07-15", "310101")).collect()).await;
    let lines = [
        r#"{"order_id":"o0","premium":0.07}"#,
        r#"{"order_id":7,"premium":"0.07"}"#,
        r#"{"order_id":"o1","premium":"#,
        r#"{"order_id":"o2","premium":"0.08","worker_id":null,"note":[1]}"#,
    ];
    let file = lines.join("\n").into_bytes();
    let start = pb::ReconcileStart {
        platform_code: "MEITUAN".to_owned(),
        format: pb::FileFormat::Ndjson.into(),
        ..start("lines", &file)
    };
    let answer = served.reconcile(start, &file).await.unwrap();
    let missing = (1..20).filter(|n| *n != 2).map(|n| ("MISSING_AT_SOURCE", 0, format!("o{n}"), String::new()));
    let mut expected: BTreeSet<_> = missing.collect();
    expected.insert(("UNREADABLE_AT_SOURCE", 2, String::new(), "order_id".to_owned()));
    expected.insert(("UNREADABLE_AT_SOURCE", 3, String::new(), String::new()));
    expected.insert(("AMOUNT_DIFF", 4, "o2".to_owned(), String::new()));
    assert_eq!(answer.told(), expected);
    served.app.stop().await.unwrap();
}

/// What has come stays when the call breaks off, and is not sent again; whole-file faults are told as such.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_on_where_it_ended() {
    let served = Served::sqlite().await;
    served.book(vec![order("o0", "2026-07-15", "310101")]).await;
    let file = b"platform_code,order_id,premium\nMEITUAN,o0,0.07\n".as_slice();
    let start = start("resumed", file);
    let broken = served.reconcile(start.clone(), &file[..20]).await.unwrap_err();
    assert_eq!(broken.code(), Code::InvalidArgument);
    let answer = served.reconcile(start.clone(), &file[20..]).await.unwrap();
    assert_eq!((answer.send_from, answer.count(Kind::Match)), (20, 1));

    let other = pb::ReconcileStart { request_id: "other".to_owned(), ..start.clone() };
    let mut changed = file.to_vec();
    changed[31] = b'X';
    let refused = served.reconcile(other.clone(), &changed).await.unwrap_err();
    assert!(refused.message().contains("start.file_sha256"), "{refused:?}");
    assert_eq!(served.reconcile(other, file).await.unwrap().send_from, 0, "the wrong file is gone");

    for (file, words) in [
        (b"order_id,premium\no0,0.07\n".as_slice(), "no column platform_code"),
        (b"\xff\xfea\x00".as_slice(), "UTF-16"),
        (b"platform_code,order_id,order_id\n".as_slice(), "two columns"),
    ] {
        let refused = served.reconcile(self::start(&words.replace(' ', "-"), file), file).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().contains(words), "{words}: {refused:?}");
    }
    let wrong = pb::ReconcileStart { file_bytes: 0, level: 0, period: "2026-13".to_owned(), ..start };
    let refused = served.reconcile(wrong, file).await.unwrap_err();
    let fields = refused.get_details_bad_request().unwrap().field_violations;
    let fields: Vec<&str> = fields.iter().map(|field| field.field.as_str()).collect();
    assert_eq!(fields, ["start.level", "start.period", "start.file_bytes"]);
    served.app.stop().await.unwrap();
}

/// A column under another's name takes its place; a last row without a newline is a row, quotes in it or not.
#[tokio::test(flavor = "multi_thread")]
async fn odd_files_are_read_as_they_are_meant() {
    let served = Served::sqlite().await;
    served.book((0..3).map(|n| order(&format!("o{n}"), "2026-07-15", "310101")).collect()).await;
    let file = b"period,order_id,note,count,premium\r\n2026-07,o0,x,1.5,0.07\r\n2026-07,o1,5\" pizza,2,0.07\r\n2026-07,o2,8\",3,0.07";
    let columns = vec![pb::ColumnName { column: "service_period".to_owned(), header: "period".to_owned() }];
    let start = pb::ReconcileStart { platform_code: "MEITUAN".to_owned(), columns, ..start("odd", file) };
    let answer = served.reconcile(start, file).await.unwrap();
    assert_eq!((answer.told().len(), answer.count(Kind::Match)), (0, 3), "{:?}", answer.differences);
    served.app.stop().await.unwrap();
}
