"""python -m geo.demo_city OUT_DIR [SEED]"""

from __future__ import annotations

import sys

from geo.demo_city import make_city


def main(arguments: list[str]) -> int:
    if not 1 <= len(arguments) <= 2 or (len(arguments) == 2 and not arguments[1].isdecimal()):
        print("usage: python -m geo.demo_city OUT_DIR [SEED]", file=sys.stderr)
        return 2
    city = make_city(arguments[0], int(arguments[1]) if len(arguments) == 2 else 7)
    for path in (city.pbf, city.roads, city.areas, city.buildings, city.addresses, city.territories):
        print(f"{path}  {path.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
