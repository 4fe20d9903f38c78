/// The style sheet of every report: light and dark by the reader's preference, and for paper.
/// Colours are told apart by the colour-blind as well (after Okabe and Ito), and lines bear names.
let reportStyle = """
    :root {
        color-scheme: light dark;
        --back: #f5f6f8; --card: #ffffff; --ink: #16202c; --dim: #5b6775; --line: #dde2e8;
        --grid: #e8ebef; --good: #176f3d; --bad: #b42318; --warn: #8a5300; --warn-back: #fff6e2;
        --good-back: #e9f6ee; --bad-back: #fdecea; --accent: #0b5cad;
        --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #b0568f; --c4: #b98300; --c5: #4a5fc1;
        --q0: #2f9e9a; --q1: #2b7bba; --q2: #5a56b5; --q3: #9c3c97; --q4: #c8324f; --pale: #b9c2cd;
    }
    @media (prefers-color-scheme: dark) {
        :root {
            --back: #11151a; --card: #191f26; --ink: #e7ebf0; --dim: #9aa6b4; --line: #2c353f;
            --grid: #262e37; --good: #6fd08f; --bad: #ff8d82; --warn: #f1bd5b; --warn-back: #2e2614;
            --good-back: #15291d; --bad-back: #331b1a; --accent: #6cb6ff;
            --c0: #58b1ea; --c1: #f5894a; --c2: #3ecf9f; --c3: #e394c4; --c4: #e9bd55; --c5: #97a6ff;
            --q0: #5fd0cb; --q1: #66b2f0; --q2: #9f9cf5; --q3: #dd84d8; --q4: #ff7d93; --pale: #4a5663;
        }
    }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--back); color: var(--ink);
        font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
    main { max-width: 1120px; margin: 0 auto; padding: 36px 20px 56px; }
    header { margin-bottom: 22px; }
    .eyebrow { font-size: 12px; font-weight: 650; letter-spacing: .08em; text-transform: uppercase;
        color: var(--accent); margin: 0 0 4px; }
    h1 { font-size: 27px; line-height: 1.25; margin: 0 0 8px; overflow-wrap: anywhere;
        letter-spacing: -.01em; }
    h2 { font-size: 17px; margin: 0 0 2px; }
    h3 { font-size: 14px; margin: 18px 0 6px; }
    p { margin: 0 0 6px; }
    .dim { color: var(--dim); }
    .card { background: var(--card); border: 1px solid var(--line); border-radius: 12px;
        padding: 20px 22px; margin-top: 16px; }
    .card > .dim { font-size: 14px; margin-bottom: 12px; max-width: 90ch; }
    .banner { border-radius: 12px; padding: 14px 22px; margin-top: 16px; border: 1px solid;
        border-left-width: 6px; }
    .banner.good { background: var(--good-back); border-color: var(--good); }
    .banner.bad { background: var(--bad-back); border-color: var(--bad); }
    .banner.warn { background: var(--warn-back); border-color: var(--warn); }
    .banner h2 { margin: 0; }
    .banner ul { list-style: none; margin: 8px 0 0; padding: 0; }
    .banner li { display: flex; flex-wrap: wrap; gap: 2px 14px; padding: 3px 0;
        overflow-wrap: anywhere; }
    .banner li > * { min-width: 0; }
    .mark { font-weight: 650; flex: 0 0 80px; }
    .mark.good { color: var(--good); } .mark.bad { color: var(--bad); }
    .banner.good h2 { color: var(--good); } .banner.bad h2 { color: var(--bad); }
    .banner.warn h2 { color: var(--warn); }
    .tiles { display: grid; gap: 12px; margin-top: 16px;
        grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); }
    .tile { background: var(--card); border: 1px solid var(--line); border-radius: 12px;
        padding: 13px 16px 12px; min-width: 0; }
    .tile dt { font-size: 13px; color: var(--dim); margin: 0; }
    .tile dd { margin: 0; }
    .tile .value { font-size: 25px; font-weight: 650; line-height: 1.25; letter-spacing: -.02em;
        font-variant-numeric: tabular-nums; white-space: nowrap; }
    .tile .value small { font-size: 14px; font-weight: 500; color: var(--dim); letter-spacing: 0; }
    .tile .under { font-size: 12.5px; color: var(--dim); line-height: 1.35; }
    .tile.bad { border-color: var(--bad); box-shadow: inset 0 3px 0 var(--bad); }
    .tile.bad .value { color: var(--bad); }
    .tile.warn { border-color: var(--warn); box-shadow: inset 0 3px 0 var(--warn); }
    .tile.warn .value { color: var(--warn); }
    .scroll { overflow-x: auto; }
    .chart { display: block; width: 100%; min-width: 640px; height: auto; }
    .chart text { font: 12px system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif;
        fill: var(--ink); font-variant-numeric: tabular-nums; }
    .chart .tick, .chart .unit, .chart .note { fill: var(--dim); }
    .chart .label { font-size: 13px; } .chart .strong { font-weight: 600; }
    .chart path { fill: none; }
    .grid { stroke: var(--grid); } .axis { stroke: var(--dim); }
    .line { stroke-width: 1.75; stroke-linejoin: round; stroke-linecap: round; }
    .wide { stroke-width: 6; stroke-opacity: .75; }
    .leader { stroke-width: 2.5; }
    .peak { fill: none; stroke: var(--ink); stroke-width: 1.25; }
    .c0 { stroke: var(--c0); } .c1 { stroke: var(--c1); } .c2 { stroke: var(--c2); }
    .c3 { stroke: var(--c3); } .c4 { stroke: var(--c4); } .c5 { stroke: var(--c5); }
    .q0 { stroke: var(--q0); } .q1 { stroke: var(--q1); } .q2 { stroke: var(--q2); }
    .q3 { stroke: var(--q3); } .q4 { stroke: var(--q4); } .pale { stroke: var(--pale); }
    .chart .bars { stroke: none; }
    .chart .bars.c0 { fill: var(--c0); } .chart .bars.c1 { fill: var(--c1); }
    .chart .bars.c2 { fill: var(--c2); } .chart .bars.c3 { fill: var(--c3); }
    .chart .bars.c4 { fill: var(--c4); } .chart .bars.c5 { fill: var(--c5); }
    .columns { display: grid; gap: 16px; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr));
        align-items: start; }
    .columns .card { min-width: 0; }
    table { border-collapse: collapse; width: 100%; font-size: 14px; }
    caption { text-align: left; color: var(--dim); padding-bottom: 6px; }
    th, td { text-align: left; vertical-align: top; padding: 6px 14px 6px 0;
        border-bottom: 1px solid var(--grid); font-weight: 400; overflow-wrap: anywhere; }
    tbody tr:last-child > * { border-bottom: 0; }
    thead th { color: var(--dim); font-size: 13px; border-bottom-color: var(--line);
        white-space: nowrap; }
    tbody th { color: var(--dim); white-space: nowrap; }
    .knobs th { white-space: normal; }
    .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
    .number:last-child { padding-right: 0; }
    tr.fault > * { color: var(--bad); font-weight: 650; }
    tr.differs > * { background: var(--warn-back); color: var(--ink); }
    .knobs th { width: 34%; }
    .letter { display: inline-block; min-width: 22px; padding: 0 6px; border-radius: 6px;
        text-align: center; font-weight: 650; color: var(--card); }
    .letter.l0 { background: var(--c0); } .letter.l1 { background: var(--c1); }
    .letter.l2 { background: var(--c2); } .letter.l3 { background: var(--c3); }
    .letter.l4 { background: var(--c4); } .letter.l5 { background: var(--c5); }
    pre { margin: 8px 0 0; padding: 12px 14px; background: var(--back); border-radius: 8px;
        white-space: pre-wrap; overflow-wrap: anywhere;
        font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
    pre + *, .scroll + p { margin-top: 12px; }
    details { margin-top: 12px; } summary { cursor: pointer; color: var(--accent); }
    footer { margin-top: 28px; font-size: 13px; color: var(--dim); }
    @media (max-width: 560px) {
        .columns { grid-template-columns: 1fr; } .tiles { grid-template-columns: 1fr 1fr; } .card { padding: 16px; }
        main { padding: 20px 12px 40px; } h1 { font-size: 22px; }
    }
    @media print {
        :root { color-scheme: light; --back: #fff; --card: #fff; --ink: #000; --dim: #444;
            --line: #bbb; --grid: #ddd; --good: #176f3d; --bad: #b42318; --warn: #8a5300;
            --warn-back: #fff; --good-back: #fff; --bad-back: #fff; --accent: #0b5cad;
            --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #b0568f; --c4: #b98300;
            --c5: #4a5fc1; --q0: #2f9e9a; --q1: #2b7bba; --q2: #5a56b5; --q3: #9c3c97;
            --q4: #c8324f; --pale: #b9c2cd; }
        body { font-size: 11pt; } main { max-width: none; padding: 0; }
        .card, .tile, .banner { break-inside: avoid; } .chart { min-width: 0; }
        details:not([open]) { display: none; }
        * { print-color-adjust: exact; }
    }
    """
