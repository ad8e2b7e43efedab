import { expect, it } from 'vitest'
import { Unreachable } from '../src/core/api'
import { sendInPieces } from '../src/core/pieces'
import type { UploadStatus } from '../src/core/wire'

const photo = { photo_id: 'p1', ticket_id: 't1', kind: 'completion' as const, bytes: new ArrayBuffer(300_000), type: 'image/jpeg', facts: {} as never }

it('goes on where the server stands after the line broke', async () => {
  let offset = 0
  let cuts = 2
  const sent: number[] = []
  const ask = async (_path: string, init: RequestInit): Promise<UploadStatus> => {
    if (init.method === 'PATCH') {
      const size = (init.body as ArrayBuffer).byteLength
      sent.push(size)
      offset += size
      if (cuts-- > 0) throw new Unreachable('cut')
    }
    return { photo_id: 'p1', offset, photo: offset === 300_000 ? {} : null }
  }
  await expect(sendInPieces(photo, ask)).rejects.toThrow('cut')
  await expect(sendInPieces(photo, ask)).rejects.toThrow('cut')
  await sendInPieces(photo, ask)
  expect(sent.reduce((sum, size) => sum + size, 0)).toBe(300_000)
})
