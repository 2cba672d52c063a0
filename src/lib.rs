//! premium-ledger books each order event of a platform as one append-only premium line, charges each order once, and answers from those
//! lines whether a worker was covered at an instant (新就业形态人员职业伤害保障; 人社部发〔2021〕110号, 人社部发〔2025〕24号).
//!
//! # The data path
//! ```text
//!             proto bytes
//!                │
//!   api/         decode once to domain types, all violations collected   (knows tonic, prost)
//!                │
//!   intake/      rate → group → one journal per lane turn → answer       (knows no tonic, no sqlx)
//!                ├─ rating/   registry snapshot → price                   pure
//!                ├─ ledger/   entries, slots, encoding, root, corrections pure
//!                └─ store/    one port of questions, two databases
//!                      ├─ postgres/      ├─ sqlite/
//!   coverage/    questions over store/; its rules (interval, reason) pure
//!   statement/   questions over store/: a month's sums, what is declared of them, and others' files against them
//!   audit/       questions over store/: what is doubtful, what is missing
//!   telemetry/   metrics, spans, probes: every room may speak to it; knows types/ and the clock
//!   types/       the words; knows nobody
//!   app.rs       wires; watch.rs looks for what metrics tell; config.rs, clock.rs; command/ is the command line
//! ```
//! Who may call whom is a test: `tests/tidy.rs`. Besides what the picture shows, `api/` and `coverage/` read the registry's snapshot
//! (`rating/`): bounds of a field and scope on a day are rules, and rules are rows.
//!
//! # How a group is booked
//! 1. A lane takes all that waits. Its orders are sorted by key and slot; equal ones keep the order sent. An OPEN takes slot 0 and an
//!    ended event slot 1, so a free slot means: nobody booked this.
//! 2. The lines of those keys are read whose slots this instance booked lately (`intake::recent`), or of all keys while the lane does not trust that
//!    memory. A slot that it does not know is taken for free.
//! 3. Where a slot is taken, event and lines are compared: a replay or a conflict (`ledger::compare`).
//! 4. Refusals and conflicts are looked up: each distinct one is kept once, the rest counted (`intake::doubt`).
//! 5. All entries are known now, so the journal's root is computed before anything is written, and the store appends all or nothing.
//! 6. A unique constraint decides: between instances, and where the memory did not reach. The loser gets nothing written, trusts
//!    the memory no more for a while, and begins again at 2.
//!
//! The memory saves the probe of every slot (a fifth of the database's work per order); it never decides what is booked.
//!
//! Deciding before writing, and not by `ON CONFLICT` while writing, makes the store's port one call without a callback, leaves no holes in a
//! journal, and lets Postgres take lines by `COPY`.
//!
//! # Where the design was bettered, and why
//! - **Lines have no digest column.** All of an order's content stands in the line, so contents are compared field by field, which a
//!   conflict's answer needs anyway: 33 bytes a line less. Conflicts have one, for it is their key.
//! - **A line stores its province**: it is decided by a dated rule (`area_to_province`), and a statement must group by what was decided then.
//! - **The registry is one table** (`registry_row`, six kinds) with a gap-free number, and its revision is the number of the newest row:
//!   one encoding, one insert, one read, and no second counter that could disagree. A row may void another: same key and day,
//!   `valid_to` = `valid_from`.
//! - **The unique constraint's index begins with `order_id`** on both stores: the column that tells keys apart is compared first (a tenth less of a `COPY`),
//!   and lanes sort their orders the same way.
//! - **The index by worker is no B-tree that is given each line**: such a tree changes a page for each, and the log takes pages whole; that
//!   was half of an order's price (Postgres: 8.4 µs of the database a line with it, 4.6 without). On Postgres (`store::run`,
//!   `store::postgres::{by_worker, fold, deepen}`) a journal's orders, sorted by worker, are a run; a row in the journal's transaction names it, so
//!   the index is never behind the lines; short runs are held in memory by each instance and merged into longer ones, stored in
//!   parts, beside the intake, as a log-structured merge tree does. A question looks 30 days back, hence into all of a month's runs, some
//!   25 µs each: sixteen become one, up to 67 million orders, so there are some fifteen in a ledger of 20 million lines and sixty where a month has
//!   3 thousand million. A long merge is many short transactions, since one that lasts minutes keeps the database from cleaning up
//!   behind the intake. The index is outside the append-only tables, since merged runs go; the lines that it is made from stay. On SQLite (`store::sqlite::by_worker`) the newest million lines are held in memory, sorted, and go into a tree in
//!   batches.
//! - **A question takes one core of PostgreSQL** (`session_reader.sql`, `session_writer.sql`): with parallel workers a fold that catches up after a burst had three
//!   processes beside the lanes, and calls waited for a second.
//! - **Watermarks are read no later than a worker's orders, of all platforms** (PostgreSQL: in one statement with them): one that is read says that the lines it
//!   promises are booked already, so they are seen, and which platforms count is decided from those.
//! - **A journal takes an arrival number in its own transaction, and is sealed in the order of those** (`store::postgres::seal`), in one statement, so
//!   that an instance which is stopped in the middle holds nobody up. What waits for a seal is a table of its own, outside the ledger: finding the
//!   unsealed among all journals would cost more with every year. On SQLite, with its one writer, a journal is sealed as it is written.
//! - **SQLite is built without memory management across connections** (`.cargo/config.toml`): with it, as its wrapper builds it, all connections share one
//!   page cache behind one lock, and `cache_size` bounds none of them (a reconciliation of three million lines: 358 MiB with it, 221 without).
//! - **A question for one statement reads what the folds hold of it alone** (`store::totals`): their index leads to platform, period, province and industry, so it costs the same
//!   after ten months as after one.
//! - **Calls of one order have lanes of their own** on Postgres (`intake`): beside a stream of replays their p99 was 146 ms in the streams' lanes, and
//!   37 ms in their own. They are half as many, so that groups are larger: 256 in flight 10,100 and 12,300 calls a second with one, 9,600 and 9,500 with two.
//! - **All lanes of an instance remember together** (`intake::recent`): with a memory each, the lanes for single calls were surprised by what streams had booked, trusted
//!   nothing, and asked for every slot: a third of the database's work for a call.
//! - **Answers are gathered into one write** (`api::gather`): a lane answers a hundred calls at once, and each answer was a write, and a wake-up of the caller, of its own.
//! - **Buffers of a call begin with 512 bytes** (`api::codec`): tonic's begin with 8 KiB each way; 256 calls in flight took a third longer.
//! - **Connections in use stay warm** (`store::postgres::warm`): the pool looked at each that was given back, a round trip more than a journal has, and handed out the coldest.
//! - **The line table is not hash-partitioned by `order_id`.** COPY of the second million of lines, groups of 5,000, medians of three: 8.6 µs a line
//!   whole, 8.8 in eight parts (with an index by worker, which is as random in each). A table on many servers is Citus's to distribute; its unique key holds `order_id`.
//! - **A line names the line it corrects by slot**: both are of one key. The contract still shows ids.
//! - **Watermark reports are numbered per platform**, as slots are: "the newest counts" needs an order, and `journal_id` gives none.
//! - **A reversal made by mistake can be mended**: CorrectOrder of a fallen line books the replacement alone, while no other line of its
//!   sort stands. Otherwise a resend could never be booked again.
//! - **GetOrder's state is that of the standing ended line, else of the OPEN.** Slots are no clock: a corrected OPEN has a higher slot
//!   than the charge, and would hide it.
//! - **Cover lists kept conflicts too**, as intervals without a line, where they name the worker, or another acceptance or end: that a
//!   platform told it is a fact, and asking about the worker that only the other version names must not answer "no order".
//! - **An end in the future is refused** like an acceptance in the future (5 minutes): it would be cover that nobody has earned yet.
//! - **The period fence is a function in the database** (`ledger.calendar_epoch`): it takes the shared lock, then reads the calendar, each with a
//!   snapshot of its own; so the fence stands in the statement that writes the journal's row, and costs no round trip.
//! - **A freeze closes the months before it too**: what is open for a platform and province is all from one month on. Where no month was frozen yet,
//!   any month that is over may be the first.
//! - **Statements are as of a seal, always.** A question about now first seals what is booked (`Store::seal_booked`): its answer holds all that was
//!   acknowledged before it, and can be asked for again by that seal. Nothing is read that is not sealed, so no long snapshot is needed.
//! - **Folds are only added**, as a tree (`store::totals`): eight folds of a level make one of the next, and a month is read as a few of them, as of any
//!   seal.
//! - **A statement counts keys, not only lines**: that an order's end takes its OPEN out of the count is found when lines are folded, by looking for the
//!   other line of each key: four fifths of a fold's 5 µs a line. It is done beside the intake, in bites with rests between (a fold at once kept calls waiting for a core
//!   for half a second), for at most a third of one connection's time, and the intake never looks for it.
//! - **RepriceOrders keeps no list of what it did**: an adjustment names the registry's revision, so an order that was adjusted by it is known as such.
//!   A run that was broken off is begun again from the first journal; its entry (RUN) fixes the revision. What a newer revision left alone bears no
//!   mark, so an older run stops where a newer one was begun.
//! - **Files are compared by parts, not by sorting** (`statement::reconcile`): rows and lines are parted by order id into as many pieces as fit into memory one by
//!   one; 2.7 times what `sort` takes for both, where reading the lines from the database is most of it. Lines leave the database column by column.
//!   What a run finds is kept as text, whose digest stands in the run's entry. A 12th and a 13th type tell another industry and what cannot be read.
//! - **Doubtful orders are looked for once, 72 hours after they were booked**, by the order's own key, which is indexed; an index by source, or
//!   looking again, would cost each order. Reused ids are found among the conflicts when they are asked for.
//! - **Hours are counted with the totals** (`store::hours`), in the same tree and by the same look for each line's other line. Counts are of keys as they were told
//!   first: completeness is about what was sent, so neither a reversal nor a correction changes it.
//! - **Spans are put together at their end** (`telemetry::span`), from a few numbers kept of a request, and not by a tracer as things happen: which are kept is known
//!   only then (all that are refused, conflicting, slow or failed, beside the sampled ones), and those that are not kept cost two random numbers and a copy of the order's key. A journal's span and its requests' are linked both ways.
//! - **Orders are counted by group**, not one by one, after their commit; OpenTelemetry's own metrics have no exemplars yet, so instruments are those of Prometheus' client;
//!   what is sent over OTLP (`telemetry::push`) is read from their text, so that both tell the same.
//! - **No simulator of network and time** (turmoil, madsim) drives the tests: what intake and sealing must get right is decided by the database (its constraints, locks
//!   and transactions), which such a simulator would have to play, and a database that is played proves nothing. Orders of events that kills rarely hit are forced on real
//!   ones: a pause between pricing and append (`freeze.rs`), connections cut between two bytes (`proxy.rs`), merges and folds broken off (`by_worker.rs`), a clock
//!   that steps and names that are gone (`benches/faults/machine.c`).
//! - **`known_at` filters by the seals of what was read**, it keeps no second copy: a question of cover reads a worker's month, and asks which of
//!   those journals were sealed by then. The registry of that time is built from its rows in the same way.
//!
//! # Invariants and their tests
//! | invariant | tried to break by |
//! | --- | --- |
//! | an acknowledged line is durable | `tests/it/crash.rs`, `failover.rs`, `restore.rs`, `benches/faults`, `guards.rs` (weak settings), `flush.rs` |
//! | one standing charge a key, for ever | `collisions.rs` (two instances; a lane's memory put right), `property.rs`, scripts 01 to 05 |
//! | append-only in the database | `guards.rs` |
//! | atomic per item | script 02 |
//! | nothing sent is lost silently | `wire.rs`, scripts 03 and 04 |
//! | money is decimal | scripts 06 to 08, `types::money` |
//! | facts, not verdicts; a reversal removes no interval | scripts 10 to 13 |
//! | a frozen month never changes | `freeze.rs`, script 15, `property.rs` |
//! | same behaviour on both stores | `tests/it/scripts` on a model, SQLite, Postgres and the wire |
//! | the order of journals is gap-free, and as promised | `seals.rs` (instances stopped and killed), script 14 |
//! | telling costs nobody an order, and names nobody | `telemetry.rs` (a collector that is gone; no id in any span), `deploy.rs` |
//! | others' files cost nobody but themselves | `tests/it/reconcile` (broken files, every type planted) |
//! | everything has a limit | `wire.rs`, `waits.rs`, script 04 |
//!
//! # Where to add things
//! - A field of `Order`: `proto/`, `types::Order`, `api::decode_order`, `ledger::encode` (a new encoding version), both migrations (Postgres: a type beside
//!   `ledger.line_row` too),
//!   `store/postgres/` `columns.rs`, `few.rs` and their `.sql`, `store/sqlite/append.rs` and its `.sql`, `store/rows.rs`.
//! - An RPC: a file under `api/<service>/`; a question: `store/mod.rs` and one `.sql` file for each database.
//! - What a statement tells apart: `types::TotalKey`, `ledger::{turnover, encode}`, table `total` and the `.sql` that name its columns, `statement::sections`.
//! - A type of difference: `types::DifferenceType`, `statement::reconcile::compare`, its word in `api::export::workbook`, a row planted in `tests/it/reconcile`.
//! - A metric: `telemetry::metrics`, and where it happens or `watch`; an alert: `deploy/prometheus/` with its trial, `deploy/RUNBOOK.md`.
//! - A setting: `config.rs`, README's table; one that may change while a ledger is served: `command::reload` too.
//! - A migration: `migrations/README.md` (what only adds is served by the version before: `store::postgres::guard`). A fault: `benches/faults/kinds.rs`.
//! - A rule: `rating::rule`, a seed in `migrations/seeds/rules.csv`, a script.

pub mod api;
pub mod app;
pub mod audit;
pub mod clock;
pub mod command;
pub mod config;
pub mod coverage;
pub mod intake;
pub mod ledger;
pub mod rating;
pub mod statement;
pub mod store;
pub mod telemetry;
pub mod types;
pub mod watch;
