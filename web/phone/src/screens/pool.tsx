import { useEffect, useState } from 'preact/hooks'
import { act, api } from '../core/app'
import { overlayOffer } from '../core/overlay'
import { shown, waitingCommands } from '../core/state'
import type { OfferCard } from '../core/wire'
import { clockTime, label, t } from '../core/words'
import { Empty, Send } from '../parts/basics'
import { Icon } from '../parts/icons'
import { ReachChip, Strips } from '../parts/pieces'
import { OfferView } from '../parts/ticket_cards'

interface Loaded {
  tickets: OfferCard[]
  nextPage: string | null
}

export function PoolScreen() {
  const [pool, setPool] = useState<Loaded | null>(null)
  const [failed, setFailed] = useState(false)
  const seq = shown.value?.as_of_seq
  const read = async (page?: string) => {
    try {
      const found = await api.pool(page)
      setPool((known) => ({ tickets: page && known ? [...known.tickets, ...found.tickets] : found.tickets, nextPage: found.next_page }))
      setFailed(false)
    } catch {
      setFailed(true)
    }
  }
  useEffect(() => {
    const timer = setTimeout(() => void read(), 100)
    return () => clearTimeout(timer)
  }, [seq])
  const mine = new Set(shown.value?.tickets.map((ticket) => ticket.ticket_id))
  const tickets = (pool?.tickets ?? []).filter((ticket) => !mine.has(ticket.ticket_id))
  return (
    <>
      <header class="head">
        <h1>{t('pool')}</h1>
        <ReachChip />
      </header>
      <main class="page">
        <Strips />
        {failed ? (
          <Empty icon="alert" title={t('pool_offline')}>
            <button type="button" class="plain" onClick={() => void read()}>
              <Icon name="refresh" />
              {t('refresh')}
            </button>
          </Empty>
        ) : !pool ? (
          <Empty icon="pool" title={t('loading')} />
        ) : tickets.length === 0 ? (
          <Empty icon="pool" title={t('no_pool')} />
        ) : (
          <p class="lead">{t(tickets.some((ticket) => !ticket.collect_until) ? 'pool_lead' : 'pool_lead_collects')}</p>
        )}
        <ul class="cards">
          {!failed &&
            tickets.map((ticket) => (
              <OfferView key={ticket.ticket_id} offer={overlayOffer(ticket, waitingCommands.value)}>
                <Take ticket={ticket} />
              </OfferView>
            ))}
        </ul>
        {pool?.nextPage && !failed && (
          <button type="button" class="plain wide" onClick={() => void read(pool.nextPage ?? undefined)}>
            {t('more_tickets')}
          </button>
        )}
      </main>
    </>
  )
}

/** First come, first served; or, while names are collected, one name among several until the said time. */
function Take({ ticket }: { ticket: OfferCard }) {
  const until = ticket.collect_until
  if (!until) return <Send name={label('action', 'grab')} ready={ticket.allowed_actions.includes('grab')} send={() => act(ticket, 'grab')} />
  return (
    <div class="collects">
      <p class="sub">
        <Icon name="clock" size={16} />
        {t(ticket.name_down ? 'name_is_down' : 'names_until', { time: clockTime(until) })}
      </p>
      {!ticket.name_down && <Send name={t('put_name_down')} ready={ticket.allowed_actions.includes('grab')} send={() => act(ticket, 'grab')} />}
    </div>
  )
}
