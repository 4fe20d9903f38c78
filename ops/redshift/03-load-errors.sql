-- Rows that are in S3 but not in the table. MAXERROR lets a load go on past them, so nothing else
-- tells. Kept for 7 days.

-- The latest: which file, which line, which column, what it held, what was wrong.
SELECT starttime, trim(filename) AS filename, line_number, trim(colname) AS colname,
       trim(type) AS type, trim(col_length) AS col_length, err_code,
       trim(err_reason) AS err_reason, trim(raw_field_value) AS raw_field_value,
       trim(raw_line) AS raw_line
FROM stl_load_errors
ORDER BY starttime DESC
LIMIT 50;

-- What goes wrong most.
SELECT trim(colname) AS colname, err_code, trim(err_reason) AS err_reason, count(*) AS rows,
       min(starttime) AS first_seen, max(starttime) AS last_seen
FROM stl_load_errors
GROUP BY 1, 2, 3
ORDER BY 4 DESC;

-- The same on Serverless, which has no STL views.
SELECT start_time, trim(file_name) AS file_name, line_number, trim(column_name) AS column_name,
       trim(column_type) AS column_type, error_code, trim(error_message) AS error_message
FROM sys_load_error_detail
ORDER BY start_time DESC
LIMIT 50;

-- Usual causes. 1213: a NOT NULL column without a value; the table asks for more than the schema.
-- 1204: text too long and no TRUNCATECOLUMNS. 1206: a time in another form. 1207, 1208: a number
-- column in the table, text in the schema. 1224: text in a SUPER column that is not JSON.
--
-- A load that failed altogether is not here but in the stream's log (log stream RedshiftDelivery)
-- and in its metric DeliveryToRedshift.Success. What did load:
SELECT curtime, query, trim(filename) AS filename, lines_scanned
FROM stl_load_commits
ORDER BY curtime DESC
LIMIT 50;
