import { useEffect, useState } from 'preact/hooks'
import { api } from '../core/app'
import type { PositionUse } from '../core/wire'
import { longTime, t } from '../core/words'

/** Whether I share where I am, and who was shown it; read when the page opens. */
export function PositionUseCard() {
  const [use, setUse] = useState<PositionUse | null>(null)
  const read = () => api.positionUse().then(setUse, () => undefined)
  useEffect(() => void read(), [])
  if (!use) return null
  const turn = () => void api.agreeToPositions(!use.agreed).then(read, read)
  return (
    <section class="card settings">
      <div class="item stacked">
        <span>
          {t(use.agreed ? 'consent_given' : 'consent_missing')}
          <small class={use.agreed ? 'sub' : 'sub bad'}>{t(use.agreed ? 'consent_given_hint' : 'consent_missing_hint', { n: use.kept_days })}</small>
        </span>
        <button type="button" class="plain" onClick={turn}>
          {t(use.agreed ? 'consent_withdraw' : 'consent_agree')}
        </button>
      </div>
      <details class="item">
        <summary>{t('position_views', { n: use.views.length })}</summary>
        {use.views.map((view) => (
          <p class="sub" key={`${view.name} ${view.hour}`}>
            {view.name} · {longTime(view.last_at)}
          </p>
        ))}
      </details>
    </section>
  )
}
