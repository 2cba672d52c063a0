-- The floor on SQLite: the twin of floor.sql, filled by the shell's .import of the same rows in one transaction. Never changed.
create table floor_line (
    journal_id           integer not null,
    line_no              integer not null,
    platform_code        text    not null,
    order_id             text    not null,
    assignment_no        integer not null,
    slot                 integer not null,
    kind                 integer not null,
    worker_id            blob    not null, -- hexadecimal digits: a CSV file holds no blobs
    industry_code        text    not null,
    accept_area          text    not null,
    accepted_at          integer not null,
    ended_at             integer,
    end_kind             integer,
    service_agency_code  text,
    source_platform_code text,
    source_order_id      text,
    sent_at              integer,
    amount               integer,
    premium_state        integer not null,
    premium_reason       integer not null,
    province_code        text    not null,
    period               integer not null,
    service_period       integer not null,
    rate_id              integer,
    registry_revision    integer not null,
    corrects_slot        integer,
    reversal_reason      integer
);
create unique index floor_line_key on floor_line (platform_code, order_id, assignment_no, slot);
create index floor_line_worker on floor_line (worker_id, accepted_at);
