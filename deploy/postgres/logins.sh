#!/bin/sh
# Run once, by the database's image, when its folder is empty: the service's login, a member of the group roles and of nothing else. The roles themselves are
# those that `premium-ledger migrate` makes where they are missing.
set -eu
psql --quiet --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set=password="$APP_PASSWORD" <<'SQL'
create role premium_ledger_owner nologin;
create role premium_ledger_writer nologin;
create role premium_ledger_reader nologin;
create role app login password :'password';
grant premium_ledger_writer, premium_ledger_reader to app;
SQL
