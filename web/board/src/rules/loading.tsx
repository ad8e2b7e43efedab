import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { asRefused, type Refused } from '../api'
import { Empty, Loading } from '../parts/basics'
import { complain, say } from '../state'
import { problemText, t } from '../words'

export interface Loaded<T> {
  value: T | null
  reload: () => Promise<void>
  /** What to show instead while there is nothing. */
  waiting: JSX.Element | null
}

/** Something read from the server when the part appears, with its waiting and its failure. */
export function useLoaded<T>(read: () => Promise<T>): Loaded<T> {
  const [value, setValue] = useState<T | null>(null)
  const [problem, setProblem] = useState<Refused | null>(null)
  async function reload(): Promise<void> {
    setProblem(null)
    try {
      setValue(await read())
    } catch (error) {
      const refused = asRefused(error)
      if (refused.status === 401) complain(refused)
      else setProblem(refused)
    }
  }
  useEffect(() => void reload(), [])
  const waiting = problem ? (
    <Empty title={problemText(problem)}>
      <button type="button" class="button" onClick={() => void reload()}>{t('retry')}</button>
    </Empty>
  ) : value === null ? <Loading /> : null
  return { value, reload, waiting }
}

/** Does one change, says how it went, and reads again; true when it was done. */
export async function change(work: () => Promise<unknown>, reload: () => Promise<void>, done = t('rules_saved')): Promise<boolean> {
  try {
    await work()
  } catch (error) {
    complain(error)
    return false
  }
  say('good', done)
  await reload()
  return true
}
