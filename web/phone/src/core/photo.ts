/** A picture from the camera made ready to travel: at most 2,048 px, JPEG, with the facts the canvas would drop. */

import { readExif } from './exif'
import { sha256 } from './uuid7'
import type { PhotoFacts, PositionReading } from './wire'

const LONGEST_PX = 2048
const QUALITY = 0.82
/** A phone photo is 2–12 MB; more is refused before it is decoded. */
export const LARGEST_FILE_BYTES = 40_000_000

export interface ReadyPhoto {
  bytes: ArrayBuffer
  type: string
  /** Null where the browser gives none: then the photo cannot be promised and goes first. */
  sha256: string | null
  facts: PhotoFacts
}

/**
 * Reads, shrinks and fingerprints a picture. `takenAtNow` is the server time used when the file names no
 * time of its own; `position` is where the phone is now, used when the file names no place.
 * Throws RangeError for a file too large and TypeError for one that is no picture.
 */
export async function readyPhoto(file: Blob, takenAtNow: string, position: PositionReading | null): Promise<ReadyPhoto> {
  if (file.size > LARGEST_FILE_BYTES) throw new RangeError('photo_too_large')
  const original = await file.arrayBuffer()
  const exif = readExif(original)
  const jpeg = await shrink(file)
  const bytes = await jpeg.arrayBuffer()
  const facts: PhotoFacts = {
    taken_at: exif.takenAt ?? takenAtNow,
    original_sha256: await sha256(original),
    position: exif.position ? { ...exif.position, datum: 'wgs84', accuracy_m: 50, at: exif.takenAt ?? takenAtNow } : position,
  }
  return { bytes, type: jpeg.type, sha256: await sha256(bytes), facts }
}

async function shrink(file: Blob): Promise<Blob> {
  let image: ImageBitmap
  try {
    image = await createImageBitmap(file, { imageOrientation: 'from-image' })
  } catch {
    throw new TypeError('photo_unreadable')
  }
  const scale = Math.min(1, LONGEST_PX / Math.max(image.width, image.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.round(image.width * scale)
  canvas.height = Math.round(image.height * scale)
  canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height)
  image.close()
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new TypeError('photo_unreadable'))), 'image/jpeg', QUALITY),
  )
}
