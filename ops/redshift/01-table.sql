-- The tables for the default schema: good rows and bad rows.
--
-- A test holds this file to the default schema. With a schema of your own, change it to match: a
-- column each, in the schema's order, double as DOUBLE PRECISION, required ones NOT NULL.

CREATE TABLE IF NOT EXISTS "events" (
    "id" VARCHAR(36) NOT NULL,
    "event" VARCHAR(20) NOT NULL,
    "received_at" TIMESTAMP NOT NULL,
    "client_address" VARCHAR(45),
    "user_agent" VARCHAR(512),
    "referer" VARCHAR(2048),
    "visitor_id" VARCHAR(64),
    "campaign" VARCHAR(64),
    "creative" VARCHAR(64),
    "placement" VARCHAR(64),
    "publisher" VARCHAR(64),
    "url" VARCHAR(2048),
    "viewable" BOOLEAN,
    "position" INTEGER,
    "value" DOUBLE PRECISION,
    "currency" VARCHAR(3),
    "sent_at" TIMESTAMP,
    "extra" SUPER
)
-- Rows of one event live on one slice: cheap to group and to join by event. The price is skew, if
-- one event is most of the traffic, and idle slices, if queries ask for one event at a time; both
-- hurt less on few large nodes. Measure with 05-skew-and-unsorted.sql. Otherwise take
--     DISTKEY ("visitor_id")   when queries join or count by visitor (many values, spread evenly;
--                              but NULLs all go to one slice), or
--     DISTSTYLE EVEN           when they mostly scan a time range.
DISTSTYLE KEY DISTKEY ("event")
-- Nearly every query names a time range, and rows arrive nearly in this order, so little is ever
-- unsorted. A compound key is a prefix index: ("received_at", "campaign") helps queries that name
-- both, and none that name the campaign alone. INTERLEAVED is for filters that exclude each other,
-- and never for a column that only grows, such as this one: every load would need a REINDEX.
COMPOUND SORTKEY ("received_at");

-- No PRIMARY KEY: Redshift does not enforce it but lets the planner believe it, and delivery is at
-- least once. With a duplicate present, DISTINCT may then be optimized away and count too much.
-- "id" is unique but for repeated deliveries, which 04-duplicates.sql finds and removes.

-- What failed validation, and why. Only "reason" is always there. "raw" is the request target as
-- it came, in base64, since it may hold any byte.
CREATE TABLE IF NOT EXISTS "bad_events" (
    "id" VARCHAR(36),
    "received_at" TIMESTAMP,
    "reason" VARCHAR(64),
    "column" VARCHAR(127),
    "client_address" VARCHAR(45),
    "user_agent" VARCHAR(2048),
    "raw" VARCHAR(65535)
)
SORTKEY ("received_at");

-- What partners send wrong, most frequent first.
SELECT "reason", "column", count(*) AS hits, max("received_at") AS last_seen, max("id") AS an_id
FROM "bad_events"
WHERE "received_at" >= dateadd(day, -1, getdate())
GROUP BY 1, 2
ORDER BY 3 DESC;

-- One of them, readable. Bytes that are no UTF-8 make this fail; 'hex' in place of 'utf8' never does.
SELECT "received_at", "client_address", "user_agent",
       from_varbyte(to_varbyte("raw", 'base64'), 'utf8') AS target
FROM "bad_events"
WHERE "id" = 'AN-ID';
