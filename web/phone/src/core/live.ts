/** Live news over one long reply, read with `fetch` because an EventSource cannot carry the sign-in. */

import { SignedOut, type EngineerApi } from './api'

const SILENCE_MS = 60_000
const RETRY_MS = [1_000, 2_000, 5_000, 15_000, 30_000]

export interface LiveHandlers {
  /** Something changed: pull the truth. */
  changed: () => void
  /** True from the first byte on, false as soon as the line is gone. */
  connected: (up: boolean) => void
  signedOut: () => void
}

/** Splits an event stream into event names, one call each; comments and unknown fields are passed over. */
export function eventReader(onEvent: (name: string) => void): (text: string) => void {
  let rest = ''
  let name = ''
  let hasData = false
  return (text) => {
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line.startsWith('event:')) name = line.slice(6).trim()
      else if (line.startsWith('data:')) hasData = true
      else if (line === '') {
        if (hasData) onEvent(name || 'message')
        name = ''
        hasData = false
      }
    }
  }
}

/** Keeps one line open until `stop` is called; waits longer after each failure. */
export function openLive(api: EngineerApi, on: LiveHandlers): { stop: () => void } {
  const stopped = new AbortController()
  void (async () => {
    for (let failures = 0; !stopped.signal.aborted; failures++) {
      try {
        await follow(api, on, stopped.signal, () => (failures = 0))
      } catch (error) {
        if (error instanceof SignedOut) return on.signedOut()
      }
      on.connected(false)
      await pause(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 30_000, stopped.signal)
    }
  })()
  return { stop: () => stopped.abort() }
}

async function follow(api: EngineerApi, on: LiveHandlers, stopped: AbortSignal, alive: () => void): Promise<void> {
  const line = new AbortController()
  const abort = () => line.abort()
  stopped.addEventListener('abort', abort)
  let silence = setTimeout(abort, SILENCE_MS)
  try {
    const reply = await api.live(line.signal)
    const reader = reply.body?.pipeThrough(new TextDecoderStream()).getReader()
    if (!reader) return
    // `reload`: the server may have missed news itself.
    const read = eventReader((name) => (name === 'changed' || name === 'reload') && on.changed())
    on.connected(true)
    alive()
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      clearTimeout(silence)
      silence = setTimeout(abort, SILENCE_MS)
      read(part.value)
    }
  } finally {
    clearTimeout(silence)
    stopped.removeEventListener('abort', abort)
  }
}

function pause(ms: number, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    stopped.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
  })
}
