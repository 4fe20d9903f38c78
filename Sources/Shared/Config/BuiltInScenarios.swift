/// The files of loadtest/scenarios, so that the binary alone has them; a test keeps them the same.
let builtInScenarioTexts: [(name: String, text: String)] = [
    (
        "adtech",
        #"""
        # What an ad's pixel sees on an ordinary day. The default of `hydrant load`.
        description = "The mix of an ordinary day: browsers, apps, bots, prefetches, bad hits, macros"
        rate = 1000
        connections = 64
        head_share = 0.001

        # Browsers keep a connection for a page or two, balancers and apps for much longer.
        [connection]
        requests = 40
        spread = "geometric"

        [visitors]
        population = 1000000
        zipf = 0.7
        cookie_share = 0.4
        anonymous_share = 0.1

        [campaigns]
        population = 500
        zipf = 1.0
        creatives = 8

        [events]
        load = 60
        view = 25
        start = 6
        complete = 4
        close = 3
        click = 2

        [placements]
        homepage_top = 30
        article_side = 35
        video_preroll = 15
        search_first = 12
        app_interstitial = 8

        [publishers]
        "news.example" = 40
        "sport.example" = 25
        "weather.example" = 15
        "recipes.example" = 12
        "games.example" = 8

        [user_agents]
        desktop = 37
        mobile = 44
        in_app = 15
        bot = 3
        prefetch = 1

        [referers]
        share = 0.9

        [parameters]
        url = 0.3
        viewable = 0.5
        position = 0.4
        value = 0.02
        sent_at = 0.5
        consent = 0.2

        # The event is all that the default schema insists on.
        [bad]
        share = 0.005
        missing_event = 5
        empty_event = 2
        misspelt_event = 2
        no_query = 1

        [macros]
        share = 0.01

        """#
    ),
    (
        "pixel",
        #"""
        # The plainest hits, on connections that stay open: for comparing servers and versions.
        description = "Good pixel hits of browsers only, evenly spaced, on connections that stay open"
        rate = 1000
        connections = 64
        arrivals = "even"

        [connection]
        requests = 0

        [visitors]
        population = 100000
        zipf = 0
        cookie_share = 0
        anonymous_share = 0

        [user_agents]
        desktop = 50
        mobile = 50
        in_app = 0

        [parameters]
        url = 0
        viewable = 0
        position = 0
        value = 0
        sent_at = 0

        """#
    ),
    (
        "bursts",
        #"""
        # A goal is scored, a newsletter goes out: every 10 seconds a second of five times the rate.
        description = "The day's mix, with five times the rate for 1 s in every 10 s"
        rate = 500
        connections = 128
        head_share = 0.001

        [connection]
        requests = 20

        [user_agents]
        desktop = 30
        mobile = 50
        in_app = 17
        bot = 2
        prefetch = 1

        [bad]
        share = 0.005

        [macros]
        share = 0.01

        [bursts]
        every_seconds = 10
        seconds = 1
        factor = 5

        """#
    ),
    (
        "diurnal",
        #"""
        # A whole day in two minutes, from midnight: what auto-scaling, buffers and the nightly lull see.
        # With day.seconds = 86400 it takes a real day.
        description = "A day's curve in 120 s: a seventh of the peak at night, the peak in the evening"
        rate = 1000
        connections = 64
        head_share = 0.001

        [connection]
        requests = 40

        [user_agents]
        desktop = 37
        mobile = 44
        in_app = 15
        bot = 3
        prefetch = 1

        [bad]
        share = 0.005

        [macros]
        share = 0.01

        [day]
        seconds = 120
        start_hour = 0
        curve = [
            0.55, 0.4, 0.3, 0.25, 0.25, 0.3, 0.45, 0.7, 0.95, 1.1, 1.2, 1.25,
            1.3, 1.25, 1.2, 1.2, 1.25, 1.35, 1.5, 1.65, 1.75, 1.7, 1.35, 0.9,
        ]

        """#
    ),
    (
        "beacons",
        #"""
        # For servers that take JSON batches and redirect clicks; others answer those with an error.
        description = "Pixels, POSTed batches of JSON events and click redirects"
        rate = 500
        connections = 64

        [connection]
        requests = 40

        [user_agents]
        desktop = 37
        mobile = 44
        in_app = 15
        bot = 3
        prefetch = 1

        [bad]
        share = 0.005

        [macros]
        share = 0.01

        [batches]
        share = 0.25
        path = "/batch"
        events_min = 1
        events_max = 20

        [clicks]
        share = 0.05
        path = "/c"

        """#
    ),
]
