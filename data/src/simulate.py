"""Makes `data/raw/housing.csv`: a simulated sample in the shape of the 1990 California census file.

No row of it is copied from anywhere. Districts are drawn around places of our own choosing, with
distributions whose parameters stand below; the price follows from income, nearness to the sea, place, age
and chance, and is capped as the census capped it. Only `random.Random.random` and elementary functions are
used, and everything is rounded, so that every Python gives the same file.

    python -m data.src.simulate [FILE] [--rows N] [--seed N]
"""

from __future__ import annotations

import argparse
import math
import random
from pathlib import Path
from typing import NamedTuple

SEED = 19900401
ROWS = 4000
OUTPUT = Path(__file__).parents[1] / "raw" / "housing.csv"
HEADER = (
    "longitude", "latitude", "housing_median_age", "total_rooms", "total_bedrooms", "population", "households",
    "median_income", "median_house_value", "ocean_proximity",
)


class Place(NamedTuple):
    """Where districts gather. `spread` in degrees; `premium` on the logarithm of the price."""

    longitude: float
    latitude: float
    spread: float
    weight: float
    income: float
    age: float
    premium: float


PLACES = (
    Place(-118.25, 34.03, 0.16, 26, 3.3, 35, 0.10),
    Place(-117.90, 33.80, 0.15, 12, 4.3, 26, 0.08),
    Place(-117.25, 34.02, 0.22, 8, 3.4, 22, -0.12),
    Place(-117.10, 32.88, 0.14, 9, 3.6, 25, 0.05),
    Place(-122.40, 37.70, 0.09, 6, 4.0, 40, 0.32),
    Place(-122.10, 37.75, 0.13, 8, 4.1, 34, 0.12),
    Place(-121.93, 37.33, 0.11, 7, 4.8, 25, 0.18),
    Place(-121.40, 38.58, 0.22, 7, 3.3, 24, -0.20),
    Place(-121.10, 37.75, 0.25, 4, 3.0, 24, -0.22),
    Place(-119.77, 36.75, 0.28, 5, 2.7, 26, -0.32),
    Place(-119.02, 35.37, 0.22, 3, 2.8, 24, -0.34),
    Place(-119.20, 34.28, 0.16, 3, 4.1, 25, 0.10),
    Place(-121.75, 36.80, 0.20, 2, 3.6, 25, 0.08),
    Place(-122.65, 38.40, 0.20, 3, 3.6, 24, 0.06),
    Place(-122.20, 40.40, 0.45, 2, 2.5, 20, -0.40),
    Place(-116.45, 33.80, 0.25, 2, 3.0, 17, -0.10),
    Place(-120.60, 35.35, 0.20, 1.5, 3.2, 21, 0.02),
    Place(-123.90, 40.75, 0.25, 1, 2.5, 32, -0.25),
)
# The coast from south to north as (latitude, longitude), good to a few kilometres.
COAST = (
    (32.5, -117.12), (32.8, -117.27), (33.2, -117.39), (33.6, -117.92), (33.75, -118.3), (34.02, -118.52),
    (34.15, -119.2), (34.4, -119.7), (34.45, -120.45), (35.15, -120.68), (36.3, -121.9), (36.8, -121.8),
    (37.1, -122.3), (37.75, -122.51), (38.3, -123.05), (39.3, -123.8), (40.4, -124.36), (41.75, -124.22),
    (42.05, -124.3),
)
ISLAND = (-118.4, 33.38)
BAY = (-122.25, 37.75)


class Draws:
    """Random numbers from `random.Random.random` alone, the one whose sequence Python promises to keep."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed).random

    def normal(self, mean: float = 0.0, deviation: float = 1.0) -> float:
        """A normal number (Box and Muller, 1958)."""
        radius = math.sqrt(-2.0 * math.log(1.0 - self.random()))
        return mean + deviation * radius * math.cos(2.0 * math.pi * self.random())

    def lognormal(self, median: float, sigma: float) -> float:
        """A lognormal number with the given median."""
        return median * math.exp(self.normal(0.0, sigma))

    def place(self) -> Place:
        """A place, by weight."""
        mark = self.random() * sum(place.weight for place in PLACES)
        for place in PLACES:
            mark -= place.weight
            if mark < 0:
                return place
        return PLACES[-1]


def shore(latitude: float) -> float:
    """The longitude of the coast at a latitude, interpolated."""
    for (low, west), (high, east) in zip(COAST, COAST[1:], strict=False):
        if low <= latitude <= high:
            return west + (east - west) * (latitude - low) / (high - low)
    return COAST[0][1] if latitude < COAST[0][0] else COAST[-1][1]


def location(draws: Draws) -> tuple[float, float, Place, float]:
    """A point on land: longitude, latitude, its place, and degrees from the coast."""
    while True:
        place = draws.place()
        longitude = round(draws.normal(place.longitude, place.spread), 2)
        latitude = round(draws.normal(place.latitude, place.spread * 0.8), 2)
        inland = longitude - shore(latitude)
        inside = 32.54 <= latitude <= 41.95 and longitude <= -114.31 and -86.0 <= longitude + latitude <= -78.8
        if inside and inland >= 0.0:
            return longitude, latitude, place, inland * 0.82  # a degree of longitude is shorter than one of latitude


def proximity(draws: Draws, longitude: float, latitude: float, inland: float) -> str:
    """The census file's word for how near the sea is."""
    if math.hypot((longitude - BAY[0]) * 0.79, latitude - BAY[1]) < 0.32 and longitude > -122.47:
        return "NEAR BAY"
    if inland < 0.08 + 0.05 * draws.random():
        return "NEAR OCEAN"
    return "<1H OCEAN" if inland < 0.66 + 0.1 * draws.normal() else "INLAND"


PREMIUM = {"NEAR BAY": 0.26, "NEAR OCEAN": 0.30, "<1H OCEAN": 0.16, "INLAND": -0.26, "ISLAND": 0.55}


def district(draws: Draws, island: bool) -> tuple[str, ...]:
    """One row, as the cells of the file."""
    if island:
        longitude = round(draws.normal(ISLAND[0], 0.05), 2)
        latitude, word, place, inland = round(draws.normal(ISLAND[1], 0.02), 2), "ISLAND", PLACES[11], 0.0
    else:
        longitude, latitude, place, inland = location(draws)
        word = proximity(draws, longitude, latitude, inland)
    income = min(max(draws.lognormal(place.income, 0.43), 0.4999), 15.0001)
    age = min(max(round(draws.normal(place.age, 11.0)), 1), 52)
    households = max(round(draws.lognormal(405.0 * (1.25 - 0.009 * age), 0.68)), 2)
    rooms = max(round(households * draws.lognormal(4.1 + 0.32 * income, 0.16)), households + 1)
    bedrooms = min(max(round(households * draws.lognormal(1.06, 0.07)), 1), rooms)
    population = max(round(households * draws.lognormal(2.9 - 0.05 * (income - 3.8), 0.24)), households)
    gap = draws.random() < 0.010
    price = math.log(82000.0) + 0.66 * math.log(income) + PREMIUM[word] + place.premium - 0.06 * min(inland, 3.0)
    price += 0.0035 * (age - 28) + 0.05 * (rooms / households - 5.3) - 0.10 * (population / households - 2.9)
    value = min(max(round(math.exp(price + draws.normal(0.0, 0.21)), -2), 14999.0), 500001.0)
    numbers = (float(age), float(rooms), None if gap else float(bedrooms), float(population), float(households))
    cells = ["" if number is None else f"{number:.1f}" for number in numbers]
    return (f"{longitude:.2f}", f"{latitude:.2f}", *cells, f"{income:.4f}", f"{value:.1f}", word)


def simulate(rows: int = ROWS, seed: int = SEED) -> bytes:
    """The file's bytes: a header and `rows` different rows."""
    draws = Draws(seed)
    lines: dict[str, None] = {}
    while len(lines) < rows:
        lines[",".join(district(draws, island=draws.random() < 0.001))] = None
    return ("\n".join([",".join(HEADER), *lines]) + "\n").encode("ascii")


def main() -> None:
    """Write the file; without options, the one of the tree."""
    parser = argparse.ArgumentParser(prog="python -m data.src.simulate", description="Write a simulated sample.")
    parser.add_argument("file", nargs="?", type=Path, default=OUTPUT, help="where to (default: the tree's own sample)")
    parser.add_argument("--rows", type=int, default=ROWS, help=f"how many rows (default: {ROWS})")
    parser.add_argument("--seed", type=int, default=SEED, help=f"which sample (default: {SEED})")
    asked = parser.parse_args()
    temporary = asked.file.with_suffix(".part")
    temporary.write_bytes(simulate(asked.rows, asked.seed))
    temporary.replace(asked.file)
    print(f"{asked.file}: {asked.rows} simulated rows")


if __name__ == "__main__":
    main()
