-- The floor on PostgreSQL: what the database alone takes of the same rows. The line's columns as they stood before any tuning, a unique
-- btree on the key and a btree on (worker, accepted_at); filled by one COPY ... BINARY session. Never changed.
create table floor_line (
    journal_id           bigint      not null,
    worker_id            uuid        not null,
    accepted_at          timestamptz not null,
    ended_at             timestamptz,
    sent_at              timestamptz,
    line_no              integer     not null,
    period               integer     not null,
    service_period       integer     not null,
    registry_revision    integer     not null,
    rate_id              integer,
    assignment_no        smallint    not null,
    slot                 smallint    not null,
    kind                 smallint    not null,
    end_kind             smallint,
    premium_state        smallint    not null,
    premium_reason       smallint    not null,
    corrects_slot        smallint,
    reversal_reason      smallint,
    platform_code        text collate "C" not null,
    order_id             text collate "C" not null,
    industry_code        text collate "C" not null,
    accept_area          text collate "C" not null,
    province_code        text collate "C" not null,
    amount               numeric(18, 6),
    service_agency_code  text collate "C",
    source_platform_code text collate "C",
    source_order_id      text collate "C"
);
create unique index floor_line_key on floor_line (platform_code, order_id, assignment_no, slot);
create index floor_line_worker on floor_line (worker_id, accepted_at);
