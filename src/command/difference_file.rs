//! A file of differences: CSV with a header, or NDJSON; columns are the fields of `Difference`.

use crate::api::proto as pb;
use crate::types::{DifferenceType, PremiumState};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

const TITLES: [&str; 26] = [
    "type",
    "row",
    "first_row",
    "platform_code",
    "order_id",
    "assignment_no",
    "source_province_code",
    "source_industry_code",
    "source_period",
    "source_service_period",
    "source_worker_id",
    "source_rate",
    "source_premium",
    "source_count",
    "source_premium_state",
    "ledger_province_code",
    "ledger_industry_code",
    "ledger_period",
    "ledger_service_period",
    "ledger_worker_id",
    "ledger_rate",
    "ledger_premium",
    "ledger_count",
    "ledger_premium_state",
    "column",
    "description",
];

/// A file that is being written.
pub struct DifferenceFile {
    out: PathBuf,
    form: Form,
    written: u64,
}

enum Form {
    Csv(Box<csv::Writer<File>>),
    Ndjson(BufWriter<File>),
}

impl DifferenceFile {
    /// By the ending of its name.
    pub fn create(path: &Path) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let part = part(path);
        let form = match path.extension().and_then(|ending| ending.to_str()) {
            Some("csv") => {
                let mut csv = csv::Writer::from_path(&part)?;
                csv.write_record(TITLES)?;
                Form::Csv(Box::new(csv))
            }
            Some("ndjson" | "jsonl") => Form::Ndjson(BufWriter::new(File::create(&part)?)),
            _ => return Err("differences are written to .csv or .ndjson".into()),
        };
        Ok(Self { out: path.to_owned(), form, written: 0 })
    }

    /// Writes some.
    pub fn write(&mut self, differences: &[pb::Difference]) -> std::io::Result<()> {
        for difference in differences {
            let cells = cells(difference);
            match &mut self.form {
                Form::Csv(csv) => csv.write_record(&cells)?,
                Form::Ndjson(file) => {
                    let told = TITLES.iter().zip(&cells).filter(|(_, cell)| !cell.is_empty());
                    let object: serde_json::Map<_, _> =
                        told.map(|(title, cell)| ((*title).to_owned(), cell.as_str().into())).collect();
                    writeln!(file, "{}", serde_json::Value::Object(object))?;
                }
            }
        }
        self.written += differences.len() as u64;
        Ok(())
    }

    /// How many were written.
    pub fn finish(self) -> std::io::Result<u64> {
        match self.form {
            Form::Csv(mut csv) => csv.flush()?,
            Form::Ndjson(mut file) => file.flush()?,
        }
        std::fs::rename(part(&self.out), &self.out)?;
        Ok(self.written)
    }
}

/// What it is called until it is whole.
fn part(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

fn cells(difference: &pb::Difference) -> Vec<String> {
    let number = |number: u64| if number == 0 { String::new() } else { number.to_string() };
    let kind = u8::try_from(difference.r#type).ok().and_then(DifferenceType::from_code);
    let mut cells = vec![
        kind.map_or("?", DifferenceType::name).to_owned(),
        number(difference.row),
        number(difference.first_row),
        difference.platform_code.clone(),
        difference.order_id.clone(),
        number(difference.assignment_no.into()),
    ];
    for side in [&difference.source, &difference.ledger] {
        let side = side.clone().unwrap_or_default();
        let state = u8::try_from(side.premium_state).ok().and_then(PremiumState::from_code);
        cells.extend([
            side.province_code,
            side.industry_code,
            side.period,
            side.service_period,
            side.worker_id,
            side.rate,
            side.premium,
            side.count,
            state.map_or("", PremiumState::name).to_owned(),
        ]);
    }
    cells.extend([difference.column.clone(), difference.description.clone()]);
    cells
}
