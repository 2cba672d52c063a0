-- Purpose: distinct conflicts kept of a platform on a day, counted up to a bound.
-- Locks: none. Rows: one.
select count(*) as kept from (select 1 from conflict where platform_code = ? and received_on = ? limit ?)
