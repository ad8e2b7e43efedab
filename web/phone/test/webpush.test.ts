import { expect, test } from 'vitest'
import { bytesOfKey } from '../src/core/webpush'

test('a public key becomes the bytes it was made of', () => {
  const bytes = Uint8Array.from({ length: 65 }, (_, i) => (i * 37 + 251) % 256)
  const key = Buffer.from(bytes).toString('base64url')
  expect(key).toMatch(/[-_]/)
  expect([...bytesOfKey(key)]).toEqual([...bytes])
})
