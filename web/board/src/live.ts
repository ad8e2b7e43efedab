/** Live news over one long reply. Read with `fetch`, because pings tell a silent line from a quiet one. */

import type { DispatcherApi } from './api'

const SILENCE_MS = 45_000
const RETRY_MS = [500, 1_000, 2_000, 5_000, 10_000]

export interface LiveHandlers {
  event: (name: string, data: unknown) => void
  /** True from the first bytes on, false as soon as the line is gone. */
  connected: (up: boolean) => void
  signedOut: () => void
}

/** Splits an event stream into (name, JSON data); comments, unknown fields and broken JSON are passed over. */
export function eventReader(onEvent: (name: string, data: unknown) => void): (text: string) => void {
  let rest = ''
  let name = ''
  let data: string[] = []
  return (text) => {
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line.startsWith('event:')) name = line.slice(6).trim()
      else if (line.startsWith('data:')) data.push(line.slice(5).trimStart())
      else if (line === '') {
        if (data.length) emit(onEvent, name || 'message', data.join('\n'))
        name = ''
        data = []
      }
    }
  }
}

function emit(onEvent: (name: string, data: unknown) => void, name: string, text: string): void {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return
  }
  onEvent(name, value)
}

/** Keeps one line open until the returned function is called; waits longer after each failure, up to ten seconds. */
export function openLive(api: DispatcherApi, on: LiveHandlers): () => void {
  const stopped = new AbortController()
  void (async () => {
    let failures = 0
    while (!stopped.signal.aborted) {
      const heard = await follow(api, on, stopped.signal)
      if (heard === 'signed_out') return on.signedOut()
      if (stopped.signal.aborted) return
      on.connected(false)
      failures = heard === 'some' ? 0 : failures + 1
      await pause(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]!, stopped.signal)
    }
  })()
  return () => stopped.abort()
}

async function follow(api: DispatcherApi, on: LiveHandlers, stopped: AbortSignal): Promise<'none' | 'some' | 'signed_out'> {
  const line = new AbortController()
  const abort = (): void => line.abort()
  stopped.addEventListener('abort', abort)
  let silence = setTimeout(abort, SILENCE_MS)
  let heard: 'none' | 'some' = 'none'
  try {
    const reply = await api.live(line.signal)
    if (reply.status === 401) return 'signed_out'
    if (!reply.ok || !reply.body) return 'none'
    on.connected(true)
    const reader = reply.body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader()
    const read = eventReader(on.event)
    for (;;) {
      const { value, done } = await reader.read()
      if (done) return heard
      heard = 'some'
      clearTimeout(silence)
      silence = setTimeout(abort, SILENCE_MS)
      read(value)
    }
  } catch {
    return heard
  } finally {
    clearTimeout(silence)
    stopped.removeEventListener('abort', abort)
  }
}

function pause(ms: number, stopped: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms)
    stopped.addEventListener('abort', () => (clearTimeout(timer), done()), { once: true })
  })
}
