"""`python -m api.command_line.simulation`: the demo's people, as clients over HTTP. Never the database.

The same seed gives the same people with the same dice; what they meet depends on who was faster.
"""

import argparse
import asyncio
import json
import os
import traceback
from pathlib import Path

from api.command_line.demo_city import CAST_FILE
from api.command_line.simulation_contractors import Desk
from api.command_line.simulation_customers import Customers, TicketSource
from api.command_line.simulation_dispatcher import Dispatcher
from api.command_line.simulation_engineers import Engineer
from api.command_line.simulation_world import World, read_cast
from dispatch.settings import read_settings

SEED = 20260601
SIGN_IN_EVERY_S = 0.12  # real seconds between two phones: a sign-in costs the server a password hash


def main() -> None:
    """Plays until it is killed."""
    parser = argparse.ArgumentParser(prog="python -m api.command_line.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED, help="of everybody's dice")
    args = parser.parse_args()
    settings = read_settings(os.environ)
    cast = read_cast(settings.state / CAST_FILE)
    addresses = json.loads((Path(cast["maps_dir"]) / "addresses.json").read_text())
    places = [a for a in addresses if a["id"].startswith("b")]
    world = World(cast, settings.clock, settings.fcm_url, args.seed, places)
    asyncio.run(play(world))


async def play(world: World) -> None:
    """Everybody at once. There is nothing to keep: SIGTERM ends the process where it stands."""
    dispatcher = Dispatcher(world)
    people = [
        Engineer(world, each["signin_id"], each["contractor"]).live(place * SIGN_IN_EVERY_S)
        for place, each in enumerate(world.cast["engineers"])
    ]
    work = [
        dispatcher.live(), TicketSource(world, dispatcher).live(), Customers(world, dispatcher).live(),
        *[Desk(world, dispatcher, c["signin_id"]).live() for c in world.cast["contractors"] if c["signin_id"]],
        world.summarise(), *people,
    ]  # fmt: skip
    tasks: list[asyncio.Task[None]] = [asyncio.create_task(each) for each in work]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        traceback.print_exception(task.exception())
    os._exit(1)  # nobody ever ends: the supervisor starts everybody again


if __name__ == "__main__":
    main()
