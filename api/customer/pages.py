"""The customer's pages, rendered on the server."""

from fastapi import APIRouter

pages = APIRouter(tags=["customer"])
