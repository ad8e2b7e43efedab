/**
 * The seam to a native shell. A page alone cannot ring a locked phone everywhere, so a shell may put
 * `paidanShell` on the window before the page starts; without one nothing here does anything.
 */

import type { EngineerApi } from './api'

export interface PaidanShell {
  /** The address under which the push service reaches this phone. */
  pushTarget(): Promise<{ platform: 'fcm' | 'web'; target: string }>
}

declare global {
  interface Window {
    paidanShell?: PaidanShell
  }
}

export async function registerPush(api: EngineerApi): Promise<void> {
  if (!window.paidanShell) return
  try {
    const { platform, target } = await window.paidanShell.pushTarget()
    await api.setPushTarget(platform, target)
  } catch {
    // Push is only a hint: the page pulls the truth without it, and the next start registers again.
  }
}

const told = new Set<string>()

/** Tells the server once that an offer is on the screen: escalation counts on this. */
export async function offerSeen(api: EngineerApi, offerId: string): Promise<void> {
  if (told.has(offerId)) return
  told.add(offerId)
  await api.acknowledgePush(offerId).catch(() => told.delete(offerId))
}
