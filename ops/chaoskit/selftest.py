"""Whether the judges see what is planted, and the deck deals what it says:
python3 -m unittest discover -s ops -p selftest.py"""
import gzip
import os
import tempfile
import unittest

from chaoskit import judge, memory, watch
from chaoskit.cluster import ROLES
from chaoskit.deck import Deck
from chaoskit.verdict import Verdict


def ledger(accepted=0, delivered=0, spooled=0, bad=0, dropped=0):
    return {"accepted": accepted, "delivered": delivered, "spooled": spooled, "bad": bad,
            "dropped": dropped, "refused": 0, "bad_delivered": 0, "bad_spooled": 0}


class FakeCluster:
    binary = "unused"

    def status(self):
        return None


class DeckTests(unittest.TestCase):
    def deal(self, seed, living_at, kills=120, least=5):
        deck = Deck(seed, ROLES, "supervisor", least, kills)
        return deck, [deck.draw(living_at(at), kills - at) for at in range(kills)]

    def test_every_role_has_its_share_and_the_supervisor_just_its_own(self):
        for seed in range(200):
            deck, drawn = self.deal(seed, lambda _: set(ROLES))
            self.assertEqual(deck.drawn["supervisor"], 5)
            self.assertTrue(all(deck.drawn[role] >= 35 for role in ROLES if role != "supervisor"))
            self.assertNotIn(None, drawn)

    def test_the_least_is_reached_though_nobody_lives_for_a_while_after_each_supervisor(self):
        for seed in range(200):
            deck = Deck(seed, ROLES, "supervisor", 5, 120)
            alone = 0
            for at in range(120):
                role = deck.draw({"supervisor"} if alone else set(ROLES), 120 - at)
                alone = 3 if role == "supervisor" else max(0, alone - 1)
            self.assertTrue(all(count >= 5 for count in deck.drawn.values()), (seed, deck.drawn))

    def test_the_same_seed_kills_the_same(self):
        everybody = lambda _: set(ROLES)
        self.assertEqual(self.deal(7, everybody)[1], self.deal(7, everybody)[1])
        self.assertNotEqual(self.deal(7, everybody)[1], self.deal(8, everybody)[1])


class WatchTests(unittest.TestCase):
    def setUp(self):
        self.kept = watch.never_falling
        watch.never_falling = lambda _: {"goodhits", "answers200"}
        self.watch = watch.Watch(FakeCluster(), every=3600)

    def tearDown(self):
        watch.never_falling = self.kept
        self.watch.end()

    def look(self, found, state="running", pid=1, good_hits=0, answers200=0):
        counters = {"good_hits": good_hits, "answers200": answers200}
        self.watch.look({"ledger": found, "state": state, "pid": pid, "counters": counters})

    def test_what_rises_is_good(self):
        self.look(ledger(accepted=5, spooled=5), good_hits=5)
        self.look(ledger(accepted=7, delivered=6, bad=1), good_hits=6)
        self.assertEqual(self.watch.faults, [])

    def test_a_ledger_that_does_not_close(self):
        self.look(ledger(accepted=5, spooled=4))
        self.assertEqual(len(self.watch.faults), 1)

    def test_a_ledger_that_falls_over_a_new_supervisor(self):
        self.look(ledger(accepted=5, spooled=5), pid=1)
        self.look(ledger(accepted=0), state="starting", pid=2)
        self.assertEqual(self.watch.faults, [])
        self.look(ledger(accepted=4, spooled=4), pid=2)
        self.assertIn("accepted fell from 5 to 4", self.watch.faults[0])

    def test_a_counter_falls_only_with_its_cluster(self):
        self.look(ledger(), answers200=9, pid=1)
        self.look(ledger(), answers200=1, pid=2)
        self.assertEqual(self.watch.faults, [])
        self.look(ledger(), answers200=0, pid=2)
        self.assertIn("answers200 fell from 1 to 0", self.watch.faults[0])

    def test_a_counter_that_the_status_lacks(self):
        self.watch.look(
            {"ledger": ledger(), "state": "running", "pid": 1, "counters": {"answers200": 0}})
        self.assertIn("goodhits", self.watch.faults[0])


class RowsTests(unittest.TestCase):
    def judged(self, objects, accepted, kills=1):
        with tempfile.TemporaryDirectory() as data:
            os.makedirs(f"{data}/s3/bucket/a")
            for at, rows in enumerate(objects):
                with gzip.open(f"{data}/s3/bucket/a/{at}.gz", "wb") as file:
                    file.writelines(row + b"\n" for row in rows)
            verdict = Verdict("rows")
            judge.rows_once_each(verdict, data, {"ledger": ledger(accepted)}, kills, lanes=1)
            return verdict.faults

    def test_once_each_or_again_the_same(self):
        one, two = b'{"id":"1","a":1}', b'{"id":"2","a":1}'
        self.assertEqual(self.judged([[one, two]], 2), [])
        self.assertEqual(self.judged([[one, two], [two]], 2), [])

    def test_again_and_not_the_same(self):
        faults = self.judged([[b'{"id":"1","a":1}'], [b'{"id":"1","a":2}']], 1)
        self.assertEqual(len(faults), 1)
        self.assertIn("not the same", faults[0])

    def test_again_and_nobody_died(self):
        self.assertIn("explain 0 B", self.judged([[b'{"id":"1"}'], [b'{"id":"1"}']], 1, kills=0)[0])

    def test_twice_in_the_spool_and_never_accepted(self):
        self.assertIn("held hits twice", self.judged([[b'{"id":"1"}']], 2)[0])
        self.assertIn("nobody accepted", self.judged([[b'{"id":"1"}', b'{"id":"2"}']], 1)[0])


class LedgerTests(unittest.TestCase):
    def faults(self, whole, *shards):
        verdict = Verdict("ledger")
        shards = [{**shard, "shard": at} for at, shard in enumerate(shards)]
        judge.ledger_closes(verdict, {"ledger": whole, "shards": shards})
        return verdict.faults

    def test_each_shard_closes_and_nothing_is_left_or_dropped(self):
        good = ledger(accepted=3, delivered=2, bad=1)
        self.assertEqual(self.faults(good, good), [])
        self.assertEqual(len(self.faults(good, ledger(accepted=3))), 1)
        self.assertEqual(len(self.faults(ledger(accepted=1, dropped=1))), 1)
        self.assertEqual(len(self.faults(ledger(accepted=1, spooled=1))), 1)


class MemoryTests(unittest.TestCase):
    def test_a_trend_is_told_from_a_step_up_and_down(self):
        level = [(float(at), 1000) for at in range(40)]
        self.assertEqual(memory.growth(level), 0)
        leak = [(float(at), 1000 + 10 * at) for at in range(40)]
        self.assertAlmostEqual(memory.growth(leak), 390)
        self.assertLess(abs(memory.growth(level[:20] + [(20.0, 5000)] + level[21:])), 200)


if __name__ == "__main__":
    unittest.main()
