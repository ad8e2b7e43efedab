/** The keyboard: / search, n new, ↑ ↓ through the queue, a to who may come, Esc back out. */

import { useEffect } from 'preact/hooks'
import { neighbour } from './board_state'
import { placing } from './forms/site_placer'
import { go, route, ticketHash } from './route'
import { me, queue, selectedId } from './state'

const TYPING = new Set(['INPUT', 'TEXTAREA', 'SELECT'])

function pressed(event: KeyboardEvent): void {
  if (!me.peek() || event.metaKey || event.ctrlKey || event.altKey || document.querySelector('dialog[open]')) return
  const target = event.target as HTMLElement
  if (event.key === 'Escape') return escape(target)
  if (TYPING.has(target.tagName) || target.getAttribute('role') === 'tab') return
  if (event.key === '/') {
    event.preventDefault()
    if (route.peek().page !== 'board') go('#/')
    const focus = (): void => document.querySelector<HTMLInputElement>('#search')?.focus()
    if (document.querySelector('#search')) focus()
    else requestAnimationFrame(focus)
  } else if (event.key === 'n') {
    event.preventDefault()
    go('#/new')
  } else if (event.key === 'a' && selectedId.peek()) {
    const tab = document.querySelector<HTMLElement>('#tab-candidates')
    event.preventDefault()
    tab?.click()
    tab?.focus()
  } else if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && route.peek().page === 'board' && !target.closest('.map')) {
    const ids = (queue.peek() ?? []).map((ticket) => ticket.ticket_id)
    const next = neighbour(ids, selectedId.peek(), event.key === 'ArrowDown' ? 1 : -1)
    if (!next) return
    event.preventDefault()
    go(ticketHash(next), selectedId.peek() !== null)
  }
}

function escape(target: HTMLElement): void {
  if (placing.peek()) placing.value = null
  else if (TYPING.has(target.tagName)) target.blur()
  else if (route.peek().page !== 'board' || selectedId.peek()) go('#/')
}

export function useKeys(): void {
  useEffect(() => {
    addEventListener('keydown', pressed)
    return () => removeEventListener('keydown', pressed)
  }, [])
}
