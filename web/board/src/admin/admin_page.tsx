import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { asRefused, type Refused } from '../api'
import { Empty, Loading } from '../parts/basics'
import { complain } from '../state'
import { problemText, t } from '../words'
import { readAdmin, type Admin } from './admin_api'
import { KeysTab, ListsTab } from './keys_and_lists'
import { DispatchersTab, EngineersTab } from './people'
import { ProofDialog } from './proof_dialog'
import { ProviderTab } from './provider'

const TABS = { engineers: EngineersTab, dispatchers: DispatchersTab, keys: KeysTab, lists: ListsTab, provider: ProviderTab } as const
type Tab = keyof typeof TABS
const tab = signal<Tab>('engineers')

/** People, keys and lists of the company: for admins. */
export function AdminPage(): JSX.Element {
  const [admin, setAdmin] = useState<Admin | null>(null)
  const [problem, setProblem] = useState<Refused | null>(null)
  async function reload(): Promise<void> {
    setProblem(null)
    try {
      setAdmin(await readAdmin())
    } catch (error) {
      const refused = asRefused(error)
      if (refused.status === 401) complain(refused)
      else setProblem(refused)
    }
  }
  useEffect(() => void reload(), [])
  const Body = TABS[tab.value]
  return (
    <main class="page">
      <header class="page-head">
        <h1>{t('nav_admin')}</h1>
        <p>{t('admin_lead')}</p>
      </header>
      <div class="views" role="group" aria-label={t('admin_tabs')}>
        {(Object.keys(TABS) as Tab[]).map((one) => (
          <button key={one} type="button" class="view" aria-pressed={tab.value === one} onClick={() => (tab.value = one)}>
            {t(`admin_${one}`)}
          </button>
        ))}
      </div>
      {problem && (
        <Empty title={problemText(problem)}>
          <button type="button" class="button" onClick={() => void reload()}>{t('retry')}</button>
        </Empty>
      )}
      {!admin && !problem && <Loading />}
      {admin && <Body admin={admin} reload={reload} />}
      <ProofDialog />
    </main>
  )
}
