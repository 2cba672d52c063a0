-- Purpose: the three group roles, without login; another database's ledger may have made them.
-- Locks: none that wait. Rows: none.
do $$
declare
    name text;
begin
    foreach name in array array['premium_ledger_owner', 'premium_ledger_writer', 'premium_ledger_reader'] loop
        begin
            if not exists (select from pg_roles where rolname = name) then
                execute format('create role %I nologin', name);
            end if;
        exception when duplicate_object or unique_violation then null;
        end;
    end loop;
end
$$
