/// What `hydrant schema show` prints, and what is used when no schema file is named.
public let defaultSchemaText = #"""
    # The schema: what a hit must hold, what a row holds, and the tables in the warehouse.
    #
    # One file drives validation, the rows sent to Firehose, the CREATE TABLE statements and COPY's
    # column list. Check a changed copy with `hydrant schema check FILE`, then name it in
    # hydrant.toml: schema = "FILE".

    # Table of the good rows, and of the hits that failed validation.
    table = "events"
    bad_table = "bad_events"

    # Redshift: how rows are spread over the nodes and sorted on disk. Leave either out for AUTO.
    distkey = "event"
    sortkey = ["received_at"]

    # A [[column]] each, in the order of the table.
    #
    # name      lower case a-z, 0-9 and _; at most 127 bytes.
    # type      varchar(n)  text of at most n BYTES of UTF-8 (1 to 65535); longer text is cut between
    #                       two characters.
    #           integer     32 bits; bigint: 64 bits. Decimal digits with an optional sign.
    #           double      a decimal number, with an exponent if need be.
    #           boolean     true/false, t/f, yes/no, 1/0 in any case.
    #           timestamp   2026-11-23T01:02:03.5+01:00 (a space for the T will do; no zone is UTC), or
    #                       seconds (up to 10 digits) or milliseconds (11 to 13) since 1970.
    #                       Stored in UTC.
    #           super       JSON; for the rest only.
    # source    where the value comes from; left out, it is the query parameter of the column's name.
    #             "query:NAME"      the query parameter NAME
    #             "hit_id"          the hit's unique id (UUID)
    #             "received_at"     when the router read the request
    #             "client_address"  IPv4 or IPv6
    #             "user_agent", "referer"  the request's header fields
    #             "visitor_cookie"  the visitor cookie
    #             "rest"            every parameter that no column took, as a JSON object
    #           A list is tried in order; the first that is not empty is the value. A source feeds one
    #           column only.
    # required  true: a hit without it, or with a value the type cannot hold, becomes a bad row. The
    #           same fault in other columns leaves the column NULL and keeps the text in the rest.

    [[column]]
    name = "id"
    type = "varchar(36)"
    source = "hit_id"
    required = true

    # What happened: load, click, view ...
    [[column]]
    name = "event"
    type = "varchar(20)"
    required = true

    [[column]]
    name = "received_at"
    type = "timestamp"
    source = "received_at"
    required = true

    [[column]]
    name = "client_address"
    type = "varchar(45)"
    source = "client_address"

    [[column]]
    name = "user_agent"
    type = "varchar(512)"
    source = "user_agent"

    # The page that embeds the pixel, as the browser tells it.
    [[column]]
    name = "referer"
    type = "varchar(2048)"
    source = "referer"

    # The visitor: as the page knows it, else as the cookie does.
    [[column]]
    name = "visitor_id"
    type = "varchar(64)"
    source = ["query:uid", "visitor_cookie"]

    [[column]]
    name = "campaign"
    type = "varchar(64)"

    [[column]]
    name = "creative"
    type = "varchar(64)"

    [[column]]
    name = "placement"
    type = "varchar(64)"

    [[column]]
    name = "publisher"
    type = "varchar(64)"

    # The page, as its script tells it: longer and more reliable than the referer.
    [[column]]
    name = "url"
    type = "varchar(2048)"

    # Whether the ad was in view.
    [[column]]
    name = "viewable"
    type = "boolean"

    # Which of several on the page, from 1.
    [[column]]
    name = "position"
    type = "integer"

    # What a conversion is worth, and in which currency (ISO 4217).
    [[column]]
    name = "value"
    type = "double"

    [[column]]
    name = "currency"
    type = "varchar(3)"

    # When it happened, by the visitor's clock.
    [[column]]
    name = "sent_at"
    type = "timestamp"
    source = ["query:sent_at", "query:ts"]

    # Everything else, cache-busters too.
    [[column]]
    name = "extra"
    type = "super"
    source = "rest"

    """#
