/** What tells an engineer of a new offer while the page is open: a buzz, the count on the app's icon, and word to the server that it was shown. */

import { effect } from '@preact/signals'
import type { EngineerApi } from './api'
import { offerSeen } from './push'
import { shown, visible } from './state'

const BUZZ_MS = [250, 120, 250]

/** Watches the offers on the screen; an offer counts as shown only while somebody could look. */
export function watchOffers(api: EngineerApi): void {
  let known = new Set<string>()
  effect(() => {
    const open = (shown.value?.offers ?? []).filter((offer) => offer.queued.length === 0)
    const ids = open.flatMap((offer) => (offer.offer_id ? [offer.offer_id] : []))
    setCount(ids.length)
    if (!visible.value) return
    const fresh = ids.filter((id) => !known.has(id))
    if (fresh.length && navigator.userActivation?.hasBeenActive) navigator.vibrate?.(BUZZ_MS)
    known = new Set(ids)
    for (const id of fresh) void offerSeen(api, id)
  })
}

function setCount(count: number): void {
  const badge = count ? navigator.setAppBadge?.(count) : navigator.clearAppBadge?.()
  badge?.catch(() => undefined)
}
