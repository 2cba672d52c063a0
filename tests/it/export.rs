//! Exported files, read back by others' libraries: what stands in them is what the service answers.

use crate::served::{Served, order, put_rate};
use calamine::{Data, Reader, Xlsx};
use premium_ledger::api::proto as pb;
use std::collections::HashMap;
use std::io::Cursor;
use tonic::{Code, Status};

fn asked(level: pb::ExportLevel, format: pb::ExportFormat) -> pb::ExportStatementRequest {
    pb::ExportStatementRequest {
        level: level.into(),
        format: format.into(),
        period: "2026-07".to_owned(),
        platform_code: "MEITUAN".to_owned(),
        ..Default::default()
    }
}

/// The file, and the places after each of its pieces.
async fn export(served: &Served, request: pb::ExportStatementRequest) -> Result<(Vec<u8>, Vec<String>), Status> {
    let mut answers = served.statements().export_statement(request).await?.into_inner();
    let (mut file, mut places) = (Vec::new(), Vec::new());
    while let Some(answer) = answers.message().await? {
        file.extend(answer.data);
        places.push(answer.resume_after);
    }
    Ok((file, places))
}

async fn served() -> Served {
    let served = Served::sqlite().await;
    put_rate(&served).await;
    let mut orders: Vec<pb::Order> = (0..1_500).map(|n| order(&format!("a{n}"), "2026-07-15", "310101")).collect();
    orders.extend((0..3).map(|n| order(&format!("b{n}"), "2026-07-16", "440106")));
    orders.push(order("august", "2026-08-01", "310101"));
    served.book(orders).await;
    served
}

fn rows(csv: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv);
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_and_lines_as_csv() {
    let served = served().await;
    let (csv, _) = export(&served, asked(pb::ExportLevel::Statement, pb::ExportFormat::Csv)).await.unwrap();
    let told = rows(&csv);
    let column = |row: &[String], title: &str| row[told[0].iter().position(|has| has == title).unwrap()].clone();
    assert_eq!(told.len(), 3);
    let of = |row: &[String]| {
        ["province_code", "charged", "exact", "rounded", "residual", "state"]
            .map(|title| column(row, title))
            .join(" ")
    };
    assert_eq!(of(&told[1]), "31 1500 105.00 105.00 0.00 OPEN");
    assert_eq!(of(&told[2]), "44 3 0.252 0.25 0.002 OPEN");

    let lines = asked(pb::ExportLevel::Line, pb::ExportFormat::Csv);
    let (whole, places) = export(&served, lines.clone()).await.unwrap();
    let told = rows(&whole);
    assert_eq!(told.len(), 1_504, "a header, and the lines of July");
    assert!(told.iter().skip(1).all(|row| row[3] == "MEITUAN" && row[18] == "2026-07" && row[2] == "CHARGE"));
    // Broken off after the first piece, and gone on with; what is booked meanwhile is not in it.
    served.book(vec![order("late", "2026-07-20", "310101")]).await;
    let first = whole.split_inclusive(|byte| *byte == b'\n').take(1_001).flatten().copied().collect::<Vec<u8>>();
    let rest = pb::ExportStatementRequest { resume_after: places[0].clone(), ..lines };
    let (rest, _) = export(&served, rest).await.unwrap();
    assert!([first, rest].concat() == whole);

    for (request, field) in [
        (asked(pb::ExportLevel::Line, pb::ExportFormat::Xlsx), "format"),
        (asked(pb::ExportLevel::Statement, pb::ExportFormat::Parquet), "format"),
        (asked(pb::ExportLevel::Unspecified, pb::ExportFormat::Csv), "level"),
    ] {
        let refused = export(&served, request).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().starts_with(field), "{refused:?}");
    }
    served.app.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_as_a_workbook() {
    let served = served().await;
    let file = b"order_id,premium\na0,0.08\n".as_slice();
    let start = pb::ReconcileStart {
        platform_code: "MEITUAN".to_owned(),
        province_code: "31".to_owned(),
        ..crate::reconcile::start("one", file)
    };
    let run = served.reconcile(start, file).await.unwrap().result.run_no;
    let request =
        pb::ExportStatementRequest { run_no: run, ..asked(pb::ExportLevel::Statement, pb::ExportFormat::Xlsx) };
    let (file, _) = export(&served, request.clone()).await.unwrap();
    let mut workbook = Xlsx::new(Cursor::new(file)).unwrap();
    assert_eq!(workbook.sheet_names(), ["汇总", "分省", "分费率", "以前月份", "差异"]);
    let sheets: HashMap<String, _> = workbook.worksheets().into_iter().collect();
    let cell = |sheet: &str, row: u32, column: u32| {
        sheets[sheet].get_value((row, column)).cloned().unwrap_or(Data::Empty)
    };
    assert_eq!(cell("汇总", 3, 1), Data::String("美团".to_owned()));
    assert_eq!(cell("汇总", 3, 2), Data::Float(1_503.0));
    assert_eq!((cell("汇总", 4, 7), cell("汇总", 4, 8)), (Data::Float(105.252), Data::Float(105.25)));
    assert_eq!(cell("分费率", 4, 5), Data::Float(0.084));
    let row = (3..1_600).find(|row| cell("差异", *row, 3) == Data::String("a0".to_owned())).unwrap();
    assert_eq!(cell("差异", row, 0), Data::String("金额不符".to_owned()));
    assert_eq!((cell("差异", row, 10), cell("差异", row, 11)), (Data::Float(0.08), Data::Float(0.07)));
    let unknown = pb::ExportStatementRequest { run_no: 77, ..request };
    assert_eq!(export(&served, unknown).await.unwrap_err().code(), Code::NotFound);
    served.app.stop().await.unwrap();
}

#[cfg(not(feature = "parquet"))]
#[tokio::test(flavor = "multi_thread")]
async fn without_parquet_it_says_so() {
    let served = served().await;
    let refused = export(&served, asked(pb::ExportLevel::Line, pb::ExportFormat::Parquet)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unimplemented);
    served.app.stop().await.unwrap();
}

#[cfg(feature = "parquet")]
#[tokio::test(flavor = "multi_thread")]
async fn lines_as_parquet() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;
    let served = served().await;
    let (file, _) = export(&served, asked(pb::ExportLevel::Line, pb::ExportFormat::Parquet)).await.unwrap();
    let (csv, _) = export(&served, asked(pb::ExportLevel::Line, pb::ExportFormat::Csv)).await.unwrap();
    let reader = SerializedFileReader::new(bytes::Bytes::from(file)).unwrap();
    let read: Vec<_> = reader.get_row_iter(None).unwrap().map(|row| row.unwrap()).collect();
    let told = rows(&csv);
    assert_eq!(read.len(), told.len() - 1);
    for (row, told) in read.iter().zip(&told[1..]) {
        assert_eq!((row.get_string(0).unwrap(), row.get_string(4).unwrap()), (&told[0], &told[4]));
        assert_eq!(row.get_decimal(15).unwrap().scale(), 6);
    }
    served.app.stop().await.unwrap();
}
