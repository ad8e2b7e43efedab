"""A deterministic synthetic city (示例城市, Demo City) to try the product on without anybody's map data."""

from geo.demo_city.make import City, make_city

__all__ = ["City", "make_city"]
