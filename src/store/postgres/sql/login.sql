-- Purpose: could the login itself, without the role it took, get round the guards?
-- Locks: none. Rows: one.
select r.rolsuper as is_superuser, r.rolcreaterole as may_create_roles,
       pg_has_role(session_user, 'premium_ledger_owner', 'member') as is_owner,
       exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
               where n.nspname = 'ledger' and c.relkind in ('r', 'p') and c.relname <> all ($1)
                 and (pg_has_role(session_user, c.relowner, 'member')
                      or has_table_privilege(session_user, c.oid, 'update, delete, truncate, trigger'))) as may_change
from pg_roles r where r.rolname = session_user
