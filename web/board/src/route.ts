/** Where in the page the dispatcher is, kept in the address so that back, reload and a copied link work. */

import { signal } from '@preact/signals'

export type Page = 'board' | 'new' | 'engineers' | 'bulk' | 'settings' | 'security' | 'desk'
export interface Route {
  page: Page
  ticketId: string | null
  /** The section of the settings; null for the first. */
  section: string | null
}

const UUID = /^[0-9a-f-]{36}$/

const PAGES: readonly string[] = ['new', 'engineers', 'bulk', 'settings', 'security', 'desk'] satisfies Page[]

/** `#/ticket/ID`, `#/new`, `#/engineers`, `#/bulk`, `#/settings/SECTION`, `#/security`, `#/desk` (a contractor's); anything else is the board. */
export function readRoute(hash: string): Route {
  const [page, id] = hash.replace(/^#\/?/, '').split('/')
  if (page === 'ticket' && id && UUID.test(id)) return { page: 'board', ticketId: id, section: null }
  if (page && PAGES.includes(page)) return { page: page as Page, ticketId: null, section: page === 'settings' ? (id ?? null) : null }
  return { page: 'board', ticketId: null, section: null }
}

export const route = signal<Route>(readRoute(globalThis.location?.hash ?? ''))

globalThis.addEventListener?.('hashchange', () => (route.value = readRoute(location.hash)))

/** Goes to a page; `replace` leaves no step back, as when arrow keys run through the queue. */
export function go(hash: string, replace = false): void {
  if (replace) history.replaceState(null, '', hash)
  else history.pushState(null, '', hash)
  route.value = readRoute(hash)
}

export const ticketHash = (id: string): string => `#/ticket/${id}`
