import Core

/// A child in Python that does what any child must (ready, links, drain, flush) and little else, so
/// that the cluster is tested by a program that shares no code with it. How it behaves is written
/// into the settings file: words such as "worker:die" or "router:stubborn".
///
/// It logs to `<settings>.log`, a line each: "<role> <slot> <incarnation> <word> …".
enum FakeChild {
    static let words = ["python3", "-c", script]

    private static let script = """
        import mmap, os, select, socket, struct, sys, time
        role, words = sys.argv[1], dict(zip(sys.argv[2::2], sys.argv[3::2]))
        slot, incarnation = int(words['--slot']), int(words['--incarnation'])
        file = words['--settings']
        behaviour = open(file).read().split()
        control = socket.socket(fileno=3)
        control.setblocking(True)
        page = mmap.mmap(4, 0)
        base = int(words['--counter-offset'])

        def note(*what):
            with open(file + '.log', 'a') as log:
                log.write(' '.join(map(str, (role, slot, incarnation) + what)) + '\\n')

        def counter(name, value=None):
            at = base + 64 + 8 * COUNTERS[name]
            if value is not None: struct.pack_into('<Q', page, at, value)
            return struct.unpack_from('<Q', page, at)[0]

        def say(kind, number=0):
            control.send(struct.pack('<BBHIQQ', 1, kind, 0, 0, 0, number))

        if role + ':die' in behaviour:
            words = b'cannot boot\\nby order'
            at = base + LAST_WORDS
            page[at + 8:at + 8 + len(words)] = words
            struct.pack_into('<Q', page, at, 2)
            sys.exit(3)
        struct.pack_into('<I', page, base + 8, os.getpid())
        struct.pack_into('<Q', page, base + 24, time.monotonic_ns() // 1000000)
        assert os.readlink('/proc/self/fd/0') == '/dev/null'
        assert int(words['--sockets']) == (0 if role == 'worker' else 1)

        # The "spool" of a worker is a file with the number of its good hits.
        spool = file + '.spool%d' % slot
        if role == 'worker':
            hits = int(open(spool).read()) if os.path.exists(spool) else 0
            counter('goodHits', hits + 10)
            with open(spool, 'w') as out: out.write(str(hits + 10))
        if role == 'router':
            counter('requests', 5)
            counter('answers503', 1)
            counter('connectionsOpen', 2)
        if role + ':unready' in behaviour: time.sleep(60)
        say(1)
        note('ready')

        listener = socket.socket(fileno=5) if role != 'worker' else None
        if listener: listener.setblocking(False)
        links = []
        while True:
            readable, _, _ = select.select(
                [control] + ([listener] if listener else []), [], [], 0.2)
            if role + ':silent' not in behaviour:
                struct.pack_into('<Q', page, base + 24, time.monotonic_ns() // 1000000)
            if listener in readable:
                client, _ = listener.accept()
                client.sendall(b'hello from %d' % incarnation)
                client.close()
            if control not in readable: continue
            data, fds, _, _ = socket.recv_fds(control, 64, 4)
            if not data: sys.exit(0)
            assert len(data) == 24
            _, kind, peer, _, peers_incarnation, number = struct.unpack('<BBHIQQ', data)
            if kind == 16:
                link = socket.socket(fileno=fds[0])
                links.append(link)
                link.settimeout(5)
                # The peer may have died meanwhile: then this link is nothing, as for a real child.
                try:
                    if role == 'router': link.sendall(struct.pack('<Q', incarnation))
                    else: heard = link.recv(8)
                except OSError: continue
                if role == 'worker' and len(heard) == 8:
                    heard = struct.unpack('<Q', heard)[0]
                    note('link', peer, peers_incarnation, 'heard', heard)
            elif kind in (17, 18):
                note('leave', number)
                if role + ':stubborn' not in behaviour: sys.exit(0)
            elif kind in (19, 23):
                if role + ':stuck' in behaviour: continue
                if role == 'worker':
                    if role + ':loses' in behaviour: counter('goodDropped', 2)
                    counter('goodDelivered', counter('goodHits') - counter('goodDropped'))
                    note('flushed')
                else: say(3, number)
            elif kind == 20:
                if role + ':stubborn' not in behaviour: sys.exit(0)
        """.replacing(
            "COUNTERS[name]",
            with: "{"
                + Counter.allCases.map { "'\($0)':\($0.rawValue)" }.joined(separator: ",")
                + "}[name]"
        )
        .replacing(
            "LAST_WORDS",
            with:
                "\(CounterPage.textsOffset + CounterText.lastWords.rawValue * CounterText.byteCount)"
        )
}
