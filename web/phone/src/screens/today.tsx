import { mainAction, nextTicket, type ShownTicket } from '../core/overlay'
import { now, reach, shown } from '../core/state'
import type { EngineerCard } from '../core/wire'
import { clockTime, countdown, minutesText, shiftText, t, type Key } from '../core/words'
import { Empty } from '../parts/basics'
import { Icon } from '../parts/icons'
import { ReachChip, Strips } from '../parts/pieces'
import { HeroCard, TicketRow } from '../parts/ticket_cards'
import { MainBar } from '../parts/main_bar'

/** Which list a ticket belongs to after the one to do now. */
const GROUPS: [Key, string[]][] = [
  ['later', ['on_site', 'en_route', 'assigned']],
  ['to_accept', ['awaiting_acceptance']],
  ['held', ['on_hold']],
  ['finished', ['closed', 'cancelled', 'open']],
]

export function TodayScreen() {
  const day = shown.value
  if (!day) return <FirstLoad />
  const next = nextTicket(day.tickets)
  return (
    <>
      <DayHead engineer={day.engineer} />
      <main class={next && mainAction(next) ? 'page with-bar' : 'page'}>
        <Strips />
        <OfferStrip />
        {next ? <NextUp ticket={next} /> : <NothingToday pool={day.pool_count} />}
        {GROUPS.map(([key, statuses]) => {
          const group = day.tickets.filter((ticket) => ticket !== next && statuses.includes(ticket.status))
          return group.length ? (
            <section key={key}>
              <h2 class="over">
                {t(key)} <small>{group.length}</small>
              </h2>
              <ul class="rows">
                {group.map((ticket) => (
                  <TicketRow key={ticket.visit_id} ticket={ticket} />
                ))}
              </ul>
            </section>
          ) : null
        })}
      </main>
      {next && <MainBar ticket={next} />}
    </>
  )
}

function NextUp({ ticket }: { ticket: ShownTicket }) {
  return (
    <section>
      <h2 class="over">{t(ticket.status === 'assigned' ? 'next_up' : 'now_on')}</h2>
      <HeroCard ticket={ticket} />
    </section>
  )
}

function DayHead({ engineer }: { engineer: EngineerCard }) {
  const { planned_min: planned, limit_min: limit } = engineer
  const share = limit > 0 ? planned / limit : 0
  const shift = shiftText(engineer)
  return (
    <header class="head day-head">
      <div class="row">
        <div>
          <h1>{engineer.name}</h1>
          <small>
            {clockTime(now.value)} · {shift}
          </small>
        </div>
        <ReachChip />
      </div>
      <div class="load">
        <span>{t('workload')}</span>
        <i class={share > 1 ? 'gauge over' : 'gauge'} aria-hidden="true">
          <i style={{ width: `${Math.min(share, 1) * 100}%` }} />
        </i>
        <b>{t('workload_of', { done: minutesText(planned), limit: minutesText(limit) })}</b>
      </div>
    </header>
  )
}

function OfferStrip() {
  const offers = (shown.value?.offers ?? []).filter((offer) => offer.queued.length === 0)
  const ends = offers.flatMap((offer) => (offer.expires_at ? [Date.parse(offer.expires_at)] : []))
  const open = offers.filter((offer) => !offer.expires_at || Date.parse(offer.expires_at) > now.value)
  if (open.length === 0) return null
  const soonest = Math.min(...ends.filter((end) => end > now.value))
  return (
    <a class="strip offer-strip" href="#/offers">
      <Icon name="offers" />
      <span>{open.length === 1 ? t('offer_strip_one') : t('offer_strip', { n: open.length })}</span>
      {Number.isFinite(soonest) && <b>{countdown((soonest - now.value) / 1_000)}</b>}
    </a>
  )
}

function NothingToday({ pool }: { pool: number }) {
  return (
    <Empty icon="check" title={t('nothing_today')} hint={t('nothing_today_hint')}>
      {pool > 0 && (
        <a class="main" href="#/pool">
          {t('see_pool')} · {pool}
        </a>
      )}
    </Empty>
  )
}

function FirstLoad() {
  const cut = reach.value === 'offline' || reach.value === 'unreachable'
  return (
    <>
      <header class="head">
        <h1>{t('today')}</h1>
        <ReachChip />
      </header>
      <main class="page">
        <Strips />
        <Empty icon="today" title={t(cut ? 'first_load_offline' : 'first_load')} />
      </main>
    </>
  )
}
