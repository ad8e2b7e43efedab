/** Client-made ids (RFC 9562 UUIDv7): the first 48 bits are the time, so that ids made offline sort by age. */

/** `nowMs`: milliseconds since 1970, here the phone's own clock; order between ids of one millisecond is not promised. */
export function uuid7(nowMs: number = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  const view = new DataView(bytes.buffer)
  view.setUint16(0, Math.floor(nowMs / 2 ** 32))
  view.setUint32(2, nowMs % 2 ** 32)
  view.setUint8(6, (view.getUint8(6) & 0x0f) | 0x70)
  view.setUint8(8, (view.getUint8(8) & 0x3f) | 0x80)
  const hex = toHex(bytes)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** Milliseconds since 1970 at which a version 7 id was made. */
export function madeAtMs(id: string): number {
  return parseInt(id.replaceAll('-', '').slice(0, 12), 16)
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Lower-case hex sha256 of the bytes; null on a page without HTTPS, where browsers give none. */
export async function sha256(bytes: ArrayBuffer): Promise<string | null> {
  if (!crypto.subtle) return null
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))
}
