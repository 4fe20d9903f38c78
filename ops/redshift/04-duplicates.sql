-- Rows that were delivered twice.
--
-- Hydrant delivers at least once: a call that was under way when a process or a connection died is
-- made again, and Firehose may have taken it the first time. The copies are the same to the byte,
-- so they have the same id and the same received_at, and a range of received_at that holds one
-- holds the other.
--
-- The range: a second copy can come as late as the spool was held up, plus up to a day in Firehose,
-- plus any backfill by hand. Three days back covers all but long outages; widen it after one.

-- Find: how many rows are too many.
SELECT count(*) AS ids, coalesce(sum(copies - 1), 0) AS rows_too_many
FROM (
    SELECT id, count(*) AS copies
    FROM events
    WHERE received_at >= dateadd(day, -3, getdate())
    GROUP BY id
    HAVING count(*) > 1
) AS repeated;

-- Query around them, where the job below has not run yet: count(DISTINCT id), or
--     SELECT … FROM (SELECT *, row_number() OVER (PARTITION BY id ORDER BY received_at) AS copy
--                    FROM events WHERE …) AS e WHERE copy = 1

-- Delete: one of each stays. Nightly, as a user of the group cron_jobs, before 06-vacuum.sql. Costs
-- one scan of the range when there is nothing to do. The lock makes a COPY that comes meanwhile
-- wait, which Firehose does, instead of failing for a serialization conflict.
-- For "bad_events" the same works with its columns, but for rows without an id.
BEGIN;
LOCK events;

CREATE TEMP TABLE one_of_each (LIKE events);

INSERT INTO one_of_each
    (id, event, received_at, client_address, user_agent, referer, visitor_id, campaign, creative,
     placement, publisher, url, viewable, "position", "value", currency, sent_at, extra)
SELECT id, event, received_at, client_address, user_agent, referer, visitor_id, campaign, creative,
       placement, publisher, url, viewable, "position", "value", currency, sent_at, extra
FROM (
    SELECT *,
           row_number() OVER (PARTITION BY id ORDER BY received_at) AS copy,
           count(*) OVER (PARTITION BY id) AS copies
    FROM events
    WHERE received_at >= dateadd(day, -3, getdate())
) AS numbered
WHERE copies > 1 AND copy = 1;

DELETE FROM events
USING one_of_each
WHERE events.id = one_of_each.id AND events.received_at = one_of_each.received_at;

INSERT INTO events
    (id, event, received_at, client_address, user_agent, referer, visitor_id, campaign, creative,
     placement, publisher, url, viewable, "position", "value", currency, sent_at, extra)
SELECT id, event, received_at, client_address, user_agent, referer, visitor_id, campaign, creative,
       placement, publisher, url, viewable, "position", "value", currency, sent_at, extra
FROM one_of_each;

DROP TABLE one_of_each;
COMMIT;
