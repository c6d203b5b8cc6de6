"""The table that a run of the bench ends with."""

import statistics

median = statistics.median


def p99(values):
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.99))]


class Table:
    """The rows of the report."""

    def __init__(self):
        self.rows = []
        self.heads = ("ours", "other")

    def add(self, figure, ours, other, ratio, goal, met):
        self.rows.append((figure, ours, other, ratio, goal,
                          {True: "yes", False: "NO", None: ""}[met]))

    def compare(self, figure, ours, other, goal, unit="", more=False):
        """goal: the most the ratio ours / other may be (the least, if more
        is better)."""
        ratio = ours / other
        met = None if goal is None else (
            ratio >= goal if more else ratio <= goal)
        sign = "" if goal is None else (">= " if more else "<= ")
        self.add(figure, f"{ours:.4g} {unit}".strip(),
                 f"{other:.4g} {unit}".strip(), f"{ratio:.3f}",
                 sign + (f"{goal} x" if goal is not None else ""), met)

    def rounds(self, figure, ours, other, goal, unit=""):
        """More is better; the ratio is the median of the rounds' ratios, so
        that a machine that is slower for a while hurts both."""
        ratio = median(a / b for a, b in zip(ours, other))
        self.add(figure, f"{median(ours):.4g} {unit}",
                 f"{median(other):.4g} {unit}", f"{ratio:.3f}",
                 f">= {goal} x" if goal else "",
                 ratio >= goal if goal else None)

    def bound(self, figure, ours, other, most, unit):
        """A goal that is a figure of its own."""
        self.add(figure, f"{ours:.4g} {unit}", f"{other:.4g} {unit}",
                 f"{ours / other:.3f}" if other else "",
                 f"<= {most} {unit}", ours <= most)

    def limit(self, figure, ours, most, unit):
        """A figure that stands beside nothing but its goal, if it has one."""
        self.add(figure, f"{ours:.4g} {unit}", "-", "",
                 "" if most is None else f"<= {most} {unit}",
                 None if most is None else ours <= most)

    def note(self, figure, why):
        self.add(figure, why, "", "", "", None)

    def show(self):
        head = ("figure", *self.heads, "ratio", "goal", "met")
        rows = [head, *self.rows]
        widths = [max(len(row[i]) for row in rows if row[2] or row is head)
                  for i in range(len(head))]
        print()
        for number, row in enumerate(rows):
            print("  ".join(word.ljust(width)
                            for word, width in zip(row, widths)).rstrip())
            if number == 0:
                print("  ".join("-" * width for width in widths))
