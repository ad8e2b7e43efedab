/** What every settings page is made of: a head, a table that becomes cards on a phone, and pages of long lists. */

import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { asRefused, type Refused } from '../api'
import { Empty, Loading } from '../parts/basics'
import { route } from '../route'
import { complain, now, zoneOf } from '../state'
import { language, problemText, t, type Key } from '../words'
import { dayTime } from '../../../shared/formats'

export { change, useLoaded } from '../rules/loading'

/** A part of a page with its title, a line that says what it is for, and its one main button. A title the page has already is not shown twice. */
export function Part({ title, lead, action, children }: { title: Key; lead?: Key; action?: JSX.Element; children: ComponentChildren }): JSX.Element {
  const said = title === `settings_${route.value.section}`
  return (
    <section class="part">
      <header class="part-head">
        <div>
          <h2 class={said ? 'unseen' : undefined}>{t(title)}</h2>
          {lead && <p>{t(lead)}</p>}
        </div>
        {action}
      </header>
      {children}
    </section>
  )
}

export function AddButton({ label, onClick, disabled }: { label: Key; onClick: () => void; disabled?: boolean }): JSX.Element {
  return <button type="button" class="button primary" disabled={disabled ?? false} onClick={onClick}>{t(label)}</button>
}

export interface Column<Row> {
  name: Key
  cell: (row: Row) => ComponentChildren
  /** Figures stand to the right. */
  number?: boolean
}

const PAGE = 50

/** The first rows of a list, and how to see more of it. */
export function usePages<Row>(rows: readonly Row[]): { shown: readonly Row[]; more: JSX.Element | null } {
  const [count, setCount] = useState(PAGE)
  const more = rows.length > count ? <button type="button" class="button" onClick={() => setCount(count + PAGE)}>{t('load_more')}</button> : null
  return { shown: rows.slice(0, count), more }
}

/** Rows in pages of fifty; `next` reads the server's next page. On a phone each row is a card with the columns' names. */
export function Table<Row>({ name, columns, rows, id, does, off, empty, hint, next }: {
  name: Key
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  id: (row: Row) => string
  does?: (row: Row) => ComponentChildren
  off?: (row: Row) => boolean
  empty: Key
  hint?: Key
  next?: (() => void) | null
}): JSX.Element {
  const [shown, setShown] = useState(PAGE)
  if (!rows.length) return <Empty title={t(empty)} {...(hint ? { hint: t(hint) } : {})} />
  const more = rows.length > shown ? () => setShown(shown + PAGE) : next
  return (
    <>
      <table class="table" aria-label={t(name)}>
        <thead>
          <tr>
            {columns.map((one) => <th key={one.name} scope="col" data-number={one.number}>{t(one.name)}</th>)}
            {does && <th scope="col"><span class="unseen">{t('actions')}</span></th>}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, shown).map((row) => (
            <tr key={id(row)} data-off={off?.(row)}>
              {columns.map((one) => <td key={one.name} data-label={t(one.name)} data-number={one.number}><div>{one.cell(row)}</div></td>)}
              {does && <td class="does">{does(row)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
      {more && <button type="button" class="button" onClick={more}>{t('load_more')}</button>}
    </>
  )
}

export function RowButton({ label, about, onClick }: { label: Key; about: string; onClick: () => void }): JSX.Element {
  return <button type="button" class="button small" aria-label={`${t(label)}: ${about}`} onClick={onClick}>{t(label)}</button>
}

/** The button below a list that has another page; nothing below one that has none. */
export function MoreButton({ next }: { next: (() => void) | null }): JSX.Element | null {
  return next && <button type="button" class="button" onClick={next}>{t('load_more')}</button>
}

/** A list the server gives page by page. */
export function usePaged<Row>(read: (page: string | null) => Promise<{ rows: Row[]; next: string | null }>, key = ''): {
  rows: Row[] | null
  next: (() => void) | null
  reload: () => Promise<void>
  /** What to show instead while there is nothing, and what went wrong since. */
  waiting: JSX.Element | null
  failed: boolean
} {
  const [state, setState] = useState<{ rows: Row[]; next: string | null } | null>(null)
  const [problem, setProblem] = useState<Refused | null>(null)
  // What was asked for last is what is shown, whichever answer comes last.
  const latest = useRef(read)
  const turn = useRef(0)
  latest.current = read
  async function load(page: string | null): Promise<void> {
    const mine = ++turn.current
    setProblem(null)
    try {
      const found = await latest.current(page)
      if (mine !== turn.current) return
      setState((known) => ({ rows: page ? [...(known?.rows ?? []), ...found.rows] : found.rows, next: found.next }))
    } catch (error) {
      const refused = asRefused(error)
      if (refused.status === 401) complain(refused)
      else if (mine === turn.current) setProblem(refused)
    }
  }
  useEffect(() => void load(null), [key])
  const waiting = problem ? (
    <Empty title={problemText(problem)}>
      <button type="button" class="button" onClick={() => void load(null)}>{t('retry')}</button>
    </Empty>
  ) : state ? null : <Loading />
  const page = state?.next
  return { rows: state?.rows ?? null, next: page ? () => void load(page) : null, reload: () => load(null), waiting, failed: problem !== null }
}

/** An instant for a table, in the company's zone. */
export const when = (at: string): string => dayTime(at, zoneOf(null), now.value, language.value)

/** The date alone. */
export function dateText(at: string): string {
  return new Intl.DateTimeFormat(language.value === 'zh' ? 'zh-CN' : 'en-GB', { dateStyle: 'medium', timeZone: zoneOf(null) }).format(new Date(at))
}
