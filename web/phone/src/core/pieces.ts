/** A photo over a line that keeps breaking: sent in pieces, going on where the server says it stands. */

import type { PhotoToSend } from './api'
import type { UploadStatus } from './wire'

const PIECE_BYTES = 128 * 1024
const PIECE_TIMEOUT_MS = 30_000

export type Ask = (path: string, init: RequestInit, timeoutMs: number) => Promise<UploadStatus>

/** Resolves when the photo is taken. Throws what a call throws; sent again, it goes on from there. */
export async function sendInPieces(photo: PhotoToSend, ask: Ask): Promise<void> {
  const path = `uploads/${photo.photo_id}`
  const wanted = { ticket_id: photo.ticket_id, kind: photo.kind, bytes_total: photo.bytes.byteLength, facts: photo.facts }
  const begin = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(wanted) }
  let status = await ask(path, begin, PIECE_TIMEOUT_MS)
  while (!status.photo) {
    const body = photo.bytes.slice(status.offset, status.offset + PIECE_BYTES)
    const piece = { method: 'PATCH', headers: { 'Content-Type': 'application/octet-stream' }, body }
    status = await ask(`${path}?offset=${status.offset}`, piece, PIECE_TIMEOUT_MS)
  }
}
