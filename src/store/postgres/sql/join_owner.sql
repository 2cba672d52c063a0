-- Purpose: this login may act as the owner while it migrates (a superuser may anyway).
-- Locks: none that wait. Rows: none.
do $$
begin
    if not (select rolsuper from pg_roles where rolname = current_user)
       and not pg_has_role(current_user, 'premium_ledger_owner', 'member') then
        execute format('grant premium_ledger_owner to %I', current_user);
    end if;
end
$$
