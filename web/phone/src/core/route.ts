/** Where the page is: the part after `#`, so that the phone's back gesture closes a sheet. */

import { computed, signal } from '@preact/signals'

export type Tab = 'today' | 'offers' | 'pool' | 'me'
export interface Route {
  page: Tab | 'ticket' | 'queue' | 'requests' | 'shifts'
  ticketId: string
  /** The open sheet: an action's name, or one of the page's own. */
  sheet: string
}

const hash = signal(location.hash)
addEventListener('hashchange', () => {
  hash.value = location.hash
  if (!route.value.sheet) openedHere = false
})

export function parseRoute(text: string): Route {
  const [page = '', first = '', second = ''] = text.replace(/^#\/?/, '').split('/')
  if (page === 'ticket' && first) return { page, ticketId: first, sheet: second }
  if (page === 'offers' || page === 'pool') return { page, ticketId: first, sheet: second }
  if (page === 'me' || page === 'queue' || page === 'requests' || page === 'shifts') return { page, ticketId: '', sheet: first }
  return { page: 'today', ticketId: '', sheet: '' }
}

export const route = computed(() => parseRoute(hash.value))

export function go(path: string): void {
  location.hash = `#/${path}`
}

/** Like `go`, leaving no step behind for the back gesture. */
export function goInstead(path: string): void {
  location.replace(`#/${path}`)
}

let openedHere = false

/** Opens a sheet over the current page; the back gesture and `closeSheet` both lead back to it. */
export function openSheet(sheet: string, ticketId = route.value.ticketId): void {
  const { page } = route.value
  openedHere = true
  go(page === 'me' || page === 'queue' || page === 'requests' ? `${page}/${sheet}` : `${page === 'today' ? 'ticket' : page}/${ticketId}/${sheet}`)
}

export function closeSheet(): void {
  const { page, ticketId } = route.value
  if (openedHere) history.back()
  else goInstead(ticketId && page === 'ticket' ? `ticket/${ticketId}` : page)
}
