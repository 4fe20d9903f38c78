-- COPY, as Firehose runs it and by hand.
--
-- Firehose makes the command itself from the stream's table name, columns and copy options, once
-- the objects of a buffer are in S3, and never more than one at a time for a stream. The options
-- for the stream (CopyCommand.CopyOptions in CloudFormation, copy_options in Terraform), one line:
--
--     FORMAT AS JSON 'auto' GZIP TIMEFORMAT 'auto' TRUNCATECOLUMNS MAXERROR 100000 COMPUPDATE OFF STATUPDATE OFF
--
--   FORMAT AS JSON 'auto'   keys of a row go to the columns of the same name; a column without a
--                           key is NULL, a key without a column is ignored. So a column can be
--                           added to the table before Hydrant knows it, or the other way round.
--   GZIP                    the stream compresses what it writes to S3 (CompressionFormat GZIP; set
--                           both or neither).
--   TIMEFORMAT 'auto'       reads Hydrant's "2026-11-23 01:02:03.500000", and ISO 8601 too.
--   TRUNCATECOLUMNS         text that is too long is cut instead of refused. Hydrant has cut it
--                           already; this is for the day a column in the table is the shorter one.
--   MAXERROR 100000         (the most there is) a row that cannot be loaded is skipped and noted.
--                           Without it one such row rolls back its whole COPY, every good row of it
--                           too. Look at 03-load-errors.sql each day, or alarm on it.
--   COMPUPDATE OFF          no analysis of encodings on each small load; the table has them.
--   STATUPDATE OFF          no ANALYZE after each load either; 06-vacuum.sql does it nightly.
--
-- Leave DataTableColumns empty, unless the table has a column of its own with a DEFAULT: then list
-- all columns but that.

-- By hand, for what Firehose gave up: after the stream's retry time its manifests lie under
-- errors/manifests/. Run this for each, then move the manifest away so that it is not loaded twice.
-- The data files must still be there: no lifecycle rule may remove them sooner.
COPY "events"
FROM 's3://BUCKET/PREFIX/errors/manifests/2026/11/23/01/MANIFEST'
IAM_ROLE 'arn:aws:iam::ACCOUNT:role/ROLE'
MANIFEST
FORMAT AS JSON 'auto' GZIP TIMEFORMAT 'auto' TRUNCATECOLUMNS MAXERROR 100000
COMPUPDATE OFF STATUPDATE OFF;

-- While developing: no MAXERROR and no TRUNCATECOLUMNS, so that the first wrong row stops the load
-- and is looked at. Set the same on the development stream.
COPY "events"
FROM 's3://BUCKET/PREFIX/2026/11/23/01/'
IAM_ROLE 'arn:aws:iam::ACCOUNT:role/ROLE'
FORMAT AS JSON 'auto' GZIP TIMEFORMAT 'auto'
COMPUPDATE OFF STATUPDATE OFF;

-- A rehearsal: reads and checks everything, loads nothing.
COPY "events"
FROM 's3://BUCKET/PREFIX/2026/11/23/01/'
IAM_ROLE 'arn:aws:iam::ACCOUNT:role/ROLE'
FORMAT AS JSON 'auto' GZIP TIMEFORMAT 'auto'
NOLOAD;
