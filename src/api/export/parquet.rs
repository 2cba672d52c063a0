//! Lines as Parquet: columns as in the CSV, money as DECIMAL(18, 6), instants as microseconds of UTC. Rows are put out in groups, so that a file of any
//! length takes the memory of one.

use super::super::proto as pb;
use super::csv::word;
use crate::types::{EndKind, Instant, LineKind, Money, PremiumReason, PremiumState, ReversalReason};
use ::parquet::basic::Compression;
use ::parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use ::parquet::errors::{ParquetError, Result};
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use ::parquet::schema::parser::parse_message_type;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

/// Rows of a group.
const GROUP_ROWS: usize = 50_000;

const SCHEMA: &str = "message line {
    required binary line_id (UTF8);
    required int32 slot;
    required binary kind (UTF8);
    required binary platform_code (UTF8);
    required binary order_id (UTF8);
    required int32 assignment_no;
    required binary worker_id (UTF8);
    required binary industry_code (UTF8);
    required binary accept_area (UTF8);
    required int64 accepted_at (TIMESTAMP(MICROS, true));
    optional int64 ended_at (TIMESTAMP(MICROS, true));
    optional binary end_kind (UTF8);
    optional binary service_agency_code (UTF8);
    optional binary source_platform_code (UTF8);
    optional binary source_order_id (UTF8);
    optional int64 premium (DECIMAL(18, 6));
    required binary premium_state (UTF8);
    required binary reason_code (UTF8);
    required binary period (UTF8);
    required binary service_period (UTF8);
    optional int64 rate_id;
    required int64 registry_revision;
    optional binary corrects_line_id (UTF8);
    optional binary reversal_reason (UTF8);
    required int64 received_at (TIMESTAMP(MICROS, true));
}";

/// What was written and not taken yet.
#[derive(Clone, Default)]
struct Bytes(Arc<Mutex<Vec<u8>>>);

impl Bytes {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().expect("no panic while held"))
    }
}

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic while held").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that is being written.
pub struct ParquetFile {
    bytes: Bytes,
    writer: SerializedFileWriter<Bytes>,
    waiting: Vec<pb::Line>,
}

impl ParquetFile {
    /// Without rows.
    pub fn new() -> Result<Self> {
        let bytes = Bytes::default();
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let schema = Arc::new(parse_message_type(SCHEMA)?);
        let writer = SerializedFileWriter::new(bytes.clone(), schema, Arc::new(properties))?;
        Ok(Self { bytes, writer, waiting: Vec::new() })
    }

    /// Adds lines; the next bytes of the file, if there are some.
    pub fn add(&mut self, lines: Vec<pb::Line>) -> Result<Vec<u8>> {
        self.waiting.extend(lines);
        if self.waiting.len() >= GROUP_ROWS {
            self.group()?;
        }
        Ok(self.bytes.take())
    }

    /// The last bytes.
    pub fn end(mut self) -> Result<Vec<u8>> {
        self.group()?;
        self.writer.close()?;
        Ok(self.bytes.take())
    }

    fn group(&mut self) -> Result<()> {
        let lines = std::mem::take(&mut self.waiting);
        if lines.is_empty() {
            return Ok(());
        }
        let mut group = Group { lines: &lines, writer: self.writer.next_row_group()? };
        group.write()?;
        group.writer.close().map(|_| ())
    }
}

/// Rows on their way, column by column.
struct Group<'g> {
    lines: &'g [pb::Line],
    writer: SerializedRowGroupWriter<'g, Bytes>,
}

impl Group<'_> {
    /// In the order of the schema.
    fn write(&mut self) -> Result<()> {
        self.text(|line, _| line.line_id.clone())?;
        self.number(|line| line.slot)?;
        self.text(|line, _| word(line.kind, LineKind::from_code, LineKind::name))?;
        self.text(|_, order| order.platform_code.clone())?;
        self.text(|_, order| order.order_id.clone())?;
        self.number(|line| line.order.as_ref().map_or(0, |order| order.assignment_no))?;
        self.text(|_, order| order.worker_id.clone())?;
        self.text(|_, order| order.industry_code.clone())?;
        self.text(|_, order| order.accept_area.clone())?;
        self.long(|line| micros(line.order.as_ref()?.accepted_at))?;
        self.optional_long(|line| micros(line.order.as_ref()?.ended_at))?;
        self.optional_text(|_, order| word(order.end_kind, EndKind::from_code, EndKind::name))?;
        self.optional_text(|_, order| order.service_agency_code.clone())?;
        self.optional_text(|_, order| order.source_platform_code.clone())?;
        self.optional_text(|_, order| order.source_order_id.clone())?;
        self.optional_long(|line| Money::parse(&line.premium).ok().map(Money::micros))?;
        self.text(|line, _| word(line.premium_state, PremiumState::from_code, PremiumState::name))?;
        self.text(|line, _| word(line.reason_code, PremiumReason::from_code, PremiumReason::name))?;
        self.text(|line, _| line.period.clone())?;
        self.text(|line, _| line.service_period.clone())?;
        self.optional_long(|line| (line.rate_id > 0).then_some(line.rate_id as i64))?;
        self.long(|line| Some(line.registry_revision as i64))?;
        self.optional_text(|line, _| line.corrects_line_id.clone())?;
        self.optional_text(|line, _| word(line.reversal_reason, ReversalReason::from_code, ReversalReason::name))?;
        self.long(|line| micros(line.received_at))
    }

    fn column<T: DataType>(&mut self, values: &[T::T], levels: Option<&[i16]>) -> Result<()> {
        let column = self.writer.next_column()?;
        let mut column = column.ok_or_else(|| ParquetError::General("a column too many".to_owned()))?;
        column.typed::<T>().write_batch(values, levels, None)?;
        column.close()
    }

    fn texts(&self, of: impl Fn(&pb::Line, &pb::Order) -> String) -> Vec<String> {
        let none = pb::Order::default();
        self.lines.iter().map(|line| of(line, line.order.as_ref().unwrap_or(&none))).collect()
    }

    fn text(&mut self, of: impl Fn(&pb::Line, &pb::Order) -> String) -> Result<()> {
        let values: Vec<ByteArray> = self.texts(of).iter().map(|text| text.as_str().into()).collect();
        self.column::<ByteArrayType>(&values, None)
    }

    /// Empty is none.
    fn optional_text(&mut self, of: impl Fn(&pb::Line, &pb::Order) -> String) -> Result<()> {
        let texts = self.texts(of);
        let levels: Vec<i16> = texts.iter().map(|text| i16::from(!text.is_empty())).collect();
        let there = texts.iter().filter(|text| !text.is_empty());
        let values: Vec<ByteArray> = there.map(|text| text.as_str().into()).collect();
        self.column::<ByteArrayType>(&values, Some(&levels))
    }

    fn number(&mut self, of: impl Fn(&pb::Line) -> u32) -> Result<()> {
        let values: Vec<i32> = self.lines.iter().map(|line| of(line) as i32).collect();
        self.column::<Int32Type>(&values, None)
    }

    fn long(&mut self, of: impl Fn(&pb::Line) -> Option<i64>) -> Result<()> {
        let values: Vec<i64> = self.lines.iter().map(|line| of(line).unwrap_or_default()).collect();
        self.column::<Int64Type>(&values, None)
    }

    fn optional_long(&mut self, of: impl Fn(&pb::Line) -> Option<i64>) -> Result<()> {
        let found: Vec<Option<i64>> = self.lines.iter().map(of).collect();
        let levels: Vec<i16> = found.iter().map(|value| i16::from(value.is_some())).collect();
        let values: Vec<i64> = found.into_iter().flatten().collect();
        self.column::<Int64Type>(&values, Some(&levels))
    }
}

fn micros(timestamp: Option<prost_types::Timestamp>) -> Option<i64> {
    let timestamp = timestamp?;
    Instant::from_parts(timestamp.seconds, timestamp.nanos).ok().map(Instant::micros)
}
