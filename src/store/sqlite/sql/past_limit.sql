-- Purpose: how many came past the daily bound of a platform, day and entry type.
-- Locks: none. Rows: one.
select coalesce(sum(arrivals), 0) as arrivals from past_limit where platform_code = ? and received_on = ? and entry_type = ?
