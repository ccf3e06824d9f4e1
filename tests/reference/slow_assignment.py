"""The rules of assignment one row and one unit at a time, on lists."""

import math


def order(row):
    return sorted(range(len(row)), key=lambda k: (row[k], k))


def shares(raw):
    return [value / sum(raw) for value in raw]


def winner_take_all(row):
    return [1.0 if k == order(row)[0] else 0.0 for k in range(len(row))]


def relaxed(row, epsilon):
    if len(row) == 1:
        return [1.0]
    return [1 - epsilon if k == order(row)[0] else epsilon / (len(row) - 1) for k in range(len(row))]


def top_n(row, n):
    return [1 / n if k in order(row)[:n] else 0.0 for k in range(len(row))]


def boltzmann(row, temperature):
    return shares([math.exp(-(d - min(row)) / temperature) for d in row])


def neural_gas(row, radius):
    return shares([math.exp(-order(row).index(k) / radius) for k in range(len(row))])


def lattice(row, positions, radius, period=None):
    winner = positions[order(row)[0]]
    raw = []
    for place in positions:
        squared = 0.0
        for axis, (a, b) in enumerate(zip(winner, place)):
            step = abs(a - b)
            if period is not None:
                step = min(abs(step - turns * period[axis]) for turns in range(-100, 100))
            squared += step**2
        raw.append(math.exp(-squared / (2 * radius**2)))
    return shares(raw)
