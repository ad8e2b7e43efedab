import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { dayTime } from '../../../shared/formats'
import { asRefused, type Refused } from '../api'
import { Empty, Loading } from '../parts/basics'
import { api, complain, now, say, zoneOf } from '../state'
import type { DeadLetter } from '../wire'
import { language, problemText, t } from '../words'

/** Jobs given up after their last try, to be tried again once what stopped them is mended. */
export function FailedJobs(): JSX.Element {
  const [letters, setLetters] = useState<DeadLetter[] | null>(null)
  const [next, setNext] = useState<string | null>(null)
  const [problem, setProblem] = useState<Refused | null>(null)

  async function load(page: string | null): Promise<void> {
    setProblem(null)
    try {
      const read = await api.deadLetters(page)
      setLetters((known) => [...(page ? (known ?? []) : []), ...read.dead_letters])
      setNext(read.next_page)
    } catch (error) {
      const refused = asRefused(error)
      if (refused.status === 401) complain(refused)
      else setProblem(refused)
    }
  }
  useEffect(() => void load(null), [])

  async function retry(letter: DeadLetter): Promise<void> {
    try {
      await api.retry(letter.job_id)
      setLetters((known) => known?.filter((one) => one.job_id !== letter.job_id) ?? null)
      say('good', t('failed_retried'))
    } catch (error) {
      complain(error)
    }
  }

  return (
    <div class="failed-jobs">
      {problem && (
        <Empty title={problemText(problem)}>
          <button type="button" class="button" onClick={() => void load(null)}>{t('retry')}</button>
        </Empty>
      )}
      {!letters && !problem && <Loading />}
      {letters?.length === 0 && <Empty title={t('failed_none')} />}
      <ul class="failed-list">
        {letters?.map((letter) => (
          <li key={letter.job_id} class="failed">
            <div class="failed-head">
              <strong>{letter.job}</strong>
              <small>
                #{letter.job_id} · {t('failed_tries', { n: letter.tries })}
                {letter.failed_at && ` · ${t('failed_at', { time: dayTime(letter.failed_at, zoneOf(null), now.value, language.value) })}`}
              </small>
              <button type="button" class="button" onClick={() => void retry(letter)}>{t('retry')}</button>
            </div>
            {letter.error && <pre>{letter.error}</pre>}
            <details>
              <summary>{t('failed_arguments')}</summary>
              <pre>{JSON.stringify(letter.arguments, null, 2)}</pre>
            </details>
          </li>
        ))}
      </ul>
      {next && <button type="button" class="button" onClick={() => void load(next)}>{t('load_more')}</button>}
    </div>
  )
}
