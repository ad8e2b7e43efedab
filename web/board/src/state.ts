/** What the page knows, and how it comes to know it. Panels read the signals and call the functions. */

import { computed, effect, signal } from '@preact/signals'
import { asRefused, DispatcherApi, uuid7, type Refused } from './api'
import { inView, keepLive, mergeTickets, movePositions, orderQueue, VIEW_STATUSES, type PositionNews, type QueueOrder, type QueueView } from './board_state'
import { serverTime, setClock, type ServerClock } from './clock'
import { openLive } from './live'
import { go, route } from './route'
import type { Board, BoardEngineer, BoardTicket, CatalogueReply, Me, TicketView, Uuid } from './wire'
import { label, own, problemText, suggestLanguage, t } from './words'

export const api = new DispatcherApi((input, init) => fetch(input, init))

export const me = signal<Me | null>(null)
/** True until the server has said whether this browser is signed in. */
export const starting = signal(true)
export const startProblem = signal<Refused | null>(null)
export const wasSignedOut = signal(false)

export const catalogue = signal<CatalogueReply | null>(null)
export const board = signal<Pick<Board, 'counts' | 'attention_count' | 'as_of_seq' | 'now' | 'more_engineers'> | null>(null)
export const tickets = signal<Map<Uuid, BoardTicket>>(new Map())
export const engineers = signal<BoardEngineer[]>([])
export const isLive = signal(false)

const clock = signal<ServerClock | null>(null)
/** Server milliseconds, moving once a second. */
export const now = signal(Date.now())
export const clockRate = computed(() => clock.value?.rate ?? 1)

function tick(): void {
  now.value = serverTime(clock.value, Date.now())
}
setInterval(tick, 1_000)

/** The zone of a ticket's territory; else the first territory's; else this screen's. */
export function zoneOf(ticket: Pick<BoardTicket, 'territory_id'> | null): string {
  const territories = catalogue.value?.territories ?? []
  const found = territories.find((one) => one.territory_id === ticket?.territory_id) ?? territories[0]
  return found?.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone
}

// Notices

export interface Notice {
  id: number
  kind: 'good' | 'bad'
  text: string
}
export const notices = signal<Notice[]>([])
let noticeId = 0

/** Shows a notice for its whole time; said again while it still stands, it begins anew instead of standing twice. */
export function say(kind: Notice['kind'], text: string): void {
  const notice = { id: ++noticeId, kind, text }
  notices.value = [...notices.value.filter((one) => one.text !== text).slice(-2), notice]
  setTimeout(() => dropNotice(notice.id), kind === 'good' ? 4_000 : 9_000)
}

export function dropNotice(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id)
}

/** Shows a failure, or signs out when that is what it means. */
export function complain(error: unknown): void {
  const refused = asRefused(error)
  if (refused.status === 401) return signedOut()
  say('bad', problemText(refused))
}

// Sign-in

export async function start(): Promise<void> {
  starting.value = true
  startProblem.value = null
  try {
    signedIn(await api.me())
  } catch (error) {
    const refused = asRefused(error)
    if (refused.status !== 401) startProblem.value = refused
  } finally {
    starting.value = false
  }
}

let stopLive: () => void = () => {}

export function signedIn(person: Me): void {
  me.value = person
  wasSignedOut.value = false
  suggestLanguage(person.language)
  // A contractor's dispatcher begins with what is to be answered.
  if (person.role === 'contractor' && !location.hash.slice(2)) go('#/desk', true)
  void loadCatalogue()
  void loadBoard()
  stopLive()
  stopLive = openLive(api, { event: heard, connected: lineIs, signedOut })
}

export function signedOut(): void {
  if (me.value) wasSignedOut.value = true
  forget()
}

export async function signOut(): Promise<void> {
  await api.signOut().catch(complain)
  forget()
  wasSignedOut.value = false
}

function forget(): void {
  stopLive()
  me.value = null
  board.value = null
  tickets.value = new Map()
  engineers.value = []
  ticketView.value = null
  queueIds.value = null
}

/** The work types to choose from; a retired one only where it is what stands. */
export function workTypeOptions(stands = ''): [string, string][] {
  const offered = (catalogue.value?.work_types ?? []).filter((one) => !one.retired || one.code === stands)
  return offered.map((one): [string, string] => [one.code, own(one.name)])
}

export async function loadCatalogue(): Promise<void> {
  try {
    catalogue.value = await api.catalogue()
  } catch (error) {
    complain(error)
    setTimeout(() => me.value && !catalogue.value && void loadCatalogue(), 5_000)
  }
}

// The board

export async function loadBoard(): Promise<void> {
  try {
    const fresh = await api.board()
    clock.value = setClock(clock.value, Date.parse(fresh.now), Date.now())
    tick()
    board.value = fresh
    engineers.value = fresh.engineers
    const shown = new Set([...(queueIds.value ?? []), ...(selectedId.value ? [selectedId.value] : [])])
    tickets.value = mergeTickets(keepLive(tickets.value, shown), fresh.tickets)
    if (queueView.value === 'active' && !searchText.value) adoptActive(fresh)
  } catch (error) {
    complain(error)
  }
}

// The queue: a view of the server's, page by page

export const queueView = signal<QueueView>('active')
export const queueOrder = signal<QueueOrder>('urgency')
export const searchText = signal('')
export const queueIds = signal<Uuid[] | null>(null)
export const queueNext = signal<string | null>(null)
export const queueLoading = signal(false)
let queueRead = 0

function adoptActive(fresh: Board): void {
  if (queueIds.value && queueIds.value.length > fresh.tickets.length) {
    queueIds.value = [...new Set([...fresh.tickets.map((one) => one.ticket_id), ...queueIds.value])]
    return
  }
  queueIds.value = fresh.tickets.map((one) => one.ticket_id)
  queueNext.value = fresh.next_page
}

/** The queue as shown: what was read, still in its view by the newest news, in the chosen order. */
export const queue = computed<BoardTicket[] | null>(() => {
  if (!queueIds.value) return null
  const known = queueIds.value.map((id) => tickets.value.get(id)).filter((one): one is BoardTicket => Boolean(one))
  const shown = searchText.value ? known : known.filter((one) => inView(queueView.value, one))
  return orderQueue(shown, queueView.value === 'closed' ? 'newest' : queueOrder.value)
})

/** Reads the first page of the chosen view again; `quiet` keeps what is shown meanwhile. */
export async function loadQueue(quiet = false): Promise<void> {
  const read = ++queueRead
  if (!quiet) queueIds.value = null
  if (queueView.value === 'active' && !searchText.value) return loadBoard()
  queueLoading.value = true
  try {
    const pages = await Promise.all(queueQueries().map((query) => api.tickets(query)))
    if (read !== queueRead) return
    const fresh = pages.flatMap((page) => page.tickets)
    tickets.value = mergeTickets(tickets.value, fresh)
    queueIds.value = fresh.map((one) => one.ticket_id)
    queueNext.value = pages.length === 1 ? pages[0]!.next_page : null
  } catch (error) {
    if (read === queueRead) {
      queueIds.value ??= []
      complain(error)
    }
  } finally {
    if (read === queueRead) queueLoading.value = false
  }
}

function queueQueries(): { status?: string; q?: string; attention?: boolean }[] {
  const q = searchText.value.trim()
  if (q) return [{ q }]
  if (queueView.value === 'attention') return [{ attention: true }]
  return (VIEW_STATUSES[queueView.value] ?? []).map((status) => ({ status }))
}

export async function loadMore(): Promise<void> {
  const page = queueNext.value
  if (!page || queueLoading.value) return
  const read = ++queueRead
  queueLoading.value = true
  try {
    const active = queueView.value === 'active' && !searchText.value
    const more = active ? await api.board(page) : await api.tickets({ ...queueQueries()[0], page })
    if (read !== queueRead) return
    tickets.value = mergeTickets(tickets.value, more.tickets)
    queueIds.value = [...new Set([...(queueIds.value ?? []), ...more.tickets.map((one) => one.ticket_id)])]
    queueNext.value = more.next_page
  } catch (error) {
    complain(error)
  } finally {
    if (read === queueRead) queueLoading.value = false
  }
}

// The selected ticket

export const selectedId = computed(() => (route.value.page === 'board' ? route.value.ticketId : null))
export const selected = computed(() => (selectedId.value ? (tickets.value.get(selectedId.value) ?? null) : null))
export const ticketView = signal<TicketView | null>(null)
export const ticketProblem = signal<Refused | null>(null)

effect(() => {
  const id = selectedId.value
  ticketProblem.value = null
  if (ticketView.peek()?.ticket.ticket_id !== id) ticketView.value = null
  if (id && me.value) void loadTicket(id)
})

export async function loadTicket(id: Uuid): Promise<void> {
  try {
    const fresh = await api.ticket(id)
    tickets.value = mergeTickets(tickets.peek(), [fresh.ticket])
    if (selectedId.peek() === id) ticketView.value = fresh
  } catch (error) {
    const refused = asRefused(error)
    if (selectedId.peek() === id && refused.status === 404) ticketProblem.value = refused
    else complain(refused)
  }
}

/** Does an action; true when it is done. `onRefused` may keep a refusal for itself by returning true. */
export async function act(
  id: Uuid, action: string, facts: object, onRefused?: (refused: Refused) => boolean, commandId: Uuid = uuid7(),
): Promise<boolean> {
  try {
    const done = await api.act(id, commandId, action, facts)
    tickets.value = mergeTickets(tickets.value, [done.ticket])
    say('good', t('done_action', { action: label('action', action) }))
    void loadTicket(id)
    return true
  } catch (error) {
    const refused = asRefused(error)
    if (refused.status === 409) void loadTicket(id)
    if (!onRefused?.(refused)) complain(refused)
    return false
  }
}

// Live news

/** Counts the news that clocks of the selected ticket changed. */
export const promisesKept = signal(0)
const REREAD_MS = 1_200
/** The arrival times that a job makes of an event are there a little later than the event. */
const SETTLED_MS = 6_000
let rereadTimer: ReturnType<typeof setTimeout> | undefined
let settledTimer: ReturnType<typeof setTimeout> | undefined
let ticketTimer: ReturnType<typeof setTimeout> | undefined
let lineLost = false

function lineIs(up: boolean): void {
  isLive.value = up
  if (up && lineLost) void reread()
  lineLost = !up
}

function heard(name: string, data: unknown): void {
  if (name === 'positions') {
    const news = (data as { positions?: PositionNews[] }).positions ?? []
    engineers.value = movePositions(engineers.value, news)
  } else if (name === 'reload') {
    void reread()
    if (selectedId.value) void loadTicket(selectedId.value)
  } else if (name === 'changed') {
    rereadTimer ??= setTimeout(() => void reread(), REREAD_MS)
    clearTimeout(settledTimer)
    settledTimer = setTimeout(() => void reread(), SETTLED_MS)
    const { ticket_id: id, action } = data as { ticket_id?: Uuid; action?: string }
    if (id && id === selectedId.value) {
      if (action === 'promises_kept') promisesKept.value += 1
      clearTimeout(ticketTimer)
      ticketTimer = setTimeout(() => void loadTicket(id), 200)
    }
  }
}

async function reread(): Promise<void> {
  await loadBoard()
  const other = queueView.value !== 'active' || searchText.value
  if (other && queueView.value !== 'closed' && me.value) await loadQueue(true)
  rereadTimer = undefined
}
