-- Sorts what was loaded out of order and gives back the room of deleted rows.
--
-- Nightly, after 04-duplicates.sql, when few query. Sorting waits for nobody: each night takes about
-- an hour on a busy cluster; done at weekends only it takes many. Only one VACUUM runs in a cluster
-- at a time, and none inside a transaction, so run the statements one by one (psql does).
--
-- Redshift also sorts and deletes by itself when idle. On a cluster that never is, this is what does
-- it.

-- What needs it: empty when nothing does.
SELECT 'VACUUM FULL "' || "schema" || '"."' || "table" || '";' AS statement, unsorted, tbl_rows,
       tbl_rows - estimated_visible_rows AS deleted_rows
FROM svv_table_info
WHERE unsorted > 5 OR tbl_rows - estimated_visible_rows > 0.05 * tbl_rows
ORDER BY unsorted DESC NULLS LAST;

-- FULL sorts and deletes. It skips the sorting of a table that is 95 % sorted already; TO 99 PERCENT
-- lowers that bar.
VACUUM FULL events TO 99 PERCENT;
VACUUM FULL bad_events;

-- The planner's numbers, which COPY does not keep (STATUPDATE OFF). Skips tables that changed by
-- less than 10 %.
ANALYZE events;
ANALYZE bad_events;

-- Old data goes by DELETE and VACUUM; with monthly tables behind a UNION ALL view it goes by DROP
-- TABLE, at once and without a vacuum. Worth it from some hundred million rows a month.
