"""Tables and verdicts, printed as they come and kept for --markdown."""
import os, pathlib, statistics


class Report:
    def __init__(self):
        self.lines = []

    def say(self, line=""):
        self.lines.append(line)
        print(line, flush=True)

    def row(self, *cells):
        self.say("| " + " | ".join(str(c) for c in cells) + " |")

    def head(self, title, *columns):
        self.say()
        self.say(f"## {title}")
        self.say()
        self.row(*columns)
        self.row(*["---"] * len(columns))

    def aims(self, *aims):
        """Each (what, figure, 'at most' or 'at least', aim), with the verdict; the exit code does not tell, since machines differ."""
        self.say()
        self.row("aim", "here", "wanted", "met")
        self.row(*["---"] * 4)
        for what, here, way, aim in aims:
            met = here <= aim if way == "at most" else here >= aim
            self.row(what, number(here), f"{way} {number(aim)}", "yes" if met else "**no**")

    def write(self, path):
        pathlib.Path(path).write_text("\n".join(self.lines).strip() + "\n")


def number(value):
    """Three digits that say something."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 20 else f"{value:.2f}"


def load():
    return f"{os.getloadavg()[0]:.2f}"


def median(rows, key):
    return statistics.median(row[key] for row in rows)


def spread(rows, key):
    values = [row[key] for row in rows]
    return f"{number(min(values))} to {number(max(values))}"


def ratio(ones, others, key):
    """The median of the ratios of runs that were made in the same minute: what else the machine did falls out of it."""
    return statistics.median(one[key] / other[key] for one, other in zip(ones, others))
