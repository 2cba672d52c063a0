//! Rows of the registry as messages, and back.

use crate::api::{decode::required, proto as pb};
use crate::types::{
    Day, Factor, Malformed, Money, RegistryRow, RowDraft, RowId, RowKind, ViolationCode, Violations,
};

/// A message of one of the six tables.
pub trait TypedRow: Sized {
    /// Which table.
    const KIND: RowKind;

    /// The header, taken out.
    fn header(&mut self) -> Option<pb::RowHeader>;

    /// Moves the table's own fields into a draft.
    fn fill(self, draft: &mut RowDraft, wrong: &mut Violations);

    /// The message of a row.
    fn from_row(header: pb::RowHeader, draft: &RowDraft) -> Self;

    /// The draft that a put asks for.
    fn draft(mut self, wrong: &mut Violations) -> Option<RowDraft> {
        let header = wrong.take("header", required(self.header()))?;
        if header.row_id != 0 {
            let text = "is given by the ledger";
            wrong.add("header.row_id", Malformed::new(ViolationCode::NotAllowed, text));
        }
        let valid_from = wrong.take("header.valid_from", Day::parse(&header.valid_from));
        let valid_to = match header.valid_to.is_empty() {
            true => Some(None),
            false => wrong.take("header.valid_to", Day::parse(&header.valid_to)).map(Some),
        };
        let supersedes = wrong.take("header.supersedes", superseded(header.supersedes));
        let mut draft = RowDraft {
            kind: Self::KIND,
            name: String::new(),
            platform: String::new(),
            province: String::new(),
            industry: String::new(),
            value: String::new(),
            base: None,
            factor: None,
            valid_from: valid_from?,
            valid_to: valid_to?,
            document: header.document,
            confidence: header.confidence,
            supersedes: supersedes?,
        };
        self.fill(&mut draft, wrong);
        Some(draft)
    }
}

fn superseded(row_id: u64) -> Result<Option<RowId>, Malformed> {
    match u32::try_from(row_id) {
        Ok(0) => Ok(None),
        Ok(id) => Ok(Some(RowId::new(id))),
        Err(_) => Err(Malformed::new(ViolationCode::NotInRegistry, "no row of the registry")),
    }
}

/// A row as its message.
pub fn message<T: TypedRow>(row: &RegistryRow) -> T {
    let draft = &row.draft;
    let header = pb::RowHeader {
        row_id: row.id.get().into(),
        valid_from: draft.valid_from.to_string(),
        valid_to: draft.valid_to.map(|day| day.to_string()).unwrap_or_default(),
        document: draft.document.clone(),
        confidence: draft.confidence.clone(),
        supersedes: draft.supersedes.map_or(0, |row| row.get().into()),
    };
    T::from_row(header, draft)
}

impl TypedRow for pb::Industry {
    const KIND: RowKind = RowKind::Industry;

    fn header(&mut self) -> Option<pb::RowHeader> {
        self.header.take()
    }

    fn fill(self, draft: &mut RowDraft, _: &mut Violations) {
        draft.industry = self.industry_code;
        draft.name = self.name;
    }

    fn from_row(header: pb::RowHeader, draft: &RowDraft) -> Self {
        Self { header: Some(header), industry_code: draft.industry.clone(), name: draft.name.clone() }
    }
}

impl TypedRow for pb::Province {
    const KIND: RowKind = RowKind::Province;

    fn header(&mut self) -> Option<pb::RowHeader> {
        self.header.take()
    }

    fn fill(self, draft: &mut RowDraft, _: &mut Violations) {
        draft.province = self.province_code;
        draft.name = self.name;
    }

    fn from_row(header: pb::RowHeader, draft: &RowDraft) -> Self {
        Self { header: Some(header), province_code: draft.province.clone(), name: draft.name.clone() }
    }
}

impl TypedRow for pb::Platform {
    const KIND: RowKind = RowKind::Platform;

    fn header(&mut self) -> Option<pb::RowHeader> {
        self.header.take()
    }

    fn fill(self, draft: &mut RowDraft, _: &mut Violations) {
        draft.platform = self.platform_code;
        draft.name = self.name;
        draft.value = self.uscc;
    }

    fn from_row(header: pb::RowHeader, draft: &RowDraft) -> Self {
        let (platform_code, name, uscc) = (draft.platform.clone(), draft.name.clone(), draft.value.clone());
        Self { header: Some(header), platform_code, name, uscc }
    }
}

impl TypedRow for pb::Scope {
    const KIND: RowKind = RowKind::Scope;

    fn header(&mut self) -> Option<pb::RowHeader> {
        self.header.take()
    }

    fn fill(self, draft: &mut RowDraft, _: &mut Violations) {
        draft.platform = self.platform_code;
        draft.province = self.province_code;
        draft.industry = self.industry_code;
    }

    fn from_row(header: pb::RowHeader, draft: &RowDraft) -> Self {
        Self {
            header: Some(header),
            platform_code: draft.platform.clone(),
            province_code: draft.province.clone(),
            industry_code: draft.industry.clone(),
        }
    }
}

impl TypedRow for pb::Rate {
    const KIND: RowKind = RowKind::Rate;

    fn header(&mut self) -> Option<pb::RowHeader> {
        self.header.take()
    }

    fn fill(self, draft: &mut RowDraft, wrong: &mut Violations) {
        draft.platform = self.platform_code;
        draft.province = self.province_code;
        draft.industry = self.industry_code;
        draft.base = wrong.take("base", Money::parse(&self.base));
        draft.factor =
            wrong.take("factor", Factor::parse(if self.factor.is_empty() { "1" } else { &self.factor }));
    }

    fn from_row(header: pb::RowHeader, draft: &RowDraft) -> Self {
        Self {
            header: Some(header),
            platform_code: draft.platform.clone(),
            province_code: draft.province.clone(),
            industry_code: draft.industry.clone(),
            base: draft.base.map(|base| base.to_string()).unwrap_or_default(),
            factor: draft.factor.map(|factor| factor.to_string()).unwrap_or_default(),
        }
    }
}

impl TypedRow for pb::Rule {
    const KIND: RowKind = RowKind::Rule;

    fn header(&mut self) -> Option<pb::RowHeader> {
        self.header.take()
    }

    fn fill(self, draft: &mut RowDraft, _: &mut Violations) {
        draft.name = self.name;
        draft.platform = self.platform_code;
        draft.province = self.province_code;
        draft.industry = self.industry_code;
        draft.value = self.value;
    }

    fn from_row(header: pb::RowHeader, draft: &RowDraft) -> Self {
        Self {
            header: Some(header),
            name: draft.name.clone(),
            platform_code: draft.platform.clone(),
            province_code: draft.province.clone(),
            industry_code: draft.industry.clone(),
            value: draft.value.clone(),
        }
    }
}
