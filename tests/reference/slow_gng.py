"""Growing neural gas as one would write it on a blackboard: objects, a dict of edge ages, decay of every error."""

import numpy as np
from slow_nearest import unit_length

EUCLIDEAN, COSINE, MANHATTAN = 0, 1, 2


class Unit:
    def __init__(self, position, error=0.0, utility=0.0, count=0.0):
        self.position = np.array(position, dtype=np.float64)
        self.error, self.utility, self.count = error, utility, count


class SlowGNG:
    def __init__(self, first, second, rule):
        self.units = [Unit(first), Unit(second)]
        self.ages = {}  # frozenset of two units -> age
        self.rule = rule
        self.presented = 0
        self.winners = []

    def neighbors(self, unit):
        return [v for v in self.units if frozenset((unit, v)) in self.ages and v is not unit]

    def present(self, x):
        rule = self.rule
        if rule.metric == MANHATTAN:
            squared = [float(np.abs(u.position - x).sum()) ** 2 for u in self.units]
        else:
            squared = [float(((u.position - x) ** 2).sum()) for u in self.units]
        i1, i2 = np.argsort(squared, kind="stable")[:2]
        s1, s2 = self.units[i1], self.units[i2]
        self.winners.append(int(i1))
        s1.count += 1
        s1.error += squared[i1]
        s1.utility += squared[i2] - squared[i1]
        if rule.refresh_first:
            self.ages[frozenset((s1, s2))] = 0
            self.move(s1, x)
            self.age_edges_of(s1)
        else:
            self.age_edges_of(s1)
            self.move(s1, x)
            self.ages[frozenset((s1, s2))] = 0
        self.ages = {edge: age for edge, age in self.ages.items() if age <= rule.max_age}
        self.remove_isolated()
        self.presented += 1
        if self.presented % rule.interval == 0:
            if rule.utility_threshold < np.inf:
                self.remove_useless()
            if len(self.units) < rule.max_units:
                self.insert()
        for unit in self.units:
            unit.error *= rule.error_decay
            unit.utility *= rule.error_decay

    def move(self, winner, x):
        for unit in self.neighbors(winner):
            unit.position += self.rule.neighbor_rate * (x - unit.position)
        winner.position += self.rule.winner_rate * (x - winner.position)
        if self.rule.metric == COSINE:
            for unit in (winner, *self.neighbors(winner)):
                unit.position = unit_length(unit.position)

    def age_edges_of(self, unit):
        for edge in self.ages:
            self.ages[edge] += unit in edge

    def remove(self, i):
        """The last unit takes the free place."""
        self.units[i] = self.units[-1]
        self.units.pop()

    def remove_isolated(self):
        i = 0
        while i < len(self.units):
            if len(self.units) > 2 and not self.neighbors(self.units[i]):
                self.remove(i)
            else:
                i += 1

    def remove_useless(self):
        i = int(np.argmin([u.utility for u in self.units]))
        useless = self.units[i]
        if len(self.units) > 2 and max(u.error for u in self.units) > self.rule.utility_threshold * useless.utility:
            self.ages = {edge: age for edge, age in self.ages.items() if useless not in edge}
            self.remove(i)
            self.remove_isolated()

    def insert(self):
        q = max(self.units, key=lambda u: u.error)
        if q.error == 0:
            return
        f = max(self.neighbors(q) or [u for u in self.units if u is not q], key=lambda u: u.error)
        self.ages.pop(frozenset((q, f)), None)
        q.error *= self.rule.split_decay
        f.error *= self.rule.split_decay
        r = Unit(
            (q.position + f.position) / 2,
            error=(q.error + f.error) / 2 if self.rule.mean_error else q.error,
            utility=(q.utility + f.utility) / 2,
            count=(q.count + f.count) / 4,
        )
        if self.rule.metric == COSINE:
            r.position = unit_length(r.position)
        q.count *= 0.75
        f.count *= 0.75
        self.units.append(r)
        self.ages[frozenset((q, r))] = self.ages[frozenset((f, r))] = 0

    def edges(self):
        """{(i, j): age}, i < j"""
        place = {unit: i for i, unit in enumerate(self.units)}
        return {tuple(sorted(place[unit] for unit in edge)): age for edge, age in self.ages.items()}
