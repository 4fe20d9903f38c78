"""Who dies next. Drawn at random, and yet each role its share."""
import random


class Deck:
    """Cards of roles in `least` blocks; every block holds one `rare` card and the others in equal
    parts, shuffled.

    The supervisor is the rare one: its death stops the service for the time of a start, and a trial
    of nothing else would prove nothing about the rest.
    """

    def __init__(self, seed, roles, rare, least, kills):
        self.random = random.Random(seed)
        self.rare, self.least = rare, least
        self.drawn = {role: 0 for role in roles}
        others = [role for role in roles if role != rare]
        self.cards = []
        for _ in range(least):
            size = max(-(-kills // least), len(roles))
            block = [rare] + [others[n % len(others)] for n in range(size - 1)]
            self.random.shuffle(block)
            self.cards += block

    def draw(self, living, kills_left):
        """The role to kill of those that live, or None: nobody can be killed at this moment.

        Once the kills that are left are as many as are lacking for `least` of each role, only
        those roles are drawn.
        """
        lacking = {role: self.least - count for role, count in self.drawn.items() if count < self.least}
        if lacking and sum(lacking.values()) >= kills_left:
            role = next((role for role in lacking if role in living), None)
        else:
            role = self._first(living)
        if role is None:
            return None
        if role in self.cards:
            self.cards.remove(role)
        self.drawn[role] += 1
        return role

    def _first(self, living):
        # The rare card only from the top: while a new supervisor has nobody else to kill yet, all
        # its cards would be drawn one after the other.
        for at, role in enumerate(self.cards):
            if role in living and (role != self.rare or at == 0):
                return role
        return None

    def pick(self, pids):
        """One of several processes of a role."""
        return self.random.choice(sorted(pids))
