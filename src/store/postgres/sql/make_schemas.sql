-- Purpose: the schemas, owned by the owner.
-- Locks: none that wait. Rows: none.
do $$
begin
    create schema if not exists ledger authorization premium_ledger_owner;
    create schema if not exists ledger_read authorization premium_ledger_owner;
end
$$
