//! A month as a workbook that an accountant sends: by platform, by province, by rate, lines of earlier months, differences. Chinese headings; names beside
//! codes; numbers are numbers, exact to fifteen digits (what a spreadsheet holds), beyond that text.

use super::super::proto as pb;
use super::sheet::{Cell, Look, Sheet};
use crate::rating::Snapshot;
use crate::types::{DifferenceType, Money, RowKind, StatementState};
use rust_xlsxwriter::{Workbook, Worksheet, XlsxError};
use std::collections::{BTreeMap, HashMap};

/// Differences on a sheet.
pub const MAX_DIFFERENCES: usize = 20_000;

/// What the workbook tells.
pub struct Sheets<'a> {
    /// The month.
    pub period: &'a str,
    /// Lines up to this seal.
    pub seal: u64,
    /// By key.
    pub statements: &'a [pb::Statement],
    /// What a run of Reconcile found.
    pub differences: Option<(pb::Reconciliation, Vec<pb::Difference>)>,
    /// Names of codes.
    pub names: &'a Snapshot,
}

/// The file.
pub fn workbook(sheets: &Sheets<'_>) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let look = Look::new();
    let names = Names::of(sheets.names);
    by_platform(workbook.add_worksheet(), sheets, &names, &look)?;
    by_province(workbook.add_worksheet(), sheets, &names, &look)?;
    by_rate(workbook.add_worksheet(), sheets, &names, &look)?;
    earlier(workbook.add_worksheet(), sheets, &names, &look)?;
    if let Some((run, found)) = &sheets.differences {
        differences(workbook.add_worksheet(), run, found, &look)?;
    }
    workbook.save_to_buffer()
}

/// Names of codes, by kind.
struct Names(HashMap<(RowKind, String), String>);

impl Names {
    fn of(snapshot: &Snapshot) -> Self {
        let mut names = HashMap::new();
        for row in snapshot.rows() {
            let draft = &row.draft;
            let code = match draft.kind {
                RowKind::Platform => &draft.platform,
                RowKind::Province => &draft.province,
                RowKind::Industry => &draft.industry,
                RowKind::Scope | RowKind::Rate | RowKind::Rule => continue,
            };
            // The newest name counts.
            names.insert((draft.kind, code.clone()), draft.name.clone());
        }
        Self(names)
    }

    fn find<'a>(&'a self, kind: RowKind, code: &'a str) -> &'a str {
        self.0.get(&(kind, code.to_owned())).map_or(code, String::as_str)
    }
}

/// What is added up of statements.
#[derive(Default)]
struct Sum {
    charged: i64,
    not_charged: i64,
    rate_pending: i64,
    out_of_scope: i64,
    open: i64,
    exact: Money,
    rounded: Money,
    residual: Money,
}

fn money(text: &str) -> Money {
    Money::parse(text).unwrap_or_default()
}

/// Amounts on a sheet are far from what cannot be held: statements were checked.
fn plus(sum: Money, amount: Money) -> Money {
    sum.checked_add(amount).unwrap_or(sum)
}

impl Sum {
    fn add(&mut self, statement: &pb::Statement) {
        for section in statement.current.iter().chain(&statement.prior) {
            let standing = section.standing.clone().unwrap_or_default();
            self.charged += standing.charged;
            self.not_charged += standing.not_charged.iter().map(|of_kind| of_kind.count).sum::<i64>();
            self.rate_pending += standing.rate_pending;
            self.out_of_scope += standing.out_of_scope;
            self.open += standing.open;
        }
        self.exact = plus(self.exact, money(&statement.exact));
        self.rounded = plus(self.rounded, money(&statement.rounded));
        self.residual = plus(self.residual, money(&statement.residual));
    }

    fn cells(&self) -> [Cell<'static>; 8] {
        [
            Cell::Count(self.charged),
            Cell::Count(self.not_charged),
            Cell::Count(self.rate_pending),
            Cell::Count(self.out_of_scope),
            Cell::Count(self.open),
            Cell::Exact(self.exact),
            Cell::Fen(self.rounded),
            Cell::Exact(self.residual),
        ]
    }
}

/// Headings of [`Sum::cells`].
const SUMS: [(&str, f64); 8] = [
    ("计费单数", 13.0),
    ("不计费单数", 12.0),
    ("待定费率单数", 12.0),
    ("范围外单数", 12.0),
    ("未完结单数", 12.0),
    ("精确金额(元)", 18.0),
    ("申报金额(元)", 16.0),
    ("舍入差额(元)", 14.0),
];

fn key(statement: &pb::Statement) -> pb::StatementKey {
    statement.key.clone().unwrap_or_default()
}

fn note(sheets: &Sheets<'_>) -> String {
    format!("截至封存号 {} 的全部分录;金额单位:元;申报金额按报表行四舍五入到分,差额单列", sheets.seal)
}

fn by_platform(sheet: &mut Worksheet, sheets: &Sheets<'_>, names: &Names, look: &Look) -> Result<(), XlsxError> {
    let title = format!("职业伤害保障费汇总 {}", sheets.period);
    let columns = [[("平台代码", 16.0), ("平台", 16.0)].as_slice(), &SUMS].concat();
    let mut sheet = Sheet::new(sheet, look, ("汇总", &title, &note(sheets)), &columns)?;
    let mut total = Sum::default();
    let mut platforms: BTreeMap<String, Sum> = BTreeMap::new();
    for statement in sheets.statements {
        total.add(statement);
        platforms.entry(key(statement).platform_code).or_default().add(statement);
    }
    for (code, sum) in &platforms {
        let name = names.find(RowKind::Platform, code);
        sheet.put(&[[Cell::Text(code), Cell::Text(name)].as_slice(), &sum.cells()])?;
    }
    sheet.put(&[[Cell::Text("合计"), Cell::Empty].as_slice(), &total.cells()])
}

fn by_province(sheet: &mut Worksheet, sheets: &Sheets<'_>, names: &Names, look: &Look) -> Result<(), XlsxError> {
    let title = format!("职业伤害保障费分省明细 {}", sheets.period);
    let own = [("平台", 16.0), ("省份代码", 9.0), ("省份", 18.0), ("行业", 12.0), ("状态", 11.0)];
    let columns = [own.as_slice(), &SUMS, &[("封存号", 10.0), ("报表摘要(SHA-256)", 68.0)]].concat();
    let mut sheet = Sheet::new(sheet, look, ("分省", &title, &note(sheets)), &columns)?;
    for statement in sheets.statements {
        let key = key(statement);
        let mut sum = Sum::default();
        sum.add(statement);
        let digest: String = statement.digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let own = [
            Cell::Text(names.find(RowKind::Platform, &key.platform_code)),
            Cell::Text(&key.province_code),
            Cell::Text(names.find(RowKind::Province, &key.province_code)),
            Cell::Text(names.find(RowKind::Industry, &key.industry_code)),
            Cell::Text(state(statement.state)),
        ];
        let last = [Cell::Count(statement.seal as i64), Cell::Text(&digest)];
        sheet.put(&[own.as_slice(), &sum.cells(), &last])?;
    }
    // The digests would make the rest too small to read on paper.
    let digests = columns.len() as u16 - 1;
    sheet.print_columns(digests)
}

fn state(number: i32) -> &'static str {
    match u8::try_from(number).ok().and_then(StatementState::from_code) {
        Some(StatementState::Open) => "未结账",
        Some(StatementState::Frozen) => "已结账",
        Some(StatementState::Declared) => "已申报",
        Some(StatementState::PartPaid) => "部分缴纳",
        Some(StatementState::Paid) => "已缴清",
        None => "",
    }
}

fn by_rate(sheet: &mut Worksheet, sheets: &Sheets<'_>, names: &Names, look: &Look) -> Result<(), XlsxError> {
    let title = format!("职业伤害保障费分费率明细 {}", sheets.period);
    let columns = [
        ("平台", 16.0),
        ("省份", 18.0),
        ("行业", 12.0),
        ("所属月", 10.0),
        ("费率行号", 10.0),
        ("每单费率(元)", 13.0),
        ("计费分录数", 13.0),
        ("计费金额(元)", 18.0),
        ("冲销分录数", 12.0),
        ("冲销金额(元)", 16.0),
        ("调整分录数", 12.0),
        ("调整金额(元)", 16.0),
    ];
    let mut sheet = Sheet::new(sheet, look, ("分费率", &title, &note(sheets)), &columns)?;
    for statement in sheets.statements {
        let key = key(statement);
        for section in statement.current.iter().chain(&statement.prior) {
            for rate in section.rates.iter().filter(|rate| rate.rate_id > 0) {
                let totals = |totals: &Option<pb::LineTotals>| {
                    let totals = totals.clone().unwrap_or_default();
                    [Cell::Count(totals.count as i64), Cell::Exact(money(&totals.amount))]
                };
                let own = [
                    Cell::Text(names.find(RowKind::Platform, &key.platform_code)),
                    Cell::Text(names.find(RowKind::Province, &key.province_code)),
                    Cell::Text(names.find(RowKind::Industry, &key.industry_code)),
                    Cell::Text(&section.service_period),
                    Cell::Count(rate.rate_id as i64),
                    Cell::Rate(money(&rate.rate)),
                ];
                let (charges, reversals) = (totals(&rate.charges), totals(&rate.reversals));
                let adjustments = totals(&rate.adjustments);
                sheet.put(&[own.as_slice(), &charges, &reversals, &adjustments])?;
            }
        }
    }
    Ok(())
}

fn earlier(sheet: &mut Worksheet, sheets: &Sheets<'_>, names: &Names, look: &Look) -> Result<(), XlsxError> {
    let title = format!("以前月份在本月入账 {}", sheets.period);
    let columns = [
        ("平台", 16.0),
        ("省份", 18.0),
        ("行业", 12.0),
        ("所属月", 10.0),
        ("计费单数变动", 13.0),
        ("金额(元)", 18.0),
    ];
    let mut sheet = Sheet::new(sheet, look, ("以前月份", &title, "所属月结账后到达的订单、冲销与调整"), &columns)?;
    for statement in sheets.statements {
        let key = key(statement);
        for section in &statement.prior {
            let charged = section.standing.as_ref().map_or(0, |standing| standing.charged);
            sheet.put(&[&[
                Cell::Text(names.find(RowKind::Platform, &key.platform_code)),
                Cell::Text(names.find(RowKind::Province, &key.province_code)),
                Cell::Text(names.find(RowKind::Industry, &key.industry_code)),
                Cell::Text(&section.service_period),
                Cell::Count(charged),
                Cell::Exact(money(&section.amount)),
            ]])?;
        }
    }
    Ok(())
}

fn differences(
    sheet: &mut Worksheet,
    run: &pb::Reconciliation,
    found: &[pb::Difference],
    look: &Look,
) -> Result<(), XlsxError> {
    let asked = run.asked.clone().unwrap_or_default();
    let title = format!("对账差异:第 {} 次对账,对方 {},{} 行", run.run_no, asked.source, run.rows);
    let counts: Vec<String> = run
        .counts
        .iter()
        .map(|count| {
            let kind = u8::try_from(count.r#type).ok().and_then(DifferenceType::from_code);
            format!("{} {}", kind.map_or("", chinese), count.count)
        })
        .collect();
    let columns = [
        ("差异类型", 14.0),
        ("文件行", 10.0),
        ("平台", 14.0),
        ("订单号", 24.0),
        ("省份(对方)", 10.0),
        ("省份(账)", 10.0),
        ("月份(对方)", 10.0),
        ("月份(账)", 10.0),
        ("费率(对方)", 11.0),
        ("费率(账)", 11.0),
        ("金额(对方)", 14.0),
        ("金额(账)", 14.0),
        ("单数(对方)", 12.0),
        ("单数(账)", 12.0),
        ("说明", 40.0),
    ];
    let mut sheet = Sheet::new(sheet, look, ("差异", &title, &counts.join(";")), &columns)?;
    for difference in found {
        let (source, ledger) =
            (difference.source.clone().unwrap_or_default(), difference.ledger.clone().unwrap_or_default());
        let kind = u8::try_from(difference.r#type).ok().and_then(DifferenceType::from_code);
        let amount = |text: &str| if text.is_empty() { Cell::Empty } else { Cell::Exact(money(text)) };
        let rate = |text: &str| if text.is_empty() { Cell::Empty } else { Cell::Rate(money(text)) };
        let count = |text: &str| text.parse().map_or(Cell::Empty, Cell::Count);
        let why = match difference.column.is_empty() {
            true => difference.description.clone(),
            false => format!("{}:{}", difference.column, difference.description),
        };
        sheet.put(&[&[
            Cell::Text(kind.map_or("", chinese)),
            if difference.row == 0 { Cell::Empty } else { Cell::Count(difference.row as i64) },
            Cell::Text(&difference.platform_code),
            Cell::Text(&difference.order_id),
            Cell::Text(&source.province_code),
            Cell::Text(&ledger.province_code),
            Cell::Text(&source.period),
            Cell::Text(&ledger.period),
            rate(&source.rate),
            rate(&ledger.rate),
            amount(&source.premium),
            amount(&ledger.premium),
            count(&source.count),
            count(&ledger.count),
            Cell::Text(&why),
        ]])?;
    }
    Ok(())
}

const fn chinese(kind: DifferenceType) -> &'static str {
    match kind {
        DifferenceType::Match => "一致",
        DifferenceType::MissingInLedger => "账中无",
        DifferenceType::MissingAtSource => "对方无",
        DifferenceType::AmountDiff => "金额不符",
        DifferenceType::RateDiff => "费率不符",
        DifferenceType::CountDiff => "单数不符",
        DifferenceType::ProvinceDiff => "省份不符",
        DifferenceType::MonthDiff => "月份不符",
        DifferenceType::WorkerDiff => "劳动者不符",
        DifferenceType::DuplicateAtSource => "对方重复",
        DifferenceType::RoundingOnly => "仅舍入差",
        DifferenceType::IndustryDiff => "行业不符",
        DifferenceType::UnreadableAtSource => "无法读取",
    }
}
