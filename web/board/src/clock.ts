/** The server's clock as this page knows it. Countdowns follow it: the screen's clock may be wrong, and the demo's runs fast. */

export interface ServerClock {
  deviceMs: number
  serverMs: number
  /** Server seconds per real second: 1, except in an accelerated demo. */
  rate: number
}

const MEASURE_AFTER_MS = 2_000
const STEADY = 0.15

/** The clock after the server said `serverMs` at the device's `deviceMs`; too soon after the last, the rate is kept. */
export function setClock(known: ServerClock | null, serverMs: number, deviceMs: number): ServerClock {
  if (!known || deviceMs < known.deviceMs) return { deviceMs, serverMs, rate: known?.rate ?? 1 }
  const passed = deviceMs - known.deviceMs
  if (passed < MEASURE_AFTER_MS) return known
  const measured = (serverMs - known.serverMs) / passed
  const sane = measured > 0 && measured < 1_000 ? measured : 1
  return { deviceMs, serverMs, rate: Math.abs(sane - 1) < STEADY ? 1 : sane }
}

/** Server milliseconds at the device's `deviceMs`. */
export function serverTime(clock: ServerClock | null, deviceMs: number): number {
  return clock ? clock.serverMs + (deviceMs - clock.deviceMs) * clock.rate : deviceMs
}
