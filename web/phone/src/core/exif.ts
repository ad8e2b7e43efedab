/** The three facts of a JPEG's EXIF block that matter as evidence: when, and where. Format: CIPA DC-008 (Exif 2.32), TIFF 6.0. */

export interface ExifFacts {
  /** ISO 8601 with offset, only when the camera wrote its offset: a time without one is no instant. */
  takenAt: string | null
  position: { lon: number; lat: number } | null
}

const NOTHING: ExifFacts = { takenAt: null, position: null }
const TAG = { exif: 0x8769, gps: 0x8825, takenAt: 0x9003, offset: 0x9011, latRef: 1, lat: 2, lonRef: 3, lon: 4 }
const ASCII = 2
const MAX_ENTRIES = 500

interface Tiff {
  view: DataView
  little: boolean
}

/** Reads what is there; anything malformed or not a JPEG reads as nothing. */
export function readExif(file: ArrayBuffer): ExifFacts {
  try {
    const tiff = findTiff(new DataView(file))
    if (!tiff) return NOTHING
    const main = readDirectory(tiff, tiff.view.getUint32(4, tiff.little))
    const exif = readDirectory(tiff, pointer(tiff, main.get(TAG.exif)))
    const gps = readDirectory(tiff, pointer(tiff, main.get(TAG.gps)))
    return { takenAt: readTime(tiff, exif), position: readPlace(tiff, gps) }
  } catch {
    return NOTHING
  }
}

/** The TIFF block inside the APP1 segment that starts with "Exif\0\0". */
function findTiff(view: DataView): Tiff | null {
  if (view.getUint16(0) !== 0xffd8) return null
  for (let at = 2; at + 10 < view.byteLength; ) {
    const marker = view.getUint16(at)
    const length = view.getUint16(at + 2)
    if ((marker & 0xff00) !== 0xff00 || marker === 0xffda) return null
    if (marker === 0xffe1 && view.getUint32(at + 4) === 0x45786966) {
      const block = new DataView(view.buffer, view.byteOffset + at + 10, length - 8)
      return { view: block, little: block.getUint16(0) === 0x4949 }
    }
    at += 2 + length
  }
  return null
}

/** Tag → offset of its 12-byte entry. */
function readDirectory({ view, little }: Tiff, start: number): Map<number, number> {
  const entries = new Map<number, number>()
  if (!start) return entries
  const count = Math.min(view.getUint16(start, little), MAX_ENTRIES)
  for (let i = 0; i < count; i++) {
    const entry = start + 2 + i * 12
    entries.set(view.getUint16(entry, little), entry)
  }
  return entries
}

const pointer = ({ view, little }: Tiff, entry: number | undefined): number => (entry === undefined ? 0 : view.getUint32(entry + 8, little))

function readText({ view, little }: Tiff, entry: number | undefined): string | null {
  if (entry === undefined || view.getUint16(entry + 2, little) !== ASCII) return null
  const length = Math.min(view.getUint32(entry + 4, little), 64)
  const start = length <= 4 ? entry + 8 : view.getUint32(entry + 8, little)
  let text = ''
  for (let i = 0; i < length; i++) {
    const code = view.getUint8(start + i)
    if (code) text += String.fromCharCode(code)
  }
  return text.trim()
}

function readTime(tiff: Tiff, exif: Map<number, number>): string | null {
  const taken = readText(tiff, exif.get(TAG.takenAt))?.match(/^(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)$/)
  const offset = readText(tiff, exif.get(TAG.offset))
  if (!taken || !offset?.match(/^[+-]\d\d:\d\d$/)) return null
  const instant = `${taken[1]}-${taken[2]}-${taken[3]}T${taken[4]}${offset}`
  return Number.isNaN(Date.parse(instant)) ? null : instant
}

function readPlace(tiff: Tiff, gps: Map<number, number>): { lon: number; lat: number } | null {
  const lat = readDegrees(tiff, gps.get(TAG.lat))
  const lon = readDegrees(tiff, gps.get(TAG.lon))
  if (lat === null || lon === null || (lat === 0 && lon === 0)) return null
  const south = readText(tiff, gps.get(TAG.latRef)) === 'S'
  const west = readText(tiff, gps.get(TAG.lonRef)) === 'W'
  return { lat: south ? -lat : lat, lon: west ? -lon : lon }
}

/** Three rationals: degrees, minutes, seconds. */
function readDegrees({ view, little }: Tiff, entry: number | undefined): number | null {
  if (entry === undefined) return null
  const start = view.getUint32(entry + 8, little)
  const part = (i: number) => view.getUint32(start + i * 8, little) / view.getUint32(start + i * 8 + 4, little)
  const degrees = part(0) + part(1) / 60 + part(2) / 3600
  return Number.isFinite(degrees) && degrees <= 180 ? degrees : null
}
