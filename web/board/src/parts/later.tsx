import { lazy } from 'preact/compat'
import type { ComponentType, JSX } from 'preact'
import { t } from '../words'
import { Empty } from './basics'

/** A part fetched when first shown. Where it cannot be fetched the server has another version by now, or is away: the page says so. */
export function later<P>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  return lazy(() => load().catch(() => NotFetched as ComponentType<P>))
}

function NotFetched(): JSX.Element {
  return (
    <Empty title={t('part_not_fetched')} hint={t('part_not_fetched_hint')}>
      <button type="button" class="button primary" onClick={() => location.reload()}>{t('reload')}</button>
    </Empty>
  )
}
