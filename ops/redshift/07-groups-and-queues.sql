-- Who may do what. Run once, as the superuser, which nobody uses for anything else: no right holds
-- it back from a mistake, and it is in no group, so its queries take the default queue from others.
--
-- wlm.json gives each group its share of the cluster. For production only: on a small development
-- cluster the shares are too small to be of use.

CREATE GROUP loader;
CREATE GROUP cron_jobs;
CREATE GROUP data_scientists;

-- Users: one a purpose, each in one group. Replace the passwords.
CREATE USER firehose PASSWORD 'Change-me-1' IN GROUP loader;
CREATE USER upkeep PASSWORD 'Change-me-2' IN GROUP cron_jobs;
CREATE USER analyst PASSWORD 'Change-me-3' IN GROUP data_scientists;

-- loader: Firehose's COPY, and nothing else. It adds rows and reads none.
GRANT USAGE ON SCHEMA public TO GROUP loader;
GRANT INSERT ON events, bad_events TO GROUP loader;

-- cron_jobs: duplicates and reports. VACUUM and ANALYZE are the owner's alone, so the job's user
-- owns the tables.
GRANT USAGE ON SCHEMA public TO GROUP cron_jobs;
GRANT SELECT, INSERT, DELETE ON events, bad_events TO GROUP cron_jobs;
GRANT SELECT ON svv_table_info TO GROUP cron_jobs;
ALTER TABLE events OWNER TO upkeep;
ALTER TABLE bad_events OWNER TO upkeep;

-- data_scientists: read.
GRANT USAGE ON SCHEMA public TO GROUP data_scientists;
GRANT SELECT ON events, bad_events TO GROUP data_scientists;

-- Which queue a query went to, and how long it waited there (microseconds). Queues of users are 6
-- and up, in the order of wlm.json.
SELECT service_class, count(*) AS queries, avg(total_queue_time) AS queued_us,
       avg(total_exec_time) AS run_us
FROM stl_wlm_query
WHERE service_class_start_time >= dateadd(day, -1, getdate())
GROUP BY service_class
ORDER BY service_class;
