"""Photos from phones, made safe to keep and to show; only the child process ever loads an image library."""

from dispatch.adapters.photos.fingerprint import fingerprint_distance
from dispatch.adapters.photos.model import (
    ExifFacts,
    PhotoBusy,
    PhotoLimits,
    PhotoPipeline,
    PhotoRefused,
    PhotoWorkerBroken,
    ProcessedPhoto,
    Stamp,
)
from dispatch.adapters.photos.worker import PhotoWorker

__all__ = [
    "ExifFacts",
    "PhotoBusy",
    "PhotoLimits",
    "PhotoPipeline",
    "PhotoRefused",
    "PhotoWorker",
    "PhotoWorkerBroken",
    "ProcessedPhoto",
    "Stamp",
    "fingerprint_distance",
]
