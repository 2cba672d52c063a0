//! A platform's word that it has sent everything up to an instant.

use super::answer::IntakeError;
use super::request::Asked;
use super::{Intake, to_the_end};
use crate::ledger::{Journal, RequestedBy};
use crate::store::{NewestWatermark, StoreError};
use crate::types::{Code, Hourly, Instant, Watermark};

/// How often a report is tried against others of the same platform.
const REPORT_TRIES: usize = 100;

/// A report.
#[derive(Clone, Debug)]
pub struct WatermarkAsk {
    /// The request.
    pub asked: Asked,
    /// Whose.
    pub platform: Code,
    /// Complete up to here.
    pub at: Instant,
    /// The platform's counts, by hour.
    pub hourly: Vec<Hourly>,
}

impl Intake {
    /// Books a report under the platform's next number.
    pub async fn report_watermark(&self, ask: WatermarkAsk) -> Result<NewestWatermark, IntakeError> {
        let intake = self.clone();
        to_the_end(async move { intake.book_report(&ask).await }).await
    }

    async fn book_report(&self, ask: &WatermarkAsk) -> Result<NewestWatermark, IntakeError> {
        for _ in 0..REPORT_TRIES {
            if let Some(journal) = ask.asked.answered(&self.store, RequestedBy::ReportWatermark).await? {
                let report = self.store.watermark_in(journal).await?;
                return report.ok_or(IntakeError::NotFound("the report of this request"));
            }
            let newest = self.store.watermarks(&[ask.platform.as_str()], None).await?;
            let own = newest.first();
            let mut journal = Journal::new(self.store.next_journal_id().await?);
            let watermark = Watermark {
                platform: ask.platform.clone(),
                report_no: own.map_or(1, |n| n.watermark.report_no + 1),
                at: ask.at,
                hourly: ask.hourly.clone(),
            };
            journal.watermarks.push(watermark.clone());
            journal.request = Some(ask.asked.record(RequestedBy::ReportWatermark, journal.id));
            match self.store.append(&journal).await {
                Ok(written) => {
                    return Ok(NewestWatermark { watermark, received_at: written.recorded_at });
                }
                Err(StoreError::Taken(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(IntakeError::Contended)
    }
}
