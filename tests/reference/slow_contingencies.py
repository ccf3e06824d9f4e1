"""Contexts of growing length in one dictionary, by their definition."""


class SlowContingencies:
    """A context is the tuple of all that is in it: the action, the observation, the pairs before, the newest first."""

    def __init__(self, order, alpha=1.0, forgetting=0.0, min_parent=0, max_contexts=None):
        self.order, self.alpha, self.forgetting = order, alpha, forgetting
        self.min_parent, self.max_contexts = min_parent, max_contexts
        self.counts, self.visits, self.last, self.number = {}, {}, {}, {}
        self.outcomes = set()
        self.clock = self.opened = 0

    def contexts(self, observation, action, past):
        whole = (action, observation, *reversed(past))[: self.order + 1]
        return [whole[: i + 1] for i in range(len(whole))]

    def learn(self, observation, action, past, outcome):
        self.clock += 1
        self.outcomes.add(outcome)
        for counts in self.counts.values():
            for known in counts:
                counts[known] *= 1 - self.forgetting
        met = self.min_parent
        for context in self.contexts(observation, action, past):
            if context not in self.counts:
                if met < self.min_parent:
                    break
                self.opened += 1
                self.counts[context], self.visits[context], self.number[context] = {}, 0, self.opened
            met = self.visits[context]
            self.counts[context][outcome] = self.counts[context].get(outcome, 0.0) + 1
            self.visits[context] += 1
            self.last[context] = self.clock
        self.make_room()

    def make_room(self):
        if self.max_contexts is None or len(self.counts) + self.order + 1 <= self.max_contexts:
            return
        excess = len(self.counts) - self.max_contexts + max(self.max_contexts // 8, self.order + 1)
        oldest = sorted(self.counts, key=lambda context: (self.last[context], -self.number[context]))
        for context in oldest[:excess]:
            del self.counts[context], self.visits[context], self.last[context], self.number[context]

    def probability(self, observation, action, past, outcome):
        p = 1 / len(self.outcomes | {outcome})
        for context in self.contexts(observation, action, past):
            counts = self.counts.get(context, {})
            p = (counts.get(outcome, 0.0) + self.alpha * p) / (sum(counts.values()) + self.alpha)
        return p
