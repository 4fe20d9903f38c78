-- How the tables lie on disk. Weekly, and after a change of keys. The system views show everything
-- to a superuser; others need GRANT SELECT on them.

-- One line a table.
--   pct_used    share of the cluster's disk
--   skew_rows   rows of the fullest slice over rows of the emptiest. 1 is even; above 4 the fullest
--               slice decides how long a query takes: choose another distribution key.
--   unsorted    percent of rows out of order. Above 5: vacuum (06-vacuum.sql).
--   stats_off   how stale the planner's numbers are. Above 10: ANALYZE.
SELECT "schema", "table", diststyle, sortkey1, tbl_rows, size AS size_mb, pct_used,
       skew_rows, unsorted, vacuum_sort_benefit, stats_off
FROM svv_table_info
ORDER BY size DESC;

-- Where skew comes from: DISTKEY (event) puts all rows of an event on one slice. An event with much
-- more than its share of the slices (100 / number of slices, in percent) overfills its own.
SELECT event, count(*) AS hits, round(100.0 * count(*) / sum(count(*)) OVER (), 1) AS percent
FROM events
WHERE received_at >= dateadd(day, -7, getdate())
GROUP BY event
ORDER BY hits DESC;

SELECT count(*) AS slices FROM stv_slices;

-- How full the disks are. Stay under 50 %: a query that does not fit in memory spills to disk, and
-- VACUUM and a deep copy need room for what they rewrite. Alarm on PercentageDiskSpaceUsed.
SELECT owner AS node, round(100.0 * sum(used) / sum(capacity), 1) AS percent_used
FROM stv_partitions
WHERE part_begin = 0
GROUP BY owner
ORDER BY owner;
