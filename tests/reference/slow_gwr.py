"""A network that grows when required, as one would write it on a blackboard."""

import numpy as np
from slow_nearest import unit_length

EUCLIDEAN, COSINE, MANHATTAN = 0, 1, 2


class Unit:
    def __init__(self, position, count=0.0):
        self.position = np.array(position, np.float64)
        self.habituation, self.count = 1.0, count


class SlowGWR:
    def __init__(self, first, second, rule):
        self.units, self.ages, self.rule, self.winners = [Unit(first), Unit(second)], {}, rule, []

    def neighbors(self, unit):
        return [v for v in self.units if v is not unit and frozenset((unit, v)) in self.ages]

    def distance(self, x, unit):
        if self.rule.metric == MANHATTAN:
            return np.abs(x - unit.position).sum()
        distance = np.sqrt(((x - unit.position) ** 2).sum())
        return distance**2 / 2 if self.rule.metric == COSINE else distance

    def settle(self, unit):
        if self.rule.metric == COSINE:
            unit.position = unit_length(unit.position)

    def present(self, x):
        rule = self.rule
        distances = [self.distance(x, u) for u in self.units]
        i1, i2 = np.argsort(distances, kind="stable")[:2]
        s, t = self.units[i1], self.units[i2]
        self.winners.append(int(i1))
        s.count += 1
        self.ages[frozenset((s, t))] = 0
        far = distances[i1] > rule.max_distance
        if far and s.habituation < rule.habituation_threshold and len(self.units) < rule.max_units:
            r = Unit((s.position + x) / 2, count=(s.count + t.count) / 4)
            self.settle(r)
            s.count *= 0.75
            t.count *= 0.75
            self.units.append(r)
            del self.ages[frozenset((s, t))]
            self.ages[frozenset((r, s))] = self.ages[frozenset((r, t))] = 0
        else:
            for unit, rate in [(s, rule.winner_rate), *((n, rule.neighbor_rate) for n in self.neighbors(s))]:
                unit.position += rate * unit.habituation * (x - unit.position)
                self.settle(unit)
        for unit, time in [(s, rule.winner_time), *((n, rule.neighbor_time) for n in self.neighbors(s))]:
            unit.habituation += (1.05 * (1 - unit.habituation) - 1) / time
        self.ages = {edge: age + (s in edge) for edge, age in self.ages.items()}
        self.ages = {edge: age for edge, age in self.ages.items() if age <= rule.max_age}
        i = 0
        while i < len(self.units):
            if len(self.units) > 2 and not self.neighbors(self.units[i]):
                self.units[i] = self.units[-1]
                self.units.pop()
            else:
                i += 1

    def edges(self):
        place = {unit: i for i, unit in enumerate(self.units)}
        return {tuple(sorted(place[unit] for unit in edge)): age for edge, age in self.ages.items()}
