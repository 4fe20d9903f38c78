/// The demo page, whole: no request leaves it but the pixels and the question for rows. Every value
/// that came from a hit is shown through `textContent`.
func demoPage(_ options: DemoSite.Options, nonce: String) -> String {
    let configuration = JSONValue.object([
        "pixel": .text(options.routerOrigin + options.pixelPath),
        "good": .text(options.goodTable), "bad": .text(options.badTable),
    ])
    return demoHead(nonce: nonce) + demoBody
        // JSONWriter escapes "<", so the text cannot end the script element.
        + "<script nonce=\"\(nonce)\">\nconst cluster = "
        + String(decoding: configuration.bytes, as: UTF8.self) + ";\n" + demoScript
        + "</script>\n</body>\n</html>\n"
}

private func demoHead(nonce: String) -> String {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Hydrant demo</title>
    <link rel="icon" href="data:,">
    <style nonce="\(nonce)">
    \(demoStyle)</style>
    </head>

    """
}

private let demoStyle = """
    :root {
        color-scheme: light dark;
        --back: #f6f7f9; --card: #fff; --ink: #1a1f27; --dim: #667080; --line: #dfe3e8;
        --accent: #c8102e; --accent-ink: #fff; --fresh: #fff3cd; --good: #1c7c3c; --bad: #b3261e;
    }
    @media (prefers-color-scheme: dark) {
        :root {
            --back: #14171c; --card: #1d2229; --ink: #e6e9ee; --dim: #98a2b1; --line: #303741;
            --accent: #ff5a6e; --accent-ink: #14171c; --fresh: #4a3f16; --good: #6fcf8c; --bad: #ff8a80;
        }
    }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--back); color: var(--ink);
        font: 15px/1.5 system-ui, sans-serif; }
    main { max-width: 1200px; margin: 0 auto; padding: 24px 16px 64px; }
    h1 { font-size: 24px; margin: 0 0 4px; }
    h2 { font-size: 16px; margin: 0 0 8px; }
    p { margin: 0 0 12px; color: var(--dim); }
    code, td, .log { font: 13px/1.45 ui-monospace, "DejaVu Sans Mono", monospace; }
    section { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
        padding: 16px; margin-top: 16px; }
    .fire { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
    button { font: inherit; padding: 7px 14px; border-radius: 7px; border: 1px solid var(--line);
        background: var(--card); color: var(--ink); cursor: pointer; }
    button.main { background: var(--accent); border-color: var(--accent); color: var(--accent-ink); }
    button:hover { filter: brightness(1.08); }
    button:focus-visible, input:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
    label { display: flex; gap: 8px; align-items: center; flex-wrap: wrap; margin-top: 12px;
        color: var(--dim); }
    input { font: 13px ui-monospace, monospace; flex: 1 1 320px; min-width: 0; padding: 7px 10px;
        border: 1px solid var(--line); border-radius: 7px; background: var(--back); color: var(--ink); }
    .log { list-style: none; margin: 12px 0 0; padding: 0; max-height: 180px; overflow: auto; }
    .log li { padding: 2px 0; overflow-wrap: anywhere; }
    .log .ok { color: var(--good); }
    .log .failed { color: var(--bad); }
    .log .pending { color: var(--dim); }
    .scroll { overflow-x: auto; max-height: 460px; overflow-y: auto; }
    table { border-collapse: collapse; min-width: 100%; }
    th, td { text-align: left; padding: 5px 10px; border-bottom: 1px solid var(--line);
        white-space: nowrap; max-width: 320px; overflow: hidden; text-overflow: ellipsis; }
    th { position: sticky; top: 0; background: var(--card); font-size: 13px; }
    tr.fresh td { background: var(--fresh); }
    td.null { color: var(--dim); font-style: italic; }
    .count { color: var(--dim); font-weight: normal; }

    """

private let demoBody = """
    <body>
    <main>
    <h1>Hydrant demo</h1>
    <p>Each button loads a 1×1 image from the router. The hit is validated, spooled, delivered to the
    local Firehose, written as a GZIP object and loaded into the warehouse: its row shows up below,
    a few seconds later.</p>

    <section>
    <h2>Fire pixels</h2>
    <div class="fire">
        <button class="main" id="load">load</button>
        <button id="click">click</button>
        <button id="beacon">callWebBeacon(url, "impression")</button>
        <button id="hostile">hostile text</button>
        <button id="invalid">invalid hit</button>
        <button id="hundred">100 hits</button>
    </div>
    <label>Beacon URL <input id="url" spellcheck="false" autocomplete="off"></label>
    <ul class="log" id="log" aria-live="polite"></ul>
    </section>

    <section>
    <h2><span id="good-name"></span> <span class="count" id="good-count"></span></h2>
    <div class="scroll"><table id="good"></table></div>
    <p id="trouble" role="status"></p>
    </section>

    <section>
    <h2><span id="bad-name"></span> <span class="count" id="bad-count"></span></h2>
    <div class="scroll"><table id="bad"></table></div>
    </section>
    </main>

    """

private let demoScript = #"""
    "use strict";
    const byId = id => document.getElementById(id);
    const visitor = "demo-" + crypto.getRandomValues(new Uint32Array(1))[0].toString(36);
    let fired = 0;

    // Shows a hidden image: the request is the point, the picture is not.
    function loadPixel(url) {
        const line = document.createElement("li");
        line.className = "pending";
        line.textContent = "… " + url;
        const log = byId("log");
        log.prepend(line);
        while (log.children.length > 100) log.lastChild.remove();
        const image = new Image(1, 1);
        const done = (name, mark) => () => {
            line.className = name;
            line.textContent = mark + " " + url;
            image.remove();
        };
        image.hidden = true;
        image.alt = "";
        image.onload = done("ok", "✓");
        image.onerror = done("failed", "✗");
        image.src = url;
        document.body.append(image);
    }

    function track(fields) {
        const query = new URLSearchParams({uid: visitor, n: String(++fired), ...fields});
        loadPixel(cluster.pixel + "?" + query);
    }

    // One URL serves hundreds of events: every [EVENT] in it, in any case, becomes the event.
    function callWebBeacon(url, event) {
        loadPixel(url.replace(/\[EVENT\]/gi, () => encodeURIComponent(event)));
    }

    byId("url").value = cluster.pixel + "?event=[EVENT]&uid=" + visitor + "&label=macro-[event]";
    byId("load").onclick = () => track({event: "load"});
    byId("click").onclick = () => track({event: "click"});
    byId("beacon").onclick = () => callWebBeacon(byId("url").value, "impression");
    byId("hostile").onclick = () =>
        track({event: "hostile", label: "<img src=x onerror=alert(1)> \"&amp;' \u2028 é"});
    byId("invalid").onclick = () => loadPixel(cluster.pixel + "?uid=" + visitor);
    byId("hundred").onclick = () => {
        for (let i = 0; i < 100; i++) track({event: "burst"});
    };

    function show(place, name, table, before) {
        byId(place + "-name").textContent = name;
        byId(place + "-count").textContent = table.last + (table.last === 1 ? " row" : " rows");
        const head = document.createElement("tr");
        for (const column of table.columns) {
            const cell = document.createElement("th");
            cell.textContent = column;
            head.append(cell);
        }
        const rows = table.rows.map((values, index) => {
            const row = document.createElement("tr");
            if (before !== undefined && table.last - index > before) row.className = "fresh";
            for (const value of values) {
                const cell = document.createElement("td");
                cell.textContent = value === null ? "NULL" : String(value);
                cell.title = cell.textContent;
                if (value === null) cell.className = "null";
                row.append(cell);
            }
            return row;
        });
        byId(place).replaceChildren(head, ...rows);
    }

    const last = {};
    async function refresh() {
        try {
            const answer = await (await fetch("/demo/rows", {cache: "no-store"})).json();
            if (answer.error) throw new Error(answer.error);
            byId("trouble").textContent = "";
            for (const [place, name] of [["good", cluster.good], ["bad", cluster.bad]]) {
                const table = answer.tables[name];
                if (table.last !== last[place]) show(place, name, table, last[place]);
                last[place] = table.last;
            }
        } catch (error) {
            byId("trouble").textContent = "no rows: " + error.message;
        }
        setTimeout(refresh, document.hidden ? 5000 : 1000);
    }

    // The page's own load, and one hit through the macro, as a partner's tag would fire it.
    byId("load").click();
    byId("beacon").click();
    // /demo#play presses every other button once, for a demonstration without hands.
    if (location.hash === "#play") {
        for (const id of ["click", "hostile", "invalid"]) byId(id).click();
    }
    refresh();

    """#
