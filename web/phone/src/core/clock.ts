/**
 * The server's clock as this phone knows it. Countdowns, and the times on commands, follow it: a phone's
 * own clock may be wrong, and the demo's runs faster than real time.
 */
export interface ServerClock {
  deviceMs: number
  serverMs: number
  /** Server seconds per real second: 1, except in an accelerated demo. */
  rate: number
}

const MEASURE_AFTER_MS = 4_000
const STEADY = 0.15

/**
 * The clock after the server said `serverMs` at the phone's `deviceMs`. A sample within four seconds of
 * the last is too close to measure by and changes nothing.
 */
export function setClock(known: ServerClock | null, serverMs: number, deviceMs: number): ServerClock {
  if (!known) return { deviceMs, serverMs, rate: 1 }
  const passed = deviceMs - known.deviceMs
  if (passed < MEASURE_AFTER_MS) return { ...known, ...(passed < 0 ? { deviceMs, serverMs } : {}) }
  const measured = (serverMs - known.serverMs) / passed
  const sane = measured > 0 && measured < 1_000 ? measured : 1
  return { deviceMs, serverMs, rate: Math.abs(sane - 1) < STEADY ? 1 : sane }
}

/** Server milliseconds at the phone's `deviceMs`. */
export function serverTime(clock: ServerClock | null, deviceMs: number): number {
  return clock ? clock.serverMs + (deviceMs - clock.deviceMs) * clock.rate : deviceMs
}
