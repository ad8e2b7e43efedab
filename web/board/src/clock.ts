/** The server's clock as this page knows it. Countdowns follow it: the screen's clock may be wrong, and the demo's runs fast. */

interface Sample {
  deviceMs: number
  serverMs: number
}

export interface ServerClock {
  /** Where the rate is measured from: old enough that a slow reply hardly counts. */
  from: Sample
  last: Sample
  /** Server seconds per real second: 1, except in an accelerated demo. */
  rate: number
}

const MEASURE_AFTER_MS = 3_000
const MEASURE_OVER_MS = 120_000
const STEADY = 0.15

/** The clock after the server said `serverMs` at the device's `deviceMs`. A clock that jumps is measured anew. */
export function setClock(known: ServerClock | null, serverMs: number, deviceMs: number): ServerClock {
  const last = { deviceMs, serverMs }
  if (!known || deviceMs < known.last.deviceMs || serverMs < known.last.serverMs) return { from: last, last, rate: known?.rate ?? 1 }
  const passed = deviceMs - known.from.deviceMs
  if (passed < MEASURE_AFTER_MS) return { ...known, last }
  const measured = (serverMs - known.from.serverMs) / passed
  const sane = measured > 0 && measured < 1_000 ? measured : 1
  const rate = Math.abs(sane - 1) < STEADY ? 1 : sane
  return { from: passed > MEASURE_OVER_MS ? known.last : known.from, last, rate }
}

/** Server milliseconds at the device's `deviceMs`. */
export function serverTime(clock: ServerClock | null, deviceMs: number): number {
  return clock ? clock.last.serverMs + (deviceMs - clock.last.deviceMs) * clock.rate : deviceMs
}
