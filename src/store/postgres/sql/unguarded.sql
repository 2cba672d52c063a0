-- Purpose: ledger tables ($1) whose guards do not stand: no append-only trigger that always fires, or a writer or reader who may change them.
-- Locks: none. Rows: none when all is well.
select t.name,
       coalesce(g.tgenabled <> 'A', true) as no_trigger,
       coalesce(has_table_privilege('premium_ledger_writer', c.oid, 'update, delete, truncate, trigger'), false) as writer_may_change,
       coalesce(has_table_privilege('premium_ledger_reader', c.oid, 'insert, update, delete, truncate, trigger'), false) as reader_may_change
from unnest($1::text[]) as t (name)
left join pg_namespace n on n.nspname = 'ledger'
left join pg_class c on c.relnamespace = n.oid and c.relname = t.name
left join pg_trigger g on g.tgrelid = c.oid and g.tgname = t.name || '_append_only'
where c.oid is null or coalesce(g.tgenabled <> 'A', true)
   or has_table_privilege('premium_ledger_writer', c.oid, 'update, delete, truncate, trigger')
   or has_table_privilege('premium_ledger_reader', c.oid, 'insert, update, delete, truncate, trigger')
