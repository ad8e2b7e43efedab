import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { countdown, dayTime } from '../../../shared/formats'
import { QUEUE_VIEWS, viewCount, type QueueOrder } from '../board_state'
import { Due, Empty, IconButton, Loading, PriorityMark, StatusPill } from '../parts/basics'
import { Icon } from '../parts/icons'
import { PromiseMark } from '../parts/promise_mark'
import { go, ticketHash } from '../route'
import { board, loadMore, loadQueue, now, queue, queueLoading, queueNext, queueOrder, queueView, searchText, selectedId, zoneOf } from '../state'
import type { BoardTicket } from '../wire'
import { label, language, own, t } from '../words'

const SEARCH_AFTER_MS = 250
const ORDERS: readonly QueueOrder[] = ['urgency', 'due', 'newest']

export function Queue(): JSX.Element {
  return (
    <section class="queue" aria-label={t('queue')}>
      <SearchBox />
      <ViewTabs />
      <div class="queue-scroll">
        <QueueList />
      </div>
    </section>
  )
}

function SearchBox(): JSX.Element {
  const waiting = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const input = useRef<HTMLInputElement>(null)
  function search(text: string, afterMs: number): void {
    clearTimeout(waiting.current)
    waiting.current = setTimeout(() => {
      if (searchText.value === text.trim()) return
      searchText.value = text.trim()
      void loadQueue()
    }, afterMs)
  }
  return (
    <div class="search">
      <Icon name="search" />
      <input
        ref={input}
        id="search"
        type="search"
        aria-label={t('search')}
        placeholder={t('search')}
        maxLength={80}
        defaultValue={searchText.peek()}
        onInput={(event) => search(event.currentTarget.value, SEARCH_AFTER_MS)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') search(event.currentTarget.value, 0)
        }}
      />
      {searchText.value ? (
        <IconButton
          icon="close"
          name={t('search_clear')}
          onClick={() => {
            input.current!.value = ''
            search('', 0)
          }}
        />
      ) : (
        <kbd aria-hidden="true">/</kbd>
      )}
    </div>
  )
}

function ViewTabs(): JSX.Element {
  const counts = board.value
  return (
    <div class="views" role="group" aria-label={t('status')}>
      {QUEUE_VIEWS.map((view) => {
        const count = counts ? viewCount(view, counts) : null
        return (
          <button
            key={view}
            type="button"
            class="view"
            data-view={view}
            data-some={Boolean(count)}
            aria-pressed={queueView.value === view && !searchText.value}
            onClick={() => {
              queueView.value = view
              searchText.value = ''
              const box = document.querySelector<HTMLInputElement>('#search')
              if (box) box.value = ''
              void loadQueue()
            }}
          >
            {t(`view_${view}`)}
            {count !== null && <span class="count">{count}</span>}
          </button>
        )
      })}
    </div>
  )
}

function QueueList(): JSX.Element {
  const list = queue.value
  if (!list) return <Loading />
  if (!list.length) return <NothingHere />
  return (
    <>
      <div class="queue-head">
        <span>{t('shown', { n: list.length })}{queueNext.value ? '+' : ''}</span>
        <label>
          <span class="unseen">{t('order')}</span>
          <select value={queueOrder.value} onChange={(event) => (queueOrder.value = event.currentTarget.value as QueueOrder)}>
            {ORDERS.map((order) => (
              <option key={order} value={order}>{t(`order_${order}`)}</option>
            ))}
          </select>
        </label>
      </div>
      <ol class="tickets">
        {list.map((ticket) => (
          <Row key={ticket.ticket_id} ticket={ticket} chosen={ticket.ticket_id === selectedId.value} />
        ))}
      </ol>
      {queueNext.value && (
        <button type="button" class="button wide load-more" disabled={queueLoading.value} onClick={() => void loadMore()}>
          {queueLoading.value ? t('loading') : t('load_more')}
        </button>
      )}
      <p class="keys-hint" aria-hidden="true">{t('keys_hint')}</p>
    </>
  )
}

function NothingHere(): JSX.Element {
  if (searchText.value) return <Empty title={t('queue_empty_search', { q: searchText.value })} />
  if (queueView.value === 'attention') return <Empty title={t('queue_empty_attention')} hint={t('queue_empty_attention_hint')} />
  return <Empty title={t('queue_empty')} {...(queueView.value === 'active' ? { hint: t('queue_empty_hint') } : {})} />
}

function Row({ ticket, chosen }: { ticket: BoardTicket; chosen: boolean }): JSX.Element {
  const item = useRef<HTMLLIElement>(null)
  useEffect(() => {
    if (chosen) item.current?.scrollIntoView({ block: 'nearest' })
  }, [chosen])
  return (
    <li ref={item}>
      <a
        class="row"
        href={ticketHash(ticket.ticket_id)}
        aria-current={chosen ? 'true' : undefined}
        data-attention={ticket.attention !== null}
        onClick={(event) => {
          if (event.metaKey || event.ctrlKey) return
          event.preventDefault()
          go(ticketHash(ticket.ticket_id))
        }}
      >
        <span class="row-top">
          <PriorityMark priority={ticket.priority} />
          <strong>{own(ticket.work_type.name)}</strong>
          {ticket.promise ? <PromiseMark promise={ticket.promise} /> : <Due ticket={ticket} />}
        </span>
        <span class="row-text">{ticket.description}</span>
        <span class="row-place">{ticket.address}</span>
        <span class="row-bottom">
          <StatusPill ticket={ticket} />
          <RowNote ticket={ticket} />
          <span class="number">{ticket.ticket_no}</span>
        </span>
        {ticket.attention && (
          <span class="row-attention">
            <Icon name="alert" size={15} />
            {label('attention', ticket.attention)}
          </span>
        )}
      </a>
    </li>
  )
}

/** What a dispatcher asks next of a ticket in its status. */
function RowNote({ ticket }: { ticket: BoardTicket }): JSX.Element | null {
  const notes: string[] = []
  if (ticket.engineer_name) notes.push(ticket.engineer_name)
  if (ticket.status === 'offered' && ticket.offers_pending > 0) {
    const left = ticket.offer_expires_at ? ` ${countdown(Date.parse(ticket.offer_expires_at) - now.value)}` : ''
    notes.push(t('offers_waiting', { n: ticket.offers_pending }) + left)
  }
  if (ticket.status === 'on_hold' && ticket.hold_until) {
    notes.push(t('held_until', { time: dayTime(ticket.hold_until, zoneOf(ticket), now.value, language.value) }))
  }
  if (ticket.urged > 0) notes.push(t('urged_times', { n: ticket.urged }))
  return notes.length ? <span class="row-note">{notes.join(' · ')}</span> : null
}
